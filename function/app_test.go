package function

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma/chromatest"
	"github.com/rowvec/rowvec/embed/embedtest"
	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/function/instance"
)

// spoken collects what the app says of itself.
type spoken struct {
	mu         sync.Mutex
	conditions map[string]string
	exceptions []string
}

func (s *spoken) SetCondition(source, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conditions[source] = text
}

func (s *spoken) RecordException(_ instance.ExceptionKind, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.exceptions = append(s.exceptions, err.Error())
}

func (s *spoken) of(source string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conditions[source]
}

// bench is an app on fakes.
type bench struct {
	*app
	spoken   *spoken
	endpoint *embedtest.Server
	index    *chromatest.Server
}

func newBench(tb testing.TB, metadata ...any) *bench {
	tb.Helper()
	return benchWith(tb, func(_, table map[string]any) { table["metadata"] = append(metadata, "price") })
}

// benchWith is a bench with other settings.
func benchWith(tb testing.TB, edits ...func(embedding, table map[string]any)) *bench {
	tb.Helper()
	endpoint := embedtest.New(embedtest.Options{Dimensions: 8})
	tb.Cleanup(endpoint.Close)
	index := chromatest.New(tb)
	embedding := map[string]any{"baseURL": endpoint.URL(), "model": "m", "dimensions": 8}
	table := map[string]any{"collection": "articles", "text": "{{.title}}"}
	for _, edit := range edits {
		edit(embedding, table)
	}
	c, err := config.Parse(map[string]any{
		"embedding": embedding, "chroma": map[string]any{"url": index.URL}, "tables": map[string]any{"app.articles": table},
	})
	require.NoError(tb, err)
	m, err := newMetrics(prometheus.NewRegistry())
	require.NoError(tb, err)
	s := &spoken{conditions: map[string]string{}}
	a, err := newApp(c, 1, func(string) (string, bool) { return "", false }, m, s, slog.New(slog.DiscardHandler))
	require.NoError(tb, err)
	a.start(tb.Context())
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		a.Drain(ctx)
		a.close()
	})
	return &bench{app: a, spoken: s, endpoint: endpoint, index: index}
}

// handle gives the app a message and returns what became of it.
func (b *bench) handle(t *testing.T, ctx context.Context, d *instance.Delivery) <-chan instance.Settlement { //nolint:revive // t first reads better in a test
	t.Helper()
	settled := make(chan instance.Settlement, 1)
	d.OnSettle(func(s instance.Settlement) { settled <- s })
	b.Handle(ctx, d)
	return settled
}

func within(t *testing.T, settled <-chan instance.Settlement) instance.Settlement {
	t.Helper()
	select {
	case s := <-settled:
		return s
	case <-time.After(10 * time.Second):
		require.Fail(t, "the message was not settled")
		return instance.Settlement{}
	}
}

const created = `{"before":null,"after":{"id":%d,"title":"Trail shoe","price":"89.90"},"op":"c","ts_ms":1,"source":{"schema":"app","table":"%s","lsn":100,"sequence":"[null,\"100\"]","ts_ms":1700000000000,"snapshot":"false"}}`

func change(id int, table string) *instance.Delivery {
	return &instance.Delivery{
		Topic: "persistent://public/default/store.app." + table, Key: fmt.Sprintf(`{"id":%d}`, id),
		Payload: fmt.Appendf(nil, created, id, table), Received: time.Now(),
	}
}

