package postgres

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// value turns a column's text into what the connector gives for it with the settings of connector/postgres.yaml: text for text, json,
// decimals, times and all that has no type in JSON; base64 for bytea; numbers and booleans as such.
func value(text, kind *string) (any, error) {
	if text == nil || kind == nil {
		return nil, nil //nolint:nilnil // null
	}
	switch *kind {
	case "bytea":
		raw, err := hex.DecodeString(strings.TrimPrefix(*text, `\x`))
		if err != nil {
			return nil, fmt.Errorf("bytea: %w", err)
		}
		return base64.StdEncoding.EncodeToString(raw), nil
	case "smallint", "integer", "bigint":
		return strconv.ParseInt(*text, 10, 64)
	case "real", "double precision":
		return strconv.ParseFloat(*text, 64)
	case "boolean":
		return *text == "true", nil
	}
	if strings.HasSuffix(*kind, "[]") {
		return array(*text)
	}
	return *text, nil
}

// array reads the json of an array.
func array(text string) (any, error) {
	var elements []any
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.UseNumber()
	if err := dec.Decode(&elements); err != nil {
		return nil, fmt.Errorf("array: %w", err)
	}
	narrow(elements)
	return elements, nil
}

// narrow gives numbers the types that the connector gives them.
func narrow(elements []any) {
	for i, e := range elements {
		switch v := e.(type) {
		case []any:
			narrow(v)
		case json.Number:
			if n, err := v.Int64(); err == nil {
				elements[i] = n
			} else if f, err := v.Float64(); err == nil && strings.ContainsAny(v.String(), ".eE") {
				elements[i] = f
			}
		}
	}
}
