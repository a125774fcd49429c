package connector_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

func columns(pairs ...any) []connector.Column {
	var out []connector.Column
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, connector.Column{Name: pairs[i].(string), Value: pairs[i+1]})
	}
	return out
}

func TestSnapshotRowIsWhole(t *testing.T) {
	t.Parallel()
	c := captured(t, defaults, 1)
	require.Equal(t, &connector.Change{
		Op:    connector.Read,
		Table: connector.Table{Schema: "app", Name: "articles"},
		Key:   columns("id", int64(1)),
		After: connector.Row{
			"id": int64(1), "title": "Trail shoe", "body": "Light shoe for muddy trails", "price": "Ix4=",
			"big":    map[string]any{"scale": int64(9), "value": "J+QbMka+ybFuOYEV"},
			"rating": nil, "weight": nil, "n": nil, "k": nil, "active": true,
			"tags": []any{"outdoor", "run"}, "nums": []any{int64(1), int64(2), int64(3)},
			"attrs": `{"color": "red", "sizes": [41, 42]}`, "created_at": "2026-01-02T01:04:05.678901Z",
			"ts": int64(1767323045678901), "d": int64(20455), "t": int64(11045678901), "iv": int64(93600000000),
			"u": "7d5b9a7e-7a5f-4d5e-9b60-3a4f0c3f7a11", "blob": "3q2+7w==", "mood": "happy", "ip": "10.0.0.1", "mon": "BNI=",
			"pt":  map[string]any{"x": 1.0, "y": 2.0, "wkb": "AQEAAAAAAAAAAADwPwAAAAAAAABA", "srid": nil},
			"rng": "[1,5)", "x": nil, "ch": "ab   ", "vc": "vc", "hs": "BQ==",
		},
		Version:  connector.Version{LSN: 27164256, CommitTime: time.UnixMilli(1795250207281).UTC(), Emitted: time.UnixMilli(1795250207390).UTC()},
		Snapshot: connector.Initial,
		Writer:   connector.Writer{Connector: "1.9.7.Final"},
	}, c)
}

// A changed key comes as two rows with one position: the old one goes, the new one comes.
func TestKeyChangeIsDeleteAndInsert(t *testing.T) {
	t.Parallel()
	gone, come := captured(t, defaults, 5), captured(t, defaults, 6)
	require.Equal(t, connector.Delete, gone.Op)
	require.Equal(t, columns("id", int64(2)), gone.Key)
	require.Nil(t, gone.After)
	require.Equal(t, connector.Insert, come.Op)
	require.Equal(t, columns("id", int64(99)), come.Key)
	require.Equal(t, "Rain jacket", come.After["title"])
	require.True(t, gone.Version.SameChange(come.Version))
	require.Equal(t, uint64(27165208), come.Version.LSN)
}

func TestUnchangedToastIsUnavailable(t *testing.T) {
	t.Parallel()
	set, kept := captured(t, defaults, 8), captured(t, defaults, 9)
	require.Len(t, set.After["body"], 6599)
	require.Equal(t, connector.Unavailable{}, kept.After["body"])
	require.Equal(t, "Trail shoe", kept.After["title"])
	require.Equal(t, "ZA==", kept.After["price"])
}

func TestColumnsComeAndGo(t *testing.T) {
	t.Parallel()
	added, renamed, dropped := captured(t, defaults, 10).After, captured(t, defaults, 11).After, captured(t, defaults, 12).After
	require.Equal(t, "blue", added["color"])
	require.Equal(t, "Späte Änderung ☃ 日本 🚀", added["title"])
	require.Equal(t, "line1\nline2 \"q\" \\ tab\tx", added["body"])
	require.NotContains(t, renamed, "color")
	require.Equal(t, "green", renamed["colour"])
	require.NotContains(t, dropped, "colour")
	require.Empty(t, dropped["title"])
}

// One transaction inserts, updates and deletes a row: one commit time, rising positions.
func TestTransactionInOne(t *testing.T) {
	t.Parallel()
	var ops []connector.Op
	var positions []uint64
	for line := 13; line <= 15; line++ {
		c := captured(t, defaults, line)
		require.Equal(t, columns("id", int64(5)), c.Key)
		require.Equal(t, time.UnixMilli(1795250219858).UTC(), c.Version.CommitTime)
		ops, positions = append(ops, c.Op), append(positions, c.Version.LSN)
	}
	require.Equal(t, []connector.Op{connector.Insert, connector.Update, connector.Delete}, ops)
	require.Equal(t, []uint64{27199288, 27199568, 27199792}, positions)
}

func TestSpecialNumbersAndDates(t *testing.T) {
	t.Parallel()
	special := captured(t, defaults, 16).After
	require.Equal(t, "NaN", special["rating"])
	require.Equal(t, "Infinity", special["weight"])
	require.Equal(t, "NAN", captured(t, stringDecimals, 5).After["price"])

	infinite := captured(t, defaults, 17).After
	require.Equal(t, "infinity", infinite["created_at"])
	require.Equal(t, int64(9223372036825200000), infinite["ts"])
	require.Equal(t, int64(-2147472692), infinite["d"])

	bc := captured(t, defaults, 18).After
	require.Equal(t, "-0043-03-15T00:00:00Z", bc["created_at"])
	require.Equal(t, int64(-735160), bc["d"])
}

