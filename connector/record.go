package connector

// Record is one message of a source's topic as the consumer hands it over.
type Record struct {
	Topic      string            // full name; not needed to decode, the payload names the table
	Key        string            // the message key as the client returns it: base64 text, or plain JSON from Debezium Server
	Payload    []byte            // value JSON, or key and value in one binary frame (contract §6.7); empty in a tombstone
	Properties map[string]string // message properties; Pulsar's Debezium source sets none

	// Schema gives the schema that the broker has for the record, nil when it has none that speaks of a row (see ParseSchema). It is
	// asked at most once, and only for a change of a row whose payload does not carry its own schema. May be nil: values then stay
	// what their JSON is.
	Schema func() (*Schema, error)
}