func TestAChangeBecomesARecordAndIsAcknowledged(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := within(t, b.handle(t, t.Context(), change(1, "articles")))
	require.Equal(t, instance.Settlement{Verdict: instance.Ack}, s)
	records := b.index.Records("articles")
	require.Len(t, records, 1)
	require.Equal(t, "Trail shoe", *records["1"].Document)
	require.Equal(t, "89.90", records["1"].Metadata["price"])

	figures := b.metrics.user()
	require.InDelta(t, 1, figures["rowvec_records_total{outcome=indexed,table=app.articles}"], 0)
	require.InDelta(t, 1, figures["rowvec_freshness_seconds_count"], 0)
	require.InDelta(t, 1, figures["rowvec_embed_requests_total{code=200}"], 0)
	require.InDelta(t, 1, figures["rowvec_embed_texts_total"], 0)
	require.InDelta(t, 1, figures["rowvec_state{state=running,table=app.articles}"], 0)
	require.InDelta(t, 0, figures["rowvec_in_flight_records{table=app.articles}"], 0)
	require.Greater(t, figures["rowvec_chroma_duration_seconds_count{op=add}"], 0.5)
	require.Greater(t, figures["rowvec_chroma_requests_total{code=200,op=add}"], 0.5)
	require.WithinDuration(t, time.Now(), time.Unix(int64(figures["rowvec_last_success_timestamp_seconds"]), 0), time.Minute)
}

func TestMalformedMessagesAreDeadLetteredWithTheirReason(t *testing.T) {
	t.Parallel()
	whole := string(change(1, "articles").Payload)
	for reason, payload := range map[string]string{
		"bad_payload":       "not JSON",
		"bad_envelope":      `{"sensor":"x","temperature":21.5}`, // a topic of another schema
		"missing_source":    `{"before":null,"after":{"id":1,"title":"t"},"op":"c"}`,
		"unknown_operation": strings.Replace(whole, `"op":"c"`, `"op":"z"`, 1),
		"key_mismatch":      strings.Replace(whole, `"id":1`, `"id":2`, 1),
		"missing_row":       strings.Replace(whole, `"op":"c"`, `"op":"c","after":null`, 1),
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			d := change(1, "articles")
			d.Payload = []byte(payload)
			s := within(t, b.handle(t, t.Context(), d))
			require.Equal(t, instance.DeadLetter, s.Verdict)
			require.Equal(t, reason, s.Reason, s.Message)
			require.Equal(t, "decode", s.Stage)
			require.InDelta(t, 1, b.metrics.user()["rowvec_records_total{outcome=poison,table=none}"], 0)
			require.InDelta(t, 1, b.metrics.user()["rowvec_dead_letters_total{reason="+s.Reason+",table=none}"], 0)
			require.Equal(t, instance.Ack, within(t, b.handle(t, t.Context(), change(2, "articles"))).Verdict, "those behind it go on")
		})
	}
	t.Run("truncated", func(t *testing.T) {
		t.Parallel()
		b := newBench(t)
		for n := range len(whole) {
			d := change(1, "articles")
			d.Payload = d.Payload[:n]
			s := within(t, b.handle(t, t.Context(), d))
			if n > 0 { // an empty payload with a key is a tombstone
				require.Equal(t, instance.DeadLetter, s.Verdict, whole[:n])
			}
		}
	})
}

func TestATextTooLargeForTheEndpointIsDeadLettered(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.endpoint.Control(func(r *embedtest.Request) *embedtest.Response {
		if strings.Contains(r.Texts[0], "Trail") {
			return embedtest.Fail(413, "", "too long")
		}
		return nil
	})
	s := within(t, b.handle(t, t.Context(), change(1, "articles")))
	require.Equal(t, instance.DeadLetter, s.Verdict)
	require.Equal(t, "too_large", s.Reason)
}

func TestATemplateThatNamesAMissingColumnHaltsTheTable(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	d := change(1, "articles")
	d.Payload = []byte(strings.Replace(string(d.Payload), `"title"`, `"titel"`, 1))
	settled := b.handle(t, t.Context(), d)
	require.Eventually(t, func() bool { return strings.Contains(b.spoken.of("table app.articles"), "halted") }, 5*time.Second, time.Millisecond)
	require.Contains(t, b.spoken.of("table app.articles"), "tables.app.articles.text")
	require.Contains(t, b.spoken.of("table app.articles"), "title")
	require.Empty(t, settled, "nothing of it is lost")
	require.InDelta(t, 1, b.metrics.user()["rowvec_state{state=halted,table=app.articles}"], 0)
}