func TestCompositeKeyKeepsItsOrder(t *testing.T) {
	t.Parallel()
	require.Equal(t, columns("product_id", int64(7), "reviewer", "bob/with slash|pipe", "lang", "fr"), captured(t, defaults, 20).Key)
	require.Equal(t, columns("product_id", int64(7), "reviewer", "", "lang", "en"), captured(t, defaults, 21).Key)
	gone, come := captured(t, defaults, 23), captured(t, defaults, 24)
	require.Equal(t, columns("product_id", int64(7), "reviewer", "bob/with slash|pipe", "lang", "fr"), gone.Key)
	require.Equal(t, columns("product_id", int64(7), "reviewer", "bob/with slash|pipe", "lang", "de"), come.Key)
}

func TestTableWithoutKey(t *testing.T) {
	t.Parallel()
	changed, gone := captured(t, defaults, 27), captured(t, defaults, 28)
	require.Nil(t, changed.Key)
	require.Equal(t, connector.Row{"a": int64(1), "b": "x"}, changed.Before)
	require.Equal(t, connector.Row{"a": int64(1), "b": "y"}, changed.After)
	require.Equal(t, connector.Delete, gone.Op)
	require.Equal(t, connector.Row{"a": int64(1), "b": "y"}, gone.Before)
	require.Nil(t, gone.After)
}

// With replica identity full the source itself fills in the text that a key change leaves alone.
func TestKeyChangeWithFullIdentityKeepsText(t *testing.T) {
	t.Parallel()
	gone, come := captured(t, defaults, 30), captured(t, defaults, 31)
	require.Equal(t, columns("id", "7d5b9a7e-7a5f-4d5e-9b60-3a4f0c3f7a11"), gone.Key)
	require.Equal(t, columns("id", "7d5b9a7e-7a5f-4d5e-9b60-3a4f0c3f7a12"), come.Key)
	require.Len(t, come.After["body"], 6599)
	require.Equal(t, gone.Before["body"], come.After["body"])
}

func TestIncrementalSnapshotHasAPosition(t *testing.T) {
	t.Parallel()
	for line := 11; line <= 17; line++ {
		c := captured(t, stringDecimals, line)
		require.Equal(t, connector.Read, c.Op)
		require.Equal(t, connector.Incremental, c.Snapshot)
		require.Equal(t, uint64(27015592), c.Version.LSN)
	}
	require.Equal(t, "-12345678.90", captured(t, stringDecimals, 12).After["price"])
}

// A restarted source sends a transaction again: the same versions, so that the index can tell.
func TestReplayedChangeHasTheSameVersion(t *testing.T) {
	t.Parallel()
	first, again := captured(t, stringDecimals, 7), captured(t, stringDecimals, 18)
	require.True(t, again.Version.SameChange(first.Version))
	require.Equal(t, 18311*time.Millisecond, again.Version.Emitted.Sub(first.Version.Emitted), "emitted twice")
	again.Version = first.Version
	require.Equal(t, first, again)
	require.Equal(t, uint64(26999432), again.Version.LSN)
}

func TestControlRecordsOfTheCaptures(t *testing.T) {
	t.Parallel()
	kinds := map[string]int{}
	for _, r := range capture(t, stringDecimals) {
		_, err := connector.Decode(r)
		var c *connector.ControlError
		if err == nil {
			continue
		}
		require.True(t, errors.As(err, &c), "%s: %v", r.Topic, err)
		kinds[c.Kind]++
		require.Equal(t, wantKind(r.Topic), c.Kind)
	}
	require.Equal(t, map[string]int{connector.KindTransaction: 54, connector.KindHeartbeat: 2, connector.KindSignal: 11}, kinds)
}

func wantKind(topic string) string {
	switch {
	case strings.HasSuffix(topic, ".transaction"):
		return connector.KindTransaction
	case strings.Contains(topic, "__debezium-heartbeat."):
		return connector.KindHeartbeat
	default:
		return connector.KindSignal
	}
}

// The envelope's schema gives day numbers their meaning; what needs none is as without.
func TestSchemaEnvelope(t *testing.T) {
	t.Parallel()
	bare, c := captured(t, stringDecimals, 1), captured(t, schemaEnvelope, 1)
	require.Equal(t, "2026-01-02", c.After["d"])
	require.Equal(t, int64(20455), bare.After["d"])
	bare.After["d"] = c.After["d"]
	require.Equal(t, bare.After, c.After)
	require.Equal(t, columns("id", int64(1)), c.Key)
	require.Equal(t, "1969-12-31", captured(t, schemaEnvelope, 2).After["d"])
	require.Equal(t, 0.31, c.After["weight"])

	gone := captured(t, schemaEnvelope, 10)
	require.Equal(t, connector.Delete, gone.Op)
	require.Equal(t, "y1b", gone.Before["name"])
	require.Nil(t, gone.After)
}
