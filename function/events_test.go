package function

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/embed/embedtest"
	"github.com/rowvec/rowvec/event"
	"github.com/rowvec/rowvec/function/indexer"
	"github.com/rowvec/rowvec/function/instance"
)

// told is an outlet that remembers.
type told struct {
	mu   sync.Mutex
	keys []string
	all  []event.Event
	err  error
}

func (o *told) Send(key string, payload []byte) {
	e, err := event.Parse(payload)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.keys, o.all = append(o.keys, key), append(o.all, e)
	if err != nil {
		o.err = err
	}
}

// newToldBench is a bench whose events are remembered.
func newToldBench(t *testing.T) (*bench, *told) {
	t.Helper()
	b, o := newBench(t), &told{}
	b.events = &events{to: o, function: "public/default/shop", instance: 2}
	return b, o
}

// only waits for the one event and returns it without its times, after it has looked at them.
func (o *told) only(t *testing.T) (key string, e event.Event) {
	t.Helper()
	require.Eventually(t, func() bool { o.mu.Lock(); defer o.mu.Unlock(); return len(o.all) > 0 }, 10*time.Second, time.Millisecond)
	o.mu.Lock()
	defer o.mu.Unlock()
	require.NoError(t, o.err)
	require.Len(t, o.all, 1)
	key, e = o.keys[0], o.all[0]
	o.keys, o.all = nil, nil
	require.WithinDuration(t, time.Now(), e.SettledAt, time.Minute)
	require.False(t, e.ReceivedAt.After(e.SettledAt))
	if e.Outcome.Durable() {
		require.Equal(t, e.SettledAt, e.DurableAt)
		require.Equal(t, e.DurableAt.Sub(e.CommittedAt).Milliseconds(), *e.FreshnessMs)
	} else {
		require.Zero(t, e.DurableAt)
		require.Nil(t, e.FreshnessMs)
	}
	e.SettledAt, e.ReceivedAt, e.DurableAt, e.FreshnessMs = time.Time{}, time.Time{}, time.Time{}, nil
	return key, e
}

// handled gives the app a message that is settled, and returns its event.
func (b *bench) handled(t *testing.T, o *told, d *instance.Delivery) (string, event.Event) {
	t.Helper()
	d.ID = "4:2:-1:0"
	within(t, b.handle(t, t.Context(), d))
	return o.only(t)
}

const articlesTopic = "persistent://public/default/store.app.articles"

// expected is the event of a change of row 1.
func expected(op event.Operation, outcome event.Outcome) event.Event {
	return event.Event{
		Version: event.Version, Function: "public/default/shop", Instance: 2, Table: "app.articles", Row: "1",
		Operation: op, Outcome: outcome, LSN: "100", CommittedAt: time.UnixMilli(1_700_000_000_000).UTC(),
		Topic: articlesTopic, MessageID: "4:2:-1:0",
	}
}

// later is a change of row 1 with other texts in place of some, at another position.
func later(lsn string, pairs ...string) *instance.Delivery {
	d := change(1, "articles")
	pairs = append(pairs, `"lsn":100`, `"lsn":`+lsn, `[null,\"100\"]`, `[null,\"`+lsn+`\"]`)
	d.Payload = []byte(strings.NewReplacer(pairs...).Replace(string(d.Payload)))
	return d
}

func TestAPositionThatIsNotKnownIsNotTold(t *testing.T) {
	t.Parallel()
	b, o := newToldBench(t)
	_, e := b.handled(t, o, later("0"))
	require.Equal(t, event.Indexed, e.Outcome)
	require.Empty(t, e.LSN, "0 would be a position before all others")
}

func TestEverySettledRecordIsTold(t *testing.T) {
	t.Parallel()
	b, o := newToldBench(t)

	key, e := b.handled(t, o, change(1, "articles"))
	want := expected(event.Insert, event.Indexed)
	want.Chunks, want.Texts, want.Attempts = 1, 1, 2
	require.Equal(t, want, e)
	require.Equal(t, "app.articles/1", key)

	_, e = b.handled(t, o, later("101", `"c"`, `"u"`, "89.90", "79.90"))
	want = expected(event.Update, event.MetadataOnly)
	want.LSN, want.Chunks, want.Attempts = "101", 1, 1
	require.Equal(t, want, e)

	again := later("99", `"c"`, `"r"`)
	again.Redelivered = 3
	_, e = b.handled(t, o, again)
	want = expected(event.Read, event.Stale)
	want.LSN, want.Redelivered = "99", 3
	require.Equal(t, want, e)

	gone := later("102", `"c"`, `"d"`, `"before":null,"after":{`, `"after":null,"before":{`)
	_, e = b.handled(t, o, gone)
	want = expected(event.Delete, event.Deleted)
	want.LSN, want.Attempts = "102", 1
	require.Equal(t, want, e)

	d := later("103", `"c"`, `"t"`, `"after":{"id":1,"title":"Trail shoe","price":"89.90"}`, `"after":null`)
	d.ID = "4:2:-1:0"
	truncate, err := connector.Decode(connector.Record{Topic: d.Topic, Key: d.Key, Payload: d.Payload})
	require.NoError(t, err)
	b.events.settled(d, truncate, &indexer.Outcome{Kind: indexer.Truncated, At: time.Now()})
	key, e = o.only(t)
	want = expected(event.Truncate, event.Truncated)
	want.LSN, want.Row = "103", ""
	require.Equal(t, want, e)
	require.Equal(t, `{"id":1}`, key)
}

