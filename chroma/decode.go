package chroma

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

const (
	errRagged = answerError("its lists differ in length")
	errNoIDs  = answerError("it has no list of ids")
)

// rawMeta is one record's metadata as it came; null where the record has none.
type rawMeta map[string]json.RawMessage

// values reads the metadata without loss: whole numbers as int64, others as float64, lists as []string, []bool, []int64
// or []float64. What is none of these (nested or mixed, written by another client) comes as encoding/json reads it.
func (m rawMeta) values() (map[string]any, error) {
	out := make(map[string]any, len(m))
	for key, raw := range m {
		value, err := decodeValue(raw)
		if err != nil {
			return nil, fmt.Errorf("metadata %q: %w", cut(key, maxName), err)
		}
		out[key] = value
	}
	return out, nil
}

func decodeValue(raw json.RawMessage) (any, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return nil, errors.New("an empty value")
	}
	switch raw[0] {
	case '[':
		return decodeList(raw)
	case '"':
		return decodeText(raw)
	case 't', 'f':
		return raw[0] == 't', nil
	case 'n', '{':
		return decodeAs[any](raw)
	}
	return decodeNumber(raw)
}

// decodeText spares most strings encoding/json, which has looked at every byte before: decoding is half of what reading a page costs here.
func decodeText(raw []byte) (any, error) {
	if inner := raw[1 : len(raw)-1]; bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return string(inner), nil
	}
	return decodeAs[string](raw)
}

func decodeNumber(raw []byte) (any, error) {
	if !bytes.ContainsAny(raw, ".eE") {
		if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
			return n, nil
		}
	}
	n, err := strconv.ParseFloat(string(raw), 64)
	if err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	return n, nil
}

// decodeList gives a list the type of all of its elements. A list of whole numbers and fractions is one of floats.
func decodeList(raw []byte) (any, error) {
	elements, err := decodeAs[[]json.RawMessage](raw)
	if err != nil {
		return nil, err
	}
	list, ok := elements.([]json.RawMessage)
	if !ok || len(list) == 0 {
		return []any{}, nil
	}
	switch list[0][0] {
	case '"':
		return decodeUniform[[]string](raw)
	case 't', 'f':
		return decodeUniform[[]bool](raw)
	case '[', '{', 'n':
		return decodeAs[any](raw)
	}
	if value, err := decodeAs[[]int64](raw); err == nil {
		return value, nil
	}
	return decodeUniform[[]float64](raw)
}

func decodeUniform[T any](raw []byte) (any, error) {
	if value, err := decodeAs[T](raw); err == nil {
		return value, nil
	}
	return decodeAs[any](raw)
}

func decodeAs[T any](raw []byte) (any, error) {
	var value T
	if err := json.Unmarshal(raw, &value); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	return value, nil
}

// getAnswer is what get answers. Lists that were not asked for are null.
type getAnswer struct {
	IDs        []string    `json:"ids"`
	Documents  []*string   `json:"documents"`
	Metadatas  []rawMeta   `json:"metadatas"`
	Embeddings [][]float32 `json:"embeddings"`
}

func (a *getAnswer) decode(body []byte) error {
	if err := json.Unmarshal(body, a); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	if a.IDs == nil {
		return errNoIDs
	}
	if a.Embeddings != nil && len(a.Embeddings) != len(a.IDs) {
		return errRagged
	}
	return sameLength(len(a.IDs), a.Documents, a.Metadatas)
}

// queryAnswer is what query answers: one list for each query vector; rowvec sends one.
type queryAnswer struct {
	IDs       [][]string   `json:"ids"`
	Documents [][]*string  `json:"documents"`
	Metadatas [][]rawMeta  `json:"metadatas"`
	Distances [][]*float64 `json:"distances"`
}

// first returns the answer to the one vector of the request.
func (a *queryAnswer) first() (*getAnswer, []*float64, error) {
	if len(a.IDs) != 1 {
		return nil, nil, errNoIDs
	}
	found := &getAnswer{IDs: a.IDs[0]}
	if len(a.Documents) > 0 {
		found.Documents = a.Documents[0]
	}
	if len(a.Metadatas) > 0 {
		found.Metadatas = a.Metadatas[0]
	}
	var distances []*float64
	if len(a.Distances) > 0 {
		distances = a.Distances[0]
	}
	if len(distances) != len(found.IDs) {
		return nil, nil, errRagged
	}
	return found, distances, sameLength(len(found.IDs), found.Documents, found.Metadatas)
}

func sameLength(n int, documents []*string, metadatas []rawMeta) error {
	if (documents != nil && len(documents) != n) || (metadatas != nil && len(metadatas) != n) {
		return errRagged
	}
	return nil
}

// matches puts the lists of an answer together.
func (a *getAnswer) matches() ([]Match, error) {
	out := make([]Match, len(a.IDs))
	for i, id := range a.IDs {
		out[i].ID = id
		if i < len(a.Documents) && a.Documents[i] != nil {
			out[i].Document = *a.Documents[i]
		}
		if i < len(a.Metadatas) {
			metadata, err := a.Metadatas[i].values()
			if err != nil {
				return nil, err
			}
			out[i].Metadata = metadata
		}
		if i < len(a.Embeddings) {
			out[i].Vector = a.Embeddings[i]
		}
	}
	return out, nil
}
