package connector_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

func TestVersion(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		position string
		want     uint64
	}{
		"last of sequence, not lsn":   {`"sequence":"[\"5\",\"7\"]","lsn":6`, 7},
		"lsn null, sequence set":      {`"sequence":"[\"5\",\"7\"]","lsn":null`, 7},
		"first transaction":           {`"sequence":"[null,\"7\"]","lsn":7`, 7},
		"sequence null":               {`"sequence":null,"lsn":6`, 6},
		"no sequence":                 {`"lsn":6`, 6},
		"empty sequence":              {`"sequence":"[]","lsn":6`, 6},
		"sequence without a position": {`"sequence":"[\"5\",null]","lsn":6`, 6},
		"position beyond int64":       {`"sequence":"[null,\"18446744073709551615\"]","lsn":-1`, 18446744073709551615},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c2, err := decode(`{"id":1}`, with(`{"schema":"a","table":"b",`+c.position+`,"ts_ms":1767323045678}`))
			require.NoError(t, err)
			require.Equal(t, c.want, c2.Version.LSN)
			require.Equal(t, time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC), c2.Version.CommitTime)
		})
	}
}

func TestSnapshotKinds(t *testing.T) {
	t.Parallel()
	for marker, want := range map[string]connector.Snapshot{
		`"false"`: connector.Streamed, `null`: connector.Streamed, `false`: connector.Streamed, `""`: connector.Streamed,
		`"true"`: connector.Initial, `true`: connector.Initial, `"last"`: connector.Initial, `"first"`: connector.Initial,
		`"last_in_data_collection"`: connector.Initial, `"incremental"`: connector.Incremental,
	} {
		c, err := decode(`{"id":1}`, with(`{"schema":"a","table":"b","lsn":1,"ts_ms":1,"snapshot":`+marker+`}`))
		require.NoError(t, err)
		require.Equal(t, want, c.Snapshot, marker)
	}
}

func TestOperations(t *testing.T) {
	t.Parallel()
	for op, want := range map[string]connector.Op{"c": connector.Insert, "u": connector.Update, "r": connector.Read} {
		c, err := decode(`{"id":1}`, `{"op":"`+op+`","after":{"id":1},`+source+`}`)
		require.NoError(t, err)
		require.Equal(t, want, c.Op)
	}
}
