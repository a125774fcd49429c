package connector_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

// The captures: records of a real Pulsar 4.0.8 with its Debezium connector (1.9.7), or fed by Debezium Server 2.7.3 or 3.0.0, and
// PostgreSQL 15.
const (
	defaults       = "debezium-1.9-defaults"        // connector defaults
	stringDecimals = "debezium-1.9-string-decimals" // decimals as text, transactions, heartbeats, signals, incremental snapshot
	schemaEnvelope = "debezium-1.9-schema-envelope" // binary frames with schemas
	moreTypes      = "debezium-1.9-types"           // connector defaults, still more types
	server         = "debezium-3.0-server"          // Debezium Server 3.0.0: schemas in each record, tombstones, truncate
	connectModes   = "debezium-3.0-connect-modes"   // the same; decimals double, times connect, binary hex, hstore map, intervals string
	stringModes    = "debezium-3.0-string-modes"    // the same; decimals string, binary base64-url-safe
	server2        = "debezium-2.7-server"          // the same three of Debezium Server 2.7.3
	connectModes2  = "debezium-2.7-connect-modes"
	stringModes2   = "debezium-2.7-string-modes"
	toasts         = "debezium-toast" // one update that leaves all large columns alone, see TestUnchangedColumnsOfAllModes
)

// capturedLine is one line of a capture.
type capturedLine struct {
	Topic         string            `json:"topic"`
	PartitionKey  string            `json:"partition_key"`
	Payload       string            `json:"payload"`
	PayloadBase64 string            `json:"payload_base64"`
	Properties    map[string]string `json:"properties"`
}

// capture returns the records of one file in order.
func capture(tb testing.TB, name string) []connector.Record {
	tb.Helper()
	f, err := os.Open("testdata/" + name + ".jsonl")
	require.NoError(tb, err)
	defer func() { require.NoError(tb, f.Close()) }()
	var records []connector.Record
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line capturedLine
		require.NoError(tb, json.Unmarshal(lines.Bytes(), &line))
		payload := []byte(line.Payload)
		if line.PayloadBase64 != "" {
			payload, err = base64.StdEncoding.DecodeString(line.PayloadBase64)
			require.NoError(tb, err)
		}
		records = append(records, connector.Record{
			Topic: line.Topic, Key: line.PartitionKey, Payload: payload, Properties: line.Properties,
		})
	}
	require.NoError(tb, lines.Err())
	return records
}

// captured decodes the record in one line (from 1) of a capture.
func captured(t *testing.T, name string, line int) *connector.Change {
	t.Helper()
	c, err := connector.Decode(capture(t, name)[line-1])
	require.NoError(t, err)
	return c
}

// poison requires err to be a MalformedError and returns it.
func poison(t *testing.T, err error) *connector.MalformedError {
	t.Helper()
	var m *connector.MalformedError
	require.ErrorAs(t, err, &m)
	require.Equal(t, "poison", m.Class())
	return m
}

// control returns the kind of a ControlError, "" for any other.
func control(err error) string {
	var c *connector.ControlError
	if errors.As(err, &c) {
		return c.Kind
	}
	return ""
}
