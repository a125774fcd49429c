package connector

import (
	"encoding/binary"
	"fmt"
)

// side is the value side of a record: the event, and its schema when the record came with one.
type side struct {
	object     map[string]any // nil when the value is null or absent
	schema     map[string]any // Kafka Connect's JSON schema, nil when the record came without
	registered *Schema        // the broker's, where the record has none; nil when there is none either
}

// image returns the type of the row image of that name (before, after), nil when it is not known.
func (s side) image(name string) *schema {
	if s.schema != nil {
		return newSchema(fieldSchema(s.schema, name))
	}
	return s.registered.image(name)
}

// keyTypes returns the types of a key's columns, nil when they are not known.
func (s side) keyTypes(k key) *schema {
	switch {
	case k.schema != nil:
		return newSchema(k.schema)
	case s.registered != nil:
		return s.registered.key
	default:
		return nil
	}
}

// sides takes a record apart into key and value.
func sides(r Record) (key, side, error) {
	payload := r.Payload
	if string(payload) == emptyCompressed {
		payload = nil
	}
	if framed(payload) {
		return frameSides(payload)
	}
	k, err := parseKeyText(r.Key)
	if err != nil {
		return key{}, side{}, err
	}
	value, err := parseValue(payload)
	return k, value, err
}

// emptyCompressed is how the Go client (v0.19.0) hands over the empty payload of a tombstone that the producer compressed with LZ4: as
// it came, seen with Debezium Server 3.0. No frame and no JSON text is that short.
const emptyCompressed = "\x00"

// framed tells a binary frame from JSON text for certain: a frame starts with the key's length, whose first byte is 0 (a key below
// 16 MiB) or 0xff (no key), and no JSON text starts with either.
func framed(payload []byte) bool {
	return len(payload) > 0 && (payload[0] == 0 || payload[0] == 0xff)
}

// frameSides reads Pulsar's INLINE key-value encoding: int32 big-endian key length, key, the same for the value; -1 is null
// (contract §6.7).
func frameSides(payload []byte) (key, side, error) {
	keyText, rest, err := cutField(payload, "key")
	if err != nil {
		return key{}, side{}, err
	}
	valueText, rest, err := cutField(rest, "value")
	if err != nil {
		return key{}, side{}, err
	}
	if len(rest) > 0 {
		return key{}, side{}, malformed(ReasonBadEnvelope, "the value to end the frame", fmt.Sprintf("%d bytes after it", len(rest)))
	}
	k, err := parseKeyJSON(keyText)
	if err != nil {
		return key{}, side{}, err
	}
	value, err := parseValue(valueText)
	return k, value, err
}

func cutField(frame []byte, name string) (text, rest []byte, err error) {
	if len(frame) < 4 {
		return nil, nil, malformed(ReasonBadEnvelope, "4 bytes with the length of the "+name, fmt.Sprintf("%d bytes", len(frame)))
	}
	n := int64(int32(binary.BigEndian.Uint32(frame)))
	frame = frame[4:]
	switch {
	case n == -1:
		return nil, frame, nil
	case n < 0 || n > int64(len(frame)):
		return nil, nil, malformed(ReasonBadEnvelope, fmt.Sprintf("a %s of %d bytes", name, n), fmt.Sprintf("%d bytes", len(frame)))
	default:
		return frame[:n], frame[n:], nil
	}
}

// parseValue reads a value document: an event, an event behind its schema, or nothing (a tombstone).
func parseValue(text []byte) (side, error) {
	if len(text) == 0 {
		return side{}, nil
	}
	v, err := parse(text, ReasonBadPayload)
	if err != nil {
		return side{}, err
	}
	if v == nil {
		return side{}, nil
	}
	object, ok := v.(map[string]any)
	if !ok {
		return side{}, malformed(ReasonBadPayload, "a JSON object", describe(v))
	}
	if !enveloped(object) {
		return side{object: object}, nil
	}
	return openEnvelope(object)
}

// enveloped tells a {"schema", "payload"} document from an event: an event has neither.
func enveloped(object map[string]any) bool {
	_, hasPayload := object["payload"]
	_, hasOp := object["op"]
	return hasPayload && !hasOp
}

func openEnvelope(object map[string]any) (side, error) {
	schema, ok := object["schema"].(map[string]any)
	if !ok && object["schema"] != nil {
		return side{}, malformed(ReasonBadEnvelope, "schema to be an object or null", describe(object["schema"]))
	}
	if object["payload"] == nil {
		return side{}, nil
	}
	payload, ok := object["payload"].(map[string]any)
	if !ok {
		return side{}, malformed(ReasonBadEnvelope, "payload to be an object or null", describe(object["payload"]))
	}
	return side{object: payload, schema: schema}, nil
}
