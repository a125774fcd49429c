package connector

import (
	"bytes"
	"encoding/base64"
)

// Parts takes a record apart into the texts of its key and value, for a person to read. Both are JSON where the source is Debezium;
// nothing is checked. The error is a *MalformedError for a binary frame that is broken.
func (r Record) Parts() (key, value []byte, err error) {
	if framed(r.Payload) && string(r.Payload) != emptyCompressed {
		key, rest, err := cutField(r.Payload, "key")
		if err != nil {
			return nil, nil, err
		}
		value, _, err = cutField(rest, "value")
		return key, value, err
	}
	plain, err := base64.StdEncoding.DecodeString(r.Key)
	if err != nil || !bytes.HasPrefix(bytes.TrimLeft(plain, whiteSpace), []byte("{")) {
		plain = []byte(r.Key)
	}
	return plain, r.Payload, nil
}