func TestPoisonOfATableNamesItsRow(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.endpoint.Control(embedtest.Poison("Trail"))
	s := within(t, b.handle(t, t.Context(), change(7, "articles")))
	require.Equal(t, instance.DeadLetter, s.Verdict)
	require.Equal(t, "bad_request", s.Reason)
	require.Equal(t, "embed", s.Stage)
	require.Equal(t, "app.articles", s.Table)
	require.Equal(t, "7", s.RowID)
	require.Equal(t, "100@1700000000000", s.Version)
	require.InDelta(t, 1, b.metrics.user()["rowvec_dead_letters_total{reason=bad_request,table=app.articles}"], 0)
	require.Positive(t, s.Attempts)
}

func TestAPanicIsADeadLetterAndNotTheEndOfTheProcess(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.tables["app.articles"] = nil // what no record should be able to bring about
	s := within(t, b.handle(t, t.Context(), change(1, "articles")))
	require.Equal(t, instance.DeadLetter, s.Verdict)
	require.Equal(t, "panic", s.Reason)
	delete(b.tables, "app.articles")
}

func TestFailedRequestsEmbedNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.endpoint.Control(embedtest.Times(1, embedtest.Always(embedtest.Fail(503, "", "overloaded"))))
	require.Equal(t, instance.Ack, within(t, b.handle(t, t.Context(), change(1, "articles"))).Verdict)
	require.InDelta(t, 1, b.metrics.user()["rowvec_embed_texts_total"], 0)
}

func TestTooManyRequestsAtATimeBecomeFewer(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	require.InDelta(t, 4, b.metrics.user()["rowvec_embed_concurrency"], 0)
	var both sync.WaitGroup // one that is alone is not too many
	both.Add(2)
	b.endpoint.Control(embedtest.Times(2, func(*embedtest.Request) *embedtest.Response {
		both.Done()
		both.Wait()
		return embedtest.Fail(429, "", "slow down")
	}))
	first, second := b.handle(t, t.Context(), change(1, "articles")), b.handle(t, t.Context(), change(2, "articles"))
	require.Equal(t, instance.Ack, within(t, first).Verdict)
	require.Equal(t, instance.Ack, within(t, second).Verdict)
	require.InDelta(t, 2, b.metrics.user()["rowvec_embed_concurrency"], 0)
}

func TestControlRecordsAreAcknowledgedAndCounted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	d := &instance.Delivery{Topic: "persistent://public/default/__debezium-heartbeat.store", Key: `{"serverName":"store"}`, Payload: []byte(`{"ts_ms":1795250052056}`)}
	require.Equal(t, instance.Ack, within(t, b.handle(t, t.Context(), d)).Verdict)
	require.InDelta(t, 1, b.metrics.user()["rowvec_records_total{outcome=ignored,table=none}"], 0)
}

func TestAnOutageIsShownAndPasses(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.endpoint.Control(embedtest.Times(2, embedtest.Always(embedtest.Fail(503, "", "overloaded"))))
	s := within(t, b.handle(t, t.Context(), change(1, "articles")))
	require.Equal(t, instance.Ack, s.Verdict)
	require.Eventually(t, func() bool { return b.spoken.of("table app.articles") == "" }, 5*time.Second, time.Millisecond)
	require.NotEmpty(t, b.spoken.exceptions)
	require.Contains(t, b.spoken.exceptions[0], "503")
	require.InDelta(t, 2, b.metrics.user()["rowvec_embed_requests_total{code=503}"], 0)
}

func endedContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func TestWhatIsNotDurableAtTheEndIsAbandoned(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.endpoint.Control(embedtest.Always(embedtest.Fail(503, "", "down")))
	settled := b.handle(t, t.Context(), change(1, "articles"))
	b.Drain(endedContext(t))
	require.Equal(t, instance.Settlement{Verdict: instance.Abandon}, within(t, settled))
	require.Equal(t, instance.Abandon, within(t, b.handle(t, t.Context(), change(2, "articles"))).Verdict, "nothing is taken after a drain")
}
