package chromatest

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"
)

// payload is the body of any operation on records.
type payload struct {
	base64 bool

	IDs             []string                     `json:"ids"`
	Embeddings      []json.RawMessage            `json:"embeddings"`
	Documents       []*string                    `json:"documents"`
	Metadatas       []map[string]json.RawMessage `json:"metadatas"`
	QueryEmbeddings [][]float32                  `json:"query_embeddings"`
	NResults        *int                         `json:"n_results"`
	Where           map[string]any               `json:"where"`
	WhereDocument   map[string]any               `json:"where_document"`
	Include         []string                     `json:"include"`
	Limit           *int                         `json:"limit"`
	Offset          int                          `json:"offset"`
	NewMetadata     map[string]any               `json:"new_metadata"`
}

// change is what one record's metadata becomes: nil removes a key.
type change map[string]any

// vectors decodes both forms of an embedding; nil for null.
func (p *payload) vectors() ([][]float32, *failure) {
	if p.Embeddings == nil {
		return nil, nil
	}
	out := make([][]float32, len(p.Embeddings))
	for i, raw := range p.Embeddings {
		var failed *failure
		switch {
		case bytes.Equal(raw, []byte("null")):
			continue
		case raw[0] == '"' && p.base64:
			out[i], failed = fromBase64(raw)
		default:
			if json.Unmarshal(raw, &out[i]) != nil {
				failed = undecodable("embeddings: data did not match any variant of untagged enum EmbeddingsPayload")
			}
		}
		if failed == nil && len(out[i]) == 0 {
			failed = invalid("Validation error: embeddings: Each embedding must have at least 1 dimension")
		}
		if failed != nil {
			return nil, failed
		}
	}
	return out, nil
}

// fromBase64 decodes little-endian float32 components.
func fromBase64(raw json.RawMessage) ([]float32, *failure) {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return nil, undecodable("embeddings")
	}
	packed, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(packed)%4 != 0 {
		return nil, invalid("Invalid base64 string")
	}
	out := make([]float32, len(packed)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(packed[4*i:]))
		if x := float64(out[i]); math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, invalid("Non-finite float value at embedding index " + strconv.Itoa(i))
		}
	}
	return out, nil
}

// changes decodes the metadata of every record.
func (p *payload) changes() ([]change, *failure) {
	if p.Metadatas == nil {
		return nil, nil
	}
	out := make([]change, len(p.Metadatas))
	for i, metadata := range p.Metadatas {
		out[i] = make(change, len(metadata))
		for key, raw := range metadata {
			if key == "" || key[0] == '#' || key[0] == '$' {
				return nil, invalid("Validation error: metadatas: Invalid metadata at index " + strconv.Itoa(i))
			}
			value, ok := decodeValue(raw)
			if !ok {
				return nil, undecodable("metadatas: data did not match any variant of untagged enum UpdateMetadataValue")
			}
			out[i][key] = value
		}
	}
	return out, nil
}

// decodeValue reads a value that Chroma can hold; an empty list is nil, as it removes the key.
func decodeValue(raw json.RawMessage) (any, bool) {
	switch raw[0] {
	case '{':
		return nil, false
	case '[':
		return decodeList(raw)
	case '"', 't', 'f', 'n':
		var value any
		err := json.Unmarshal(raw, &value)
		return value, err == nil
	}
	return decodeNumber(string(raw))
}

func decodeNumber(s string) (any, bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

func decodeList(raw json.RawMessage) (any, bool) {
	var elements []json.RawMessage
	if json.Unmarshal(raw, &elements) != nil {
		return nil, false
	}
	if len(elements) == 0 {
		return nil, true
	}
	switch elements[0][0] {
	case '"':
		return decodeAs[[]string](raw)
	case 't', 'f':
		return decodeAs[[]bool](raw)
	}
	if ints, ok := decodeAs[[]int64](raw); ok {
		return ints, true
	}
	return decodeAs[[]float64](raw)
}

func decodeAs[T any](raw json.RawMessage) (any, bool) {
	var value T
	if bytes.Contains(raw, []byte("null")) || json.Unmarshal(raw, &value) != nil {
		return nil, false
	}
	return value, true
}
