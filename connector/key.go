package connector

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// nullKey is the message key that Debezium Server's Pulsar sink gives to a record without a key (its setting null.key).
const nullKey = "default"

// whiteSpace is what JSON has between its words.
const whiteSpace = " \t\r\n"

// key is the key side of a record.
type key struct {
	columns []Column       // in the order of the text, values as parsed
	schema  map[string]any // Kafka Connect's JSON schema of the key, nil when there is none
}

// parseKeyText reads a message key: a JSON object as Debezium Server sends it, or base64 of one as Pulsar's source does. Base64 has
// no braces, so the two cannot be mistaken for each other, whatever the row holds.
func parseKeyText(text string) (key, error) {
	if text == "" || text == nullKey {
		return key{}, nil
	}
	plain := []byte(text)
	if !bytes.HasPrefix(bytes.TrimLeft(plain, whiteSpace), []byte("{")) {
		decoded, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return key{}, malformedBy(err, ReasonBadKey, "a JSON object or base64 of one")
		}
		plain = decoded
	}
	return parseKeyJSON(plain)
}

// parseKeyJSON reads a key document, with or without its schema. No text and null are the keys of a table without a primary key.
func parseKeyJSON(text []byte) (key, error) {
	if text = bytes.TrimSpace(text); len(text) == 0 || string(text) == "null" {
		return key{}, nil
	}
	fields, err := parseFields(text, ReasonBadKey)
	if err != nil {
		return key{}, err
	}
	schema, payload, ok := keyEnvelope(fields)
	if !ok {
		columns, err := keyColumns(fields)
		return key{columns: columns}, err
	}
	if string(payload) == "null" {
		return key{}, nil
	}
	if fields, err = parseFields(payload, ReasonBadKey); err != nil {
		return key{}, err
	}
	columns, err := keyColumns(fields)
	return key{columns: columns, schema: schema}, err
}

// keyEnvelope opens a {"schema", "payload"} document. A key of two columns with these names is none: its schema is a column's value
// and never an object with a type, nor null.
func keyEnvelope(fields []field) (schema map[string]any, payload json.RawMessage, ok bool) {
	var schemaText json.RawMessage
	for _, f := range fields {
		switch f.name {
		case "schema":
			schemaText = f.text
		case "payload":
			payload = f.text
		}
	}
	if len(fields) != 2 || schemaText == nil || payload == nil {
		return nil, nil, false
	}
	if string(schemaText) == "null" {
		return nil, payload, true
	}
	v, err := parse(schemaText, ReasonBadKey)
	if err != nil {
		return nil, nil, false
	}
	schema, _ = v.(map[string]any)
	return schema, payload, schema["type"] != nil
}

func keyColumns(fields []field) ([]Column, error) {
	if len(fields) == 0 {
		return nil, malformed(ReasonBadKey, "at least one key column", "an empty object")
	}
	columns := make([]Column, len(fields))
	for i, f := range fields {
		v, err := parse(f.text, ReasonBadKey)
		if err != nil {
			return nil, err
		}
		if unavailable(v) {
			return nil, malformed(ReasonBadKey, fmt.Sprintf("a value of key column %q", clip(f.name)), "Debezium's placeholder for an unchanged value")
		}
		columns[i] = Column{Name: f.name, Value: v}
	}
	return columns, nil
}
