package connector

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// origin is what an event's source block says.
type origin struct {
	table    Table
	version  Version
	snapshot Snapshot
	txID     uint64
	release  string // of the connector
}

func readSource(event map[string]any) (origin, error) {
	source, ok := event["source"].(map[string]any)
	if !ok {
		return origin{}, malformed(ReasonMissingSource, "a source block", describe(event["source"]))
	}
	table, err := readTable(source)
	if err != nil {
		return origin{}, err
	}
	version, err := readVersion(event, source)
	if err != nil {
		return origin{}, err
	}
	from := origin{table: table, version: version, snapshot: readSnapshot(source["snapshot"])}
	from.release, _ = source["version"].(string)
	if from.snapshot == Streamed {
		from.txID = readTxID(source["txId"])
	}
	return from, nil
}

// readTxID reads the transaction's id; 0 when there is none. Rows of a snapshot have the snapshot's own transaction, or one that was
// streamed before: neither wrote them.
func readTxID(v any) uint64 {
	n, ok := v.(json.Number)
	if !ok {
		return 0
	}
	id, err := strconv.ParseUint(n.String(), 10, 64)
	if err != nil {
		return 0
	}
	return id
}

func readTable(source map[string]any) (Table, error) {
	schema, _ := source["schema"].(string)
	name, _ := source["table"].(string)
	if schema == "" || name == "" {
		return Table{}, malformed(ReasonBadSource, "source.schema and source.table to name a table",
			describe(source["schema"])+" and "+describe(source["table"]))
	}
	return Table{Schema: schema, Name: name}, nil
}

func readVersion(event, source map[string]any) (Version, error) {
	lsn, err := readLSN(source)
	if err != nil {
		return Version{}, err
	}
	millis, err := integer(source["ts_ms"])
	if err != nil {
		return Version{}, malformed(ReasonBadSource, "source.ts_ms in milliseconds", describe(source["ts_ms"]))
	}
	v := Version{LSN: lsn, CommitTime: time.UnixMilli(millis).UTC()}
	// Optional in Debezium's schema of the envelope: without it a version is a clock short, and no less valid.
	if emitted, err := integer(event["ts_ms"]); err == nil {
		v.Emitted = time.UnixMilli(emitted).UTC()
	}
	return v, nil
}

// readLSN takes the last element of source.sequence, which rows of an incremental snapshot have too, else source.lsn (design §4).
func readLSN(source map[string]any) (uint64, error) {
	last, err := lastOfSequence(source["sequence"])
	if err != nil {
		return 0, err
	}
	if last == "" {
		n, ok := source["lsn"].(json.Number)
		if !ok {
			return 0, malformed(ReasonBadSource, "a position in source.sequence or source.lsn", describe(source["lsn"]))
		}
		last = n.String()
	}
	lsn, err := strconv.ParseUint(last, 10, 64)
	if err != nil {
		return 0, malformed(ReasonBadSource, "a write-ahead log position", strconv.Quote(clip(last)))
	}
	return lsn, nil
}

// lastOfSequence reads the JSON text [committed, current] of source.sequence; "" when it holds no current position.
func lastOfSequence(v any) (string, error) {
	if v == nil {
		return "", nil
	}
	text, ok := v.(string)
	if !ok {
		return "", malformed(ReasonBadSource, "source.sequence to be text", describe(v))
	}
	var positions []*string
	if err := json.Unmarshal([]byte(text), &positions); err != nil {
		return "", malformedBy(err, ReasonBadSource, "source.sequence to be an array of positions")
	}
	if len(positions) == 0 || positions[len(positions)-1] == nil {
		return "", nil
	}
	return *positions[len(positions)-1], nil
}

// readSnapshot maps the marker of a row: "false" or nothing for a streamed one, "incremental", else the initial snapshot, for which
// Debezium has several words ("true", "last", and since 2.x "first", "first_in_data_collection", ...).
func readSnapshot(v any) Snapshot {
	switch v {
	case nil, "", "false", false:
		return Streamed
	case "incremental":
		return Incremental
	default:
		return Initial
	}
}

// integer returns a parsed JSON integer.
func integer(v any) (int64, error) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, fmt.Errorf("not a number: %s", describe(v))
	}
	return n.Int64()
}
