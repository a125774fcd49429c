package instance

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deadletter"
)

func TestLetterKeepsTheMessageAndSaysWhy(t *testing.T) {
	t.Parallel()
	published := time.Date(2026, 5, 6, 7, 8, 9, 123456789, time.FixedZone("", 3600))
	l := letter{
		parcel: &parcel{orderingKey: "order", Delivery: &Delivery{
			Topic: articles, Key: "eyJpZCI6N30=", Payload: []byte("{"), ID: "5:6:0:-1", PublishTime: published,
			EventTime: published.Add(-time.Second), SchemaVersion: []byte{0, 0, 0, 0, 0, 0, 0, 0x1f}, Properties: map[string]string{"own": "kept", "rowvec.gone": "x"},
			Received: published.Add(30 * time.Second),
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
		"rowvec.class":        "poison",
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
		"rowvec.first_attempt":  "2026-05-06T06:08:39.123456789Z",
		"rowvec.last_attempt":   "2026-05-06T06:09:09.123456789Z",
	}, m.Properties)
	require.Equal(t, "x", l.Properties["rowvec.gone"], "the delivery's own properties are left alone")
}

// A letter that is sent again and fails again says so, however it was sent.
func TestALetterThatFailsAgainHasItsHistory(t *testing.T) {
	t.Parallel()
	begun := time.Date(2026, 5, 6, 7, 0, 0, 0, time.UTC)
	fail := func(properties map[string]string, after time.Duration, reason string) map[string]string {
		l := letter{
			parcel: &parcel{Delivery: &Delivery{
				Topic: articles, ID: "5:6:0:-1", Properties: properties, Received: begun.Add(after - time.Second), SchemaVersion: schemaVersion(properties, nil),
			}},
			Settlement: Settlement{Verdict: DeadLetter, Reason: reason, Stage: "embed", Message: "text for " + reason, Attempts: 1},
			at:         begun.Add(after),
		}
		return l.message(identity{function: "a/b/c"}).Properties
	}
	first := fail(map[string]string{"own": "kept", deadletter.PropSchemaVersion: "0000000000000007"}, time.Minute, "bad_request")
	require.NotContains(t, first, deadletter.PropRedriven)
	require.NotContains(t, first, deadletter.PropHistory)
	third := fail(fail(first, time.Hour, "bad_request"), 2*time.Hour, "too_large")
	require.Equal(t, "2026-05-06T07:00:59Z", third[deadletter.PropFirstAttempt])
	require.Equal(t, "2026-05-06T09:00:00Z", third[deadletter.PropLastAttempt])
	require.Equal(t, third[deadletter.PropTime], third[deadletter.PropLastAttempt])
	require.Equal(t, "2", third[deadletter.PropRedriven])
	require.Equal(t, "too_large", third[deadletter.PropReason])
	require.Equal(t, "text for too_large", third[deadletter.PropMessage])
	require.JSONEq(t, `[{"reason":"bad_request","stage":"embed","times":2,"first":"2026-05-06T07:01:00Z","last":"2026-05-06T08:00:00Z"}]`,
		third[deadletter.PropHistory])
	require.Equal(t, "kept", third["own"])
	require.Equal(t, "0000000000000007", third[deadletter.PropSchemaVersion])
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
	for _, absent := range []string{deadletter.PropStage, deadletter.PropTable, deadletter.PropVersion, deadletter.PropPublishTime, deadletter.PropTime, deadletter.PropSchemaVersion} {
		require.NotContains(t, m.Properties, absent)
	}
	require.Equal(t, "0", m.Properties[deadletter.PropAttempts])
	for name, value := range m.Properties {
		require.True(t, utf8.ValidString(value), name)
		require.LessOrEqual(t, len(value), longText, name)
	}
	require.LessOrEqual(t, len(m.Properties[deadletter.PropRow]), shortText)
	require.LessOrEqual(t, len(m.Properties[deadletter.PropKey]), shortText)
	require.Equal(t, strings.Repeat("k", 9999), m.Key, "the letter's own key is exact")
}

// A redriven message is published without a schema, or with the topic's newest: the letter's says what its payload is.
func TestARedrivenMessageHasTheSchemaOfTheOriginal(t *testing.T) {
	t.Parallel()
	own := []byte{0, 0, 0, 0, 0, 0, 0, 2}
	require.Equal(t, own, schemaVersion(nil, own))
	require.Nil(t, schemaVersion(nil, nil))
	require.Equal(t, []byte{0, 0, 0, 0, 0, 0, 0, 1}, schemaVersion(map[string]string{deadletter.PropSchemaVersion: "0000000000000001"}, own))
	require.Equal(t, own, schemaVersion(map[string]string{deadletter.PropSchemaVersion: "odd"}, own))
}

func TestLetterDescribesItself(t *testing.T) {
	t.Parallel()
	p := &parcel{Delivery: &Delivery{Topic: articles, ID: "1:2:-1:-1"}}
	require.Equal(t, "message 1:2:-1:-1 of "+articles, letter{parcel: p}.describe())
	require.Equal(t, "app.articles row 7", letter{parcel: p, Settlement: Settlement{Table: "app.articles", RowID: "7"}}.describe())
}