func TestADeadLetterIsToldWithoutItsText(t *testing.T) {
	t.Parallel()
	b, o := newToldBench(t)
	b.endpoint.Control(embedtest.Poison("Trail"))
	_, e := b.handled(t, o, change(1, "articles"))
	want := expected(event.Insert, event.Poison)
	want.Reason, want.Stage, want.Attempts = "bad_request", "embed", e.Attempts
	require.Positive(t, e.Attempts)
	require.Equal(t, want, e)

	d := change(1, "articles")
	d.Payload, d.Key = []byte("Trail shoe, which is not JSON"), `{"id":"`+strings.Repeat("\u00e9", keyBytes)+`"}`
	key, e := b.handled(t, o, d)
	require.Equal(t, event.Event{
		Version: event.Version, Function: "public/default/shop", Instance: 2, Outcome: event.Poison, Reason: "bad_payload",
		Stage: "decode", Attempts: 1, Topic: articlesTopic, MessageID: "4:2:-1:0",
	}, e)
	require.Equal(t, `{"id":"`+strings.Repeat("\u00e9", (keyBytes-len(`{"id":"`))/2), key, "cut, but not inside a character")

	b.tables["app.articles"] = nil
	_, e = b.handled(t, o, change(1, "articles"))
	require.Equal(t, "panic", e.Reason)
	delete(b.tables, "app.articles")
}

func TestWhatIsNoChangeOrNotSettledIsNotTold(t *testing.T) {
	t.Parallel()
	b, o := newToldBench(t)
	heartbeat := &instance.Delivery{Topic: "persistent://public/default/__debezium-heartbeat.store", Payload: []byte(`{"ts_ms":1795250052056}`)}
	require.Equal(t, instance.Ack, within(t, b.handle(t, t.Context(), heartbeat)).Verdict)
	other := change(1, "other")
	other.Pattern = true
	require.Equal(t, instance.Ack, within(t, b.handle(t, t.Context(), other)).Verdict)
	b.endpoint.Control(embedtest.Always(embedtest.Fail(503, "", "down")))
	waiting := b.handle(t, t.Context(), change(1, "articles"))
	b.Drain(endedContext(t))
	require.Equal(t, instance.Abandon, within(t, waiting).Verdict)
	require.Empty(t, o.all)
}

func TestOnlyTheSettlementThatCountsIsTold(t *testing.T) {
	t.Parallel()
	b, o := newToldBench(t)
	d := change(1, "articles")
	c := &connector.Change{Op: connector.Insert, Table: connector.Table{Schema: "app", Name: "articles"}}
	outcome := indexer.Outcome{Kind: indexer.Stale, RowID: "1", At: time.Now()}
	b.settle(d, c, outcome)
	b.settle(d, c, outcome)
	b.condemn(d, "panic", "after it was settled")
	_, e := o.only(t)
	require.Equal(t, event.Stale, e.Outcome)
	require.Zero(t, e.CommittedAt, "the source told none")
}

func TestTheEventsHaveAWordForEveryOutcome(t *testing.T) {
	t.Parallel()
	for kind, word := range map[indexer.Kind]event.Outcome{
		indexer.Indexed: event.Indexed, indexer.MetadataOnly: event.MetadataOnly, indexer.Deleted: event.Deleted, indexer.Stale: event.Stale,
		indexer.Superseded: event.Superseded, indexer.Ignored: event.Ignored, indexer.Poison: event.Poison,
	} {
		require.Equal(t, string(word), string(kind))
		require.Equal(t, kind.Durable(), word.Durable())
	}
	for op, word := range map[connector.Op]event.Operation{
		connector.Insert: event.Insert, connector.Update: event.Update, connector.Delete: event.Delete, connector.Read: event.Read,
		connector.Truncate: event.Truncate,
	} {
		require.Equal(t, string(word), op.String())
	}
}

// nowhere is an outlet for benchmarks.
type nowhere struct{ bytes atomic.Int64 }

func (n *nowhere) Send(_ string, payload []byte) { n.bytes.Add(int64(len(payload))) }

// BenchmarkEvent is what telling an outcome costs the record's path.
func BenchmarkEvent(b *testing.B) {
	d := change(1, "articles")
	d.ID = "123456:789:-1:4"
	c := &connector.Change{
		Op: connector.Update, Table: connector.Table{Schema: "app", Name: "articles"},
		Version: connector.Version{LSN: 24_023_128, CommitTime: time.UnixMilli(1_700_000_000_000)},
	}
	o := &indexer.Outcome{Kind: indexer.Indexed, RowID: "42", At: time.Now(), Chunks: 1, Texts: 1, Attempts: 2}
	for name, e := range map[string]*events{"none": nil, "one": {to: &nowhere{}, function: "public/default/shop"}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				e.settled(d, c, o)
			}
		})
	}
}
