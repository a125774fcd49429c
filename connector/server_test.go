package connector_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

// What Debezium Server publishes: every record becomes a change of the right kind, or a tombstone, or the connector's own.
func TestDebeziumServerRecords(t *testing.T) {
	t.Parallel()
	require.Equal(t, map[string]int{
		"read": 9, "insert": 3, "update": 4, "delete": 5, "truncate": 1,
		connector.KindTombstone: 5, connector.KindSignal: 5, connector.KindHeartbeat: 1,
	}, kindsOf(t, server, "app.types"))
	require.Equal(t, map[string]int{
		"read": 11, "insert": 4, "update": 5, "delete": 5, "truncate": 1,
		connector.KindTombstone: 5, connector.KindSignal: 3, connector.KindHeartbeat: 1,
	}, kindsOf(t, server2, "app.nokey"))
}

// kindsOf counts a capture's records by kind. One table of it was truncated.
func kindsOf(t *testing.T, file, truncated string) map[string]int {
	t.Helper()
	kinds := map[string]int{}
	for i, r := range capture(t, file) {
		c, err := connector.Decode(r)
		if err != nil {
			require.NotEmpty(t, control(err), "line %d: %v", i+1, err)
			kinds[control(err)]++
			continue
		}
		kinds[c.Op.String()]++
		require.NotZero(t, c.Version.LSN)
		require.False(t, c.Version.CommitTime.IsZero())
		if c.Op == connector.Truncate {
			require.Equal(t, truncated, c.Table.String())
			require.Nil(t, c.Key)
		}
	}
	return kinds
}

// The snapshot marks a row in words that differ with the version; an incremental one has its own.
func TestDebeziumServerSnapshots(t *testing.T) {
	t.Parallel()
	for _, file := range []string{server, server2} {
		kinds := map[connector.Snapshot]int{}
		for _, r := range capture(t, file) {
			if c, err := connector.Decode(r); err == nil && c.Op == connector.Read {
				kinds[c.Snapshot]++
			} else if err == nil {
				require.Equal(t, connector.Streamed, c.Snapshot)
			}
		}
		require.Equal(t, 6, kinds[connector.Initial], file)
		require.GreaterOrEqual(t, kinds[connector.Incremental], 3, file)
	}
}

// The Go client hands over a tombstone's empty payload, compressed with LZ4, as one zero byte.
func TestTombstoneOfACompressingProducer(t *testing.T) {
	t.Parallel()
	_, err := connector.Decode(connector.Record{Key: `{"id":1}`, Payload: []byte{0}})
	require.Equal(t, connector.KindTombstone, control(err))
	_, err = connector.Decode(connector.Record{Payload: []byte{0}})
	require.Equal(t, connector.ReasonBadPayload, poison(t, err).Reason())
}

// However the source is set, a column means the same; where it cannot, TYPES.md says so.
func TestModesAgree(t *testing.T) {
	t.Parallel()
	whole := func(file string) connector.Row {
		for _, r := range capture(t, file) {
			if r.Schema = registered(t, "x.types"); file != moreTypes {
				r.Schema = nil
			}
			c, err := connector.Decode(r)
			if err == nil && c.After != nil && c.After["title"] == "Trail shoe" {
				return c.After
			}
		}
		t.Fatalf("no such row in %s", file)
		return nil
	}
	want := whole(stringModes)
	differing := map[string][]string{
		moreTypes:    {"blob", "blobs", "k", "price"},
		server:       {"blob", "k", "price"},
		server2:      {"k", "iv", "blob", "blobs"},                                                  // binary otherwise, microseconds for the interval
		stringModes2: {"k", "iv"},                                                                   // text
		connectModes: {"price", "prices", "big", "mon", "t", "ts", "iv", "blob", "blobs", "h", "k"}, // double, milliseconds, text, hex, map
	}
	differing[connectModes2] = differing[connectModes]
	for file, except := range differing {
		have := whole(file)
		for column, v := range have {
			if !slices.Contains(except, column) {
				require.Equal(t, want[column], v, "%s: column %s", file, column)
			}
		}
	}
	require.Equal(t, "P0Y0M1DT2H0M0S", whole(connectModes)["iv"])
	require.Equal(t, "2026-01-02T03:04:05.678", whole(connectModes)["ts"])
	require.InDelta(t, 89.9, whole(connectModes)["price"], 0)
	require.Equal(t, []any{"1.50", "-2.25"}, whole(server)["prices"])
}

// Unchanged large values in all the modes: none is taken for a value.
func TestDebeziumServerToast(t *testing.T) {
	t.Parallel()
	for _, file := range []string{connectModes, stringModes, connectModes2, stringModes2} {
		records := capture(t, file)
		c, err := connector.Decode(records[len(records)-1])
		require.NoError(t, err)
		require.Equal(t, "toast", c.Table.Name)
		for _, column := range []string{"body", "tags", "nums", "bigs", "h", "j", "uus", "x"} {
			require.Equal(t, connector.Unavailable{}, c.After[column], "%s: column %s", file, column)
		}
	}
}
