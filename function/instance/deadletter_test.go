package instance

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestLetterKeepsTheMessageAndSaysWhy(t *testing.T) {
	t.Parallel()
	published := time.Date(2026, 5, 6, 7, 8, 9, 123456789, time.FixedZone("", 3600))
	l := letter{
		parcel: &parcel{orderingKey: "order", Delivery: &Delivery{
			Topic: articles, Key: "eyJpZCI6N30=", Payload: []byte("{"), ID: "5:6:0:-1", PublishTime: published,
			EventTime: published.Add(-time.Second), SchemaVersion: []byte{0, 0, 0, 0, 0, 0, 0, 0x1f}, Properties: map[string]string{"own": "kept", PropReason: "older", "rowvec.gone": "x"},
		}},
		Settlement: Settlement{
			Verdict: DeadLetter, Reason: "malformed", Stage: "decode", Message: "unexpected end", Table: "app.articles", RowID: "7",
			Version: "4711@1700000000000", Attempts: 3,
		},
		at: published.Add(time.Minute),
	}
	m := l.message(identity{function: "public/default/shop", name: "shop", instance: 3})
	require.Equal(t, []byte("{"), m.Payload)
	require.Equal(t, "eyJpZCI6N30=", m.Key)
	require.Equal(t, "order", m.OrderingKey)
	require.Equal(t, published.Add(-time.Second), m.EventTime)
	require.Equal(t, map[string]string{
		"own":                 "kept",
		"rowvec.reason":       "malformed",
		"rowvec.stage":        "decode",
		"rowvec.message":      "unexpected end",
		"rowvec.table":        "app.articles",
		"rowvec.row":          "7",
		"rowvec.version":      "4711@1700000000000",
		"rowvec.source_topic": articles,
		"rowvec.message_id":   "5:6:0:-1",
		"rowvec.key":          "eyJpZCI6N30=",
		"rowvec.publish_time": "2026-05-06T06:08:09.123456789Z",
		"rowvec.attempts":     "3",
		"rowvec.function":     "public/default/shop",
		"rowvec.instance":     "3",
		"rowvec.time":         "2026-05-06T06:09:09.123456789Z",

		"rowvec.schema_version": "000000000000001f",
	}, m.Properties)
	require.Equal(t, "older", l.Properties[PropReason], "the delivery's own properties are left alone")
}

func TestLetterIsOrderedAsTheMessageWas(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ own, said, want string }{
		"its own": {own: "order", want: "order"}, "what is said of it": {said: `{"id":7}`, want: `{"id":7}`},
		"its own above all": {own: "order", said: `{"id":7}`, want: "order"}, "none": {},
	} {
		l := letter{
			parcel:     &parcel{orderingKey: c.own, Delivery: &Delivery{Topic: articles, Key: "eyJpZCI6N30="}},
			Settlement: Settlement{Verdict: DeadLetter, OrderingKey: c.said},
		}
		m := l.message(identity{})
		require.Equal(t, c.want, m.OrderingKey, name)
		require.Equal(t, "eyJpZCI6N30=", m.Key, name)
	}
}

func TestLetterLeavesOutWhatIsUnknownAndBoundsWhatIsLong(t *testing.T) {
	t.Parallel()
	l := letter{
		parcel:     &parcel{Delivery: &Delivery{Topic: articles, ID: "1:2:-1:-1", Key: strings.Repeat("k", 9999)}},
		Settlement: Settlement{Verdict: DeadLetter, Reason: "bad_request", Message: strings.Repeat("ü", 9999), RowID: "\xff" + strings.Repeat("r", 9999)},
	}
	m := l.message(identity{function: "a/b/c"})
	for _, absent := range []string{PropStage, PropTable, PropVersion, PropPublishTime, PropTime, PropSchemaVersion} {
		require.NotContains(t, m.Properties, absent)
	}
	require.Equal(t, "0", m.Properties[PropAttempts])
	for name, value := range m.Properties {
		require.True(t, utf8.ValidString(value), name)
		require.LessOrEqual(t, len(value), longText, name)
	}
	require.LessOrEqual(t, len(m.Properties[PropRow]), shortText)
	require.LessOrEqual(t, len(m.Properties[PropKey]), shortText)
	require.Equal(t, strings.Repeat("k", 9999), m.Key, "the letter's own key is exact")
}

// A redriven message is published without a schema, or with the topic's newest: the letter's says what its payload is.
func TestARedrivenMessageHasTheSchemaOfTheOriginal(t *testing.T) {
	t.Parallel()
	own := []byte{0, 0, 0, 0, 0, 0, 0, 2}
	require.Equal(t, own, schemaVersion(nil, own))
	require.Nil(t, schemaVersion(nil, nil))
	require.Equal(t, []byte{0, 0, 0, 0, 0, 0, 0, 1}, schemaVersion(map[string]string{PropSchemaVersion: "0000000000000001"}, own))
	require.Equal(t, own, schemaVersion(map[string]string{PropSchemaVersion: "odd"}, own))
}

func TestLetterDescribesItself(t *testing.T) {
	t.Parallel()
	p := &parcel{Delivery: &Delivery{Topic: articles, ID: "1:2:-1:-1"}}
	require.Equal(t, "message 1:2:-1:-1 of "+articles, letter{parcel: p}.describe())
	require.Equal(t, "app.articles row 7", letter{parcel: p, Settlement: Settlement{Table: "app.articles", RowID: "7"}}.describe())
}
