package function

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma/chromatest"
	"github.com/rowvec/rowvec/embed/embedtest"
	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/function/instance"
	"github.com/rowvec/rowvec/function/instance/pulsartest"
)

func TestARecordOverTheLimitIsADeadLetterUnread(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.maxRecord = 1000
	d := change(1, "articles")
	room := b.maxRecord - len(d.Key) - len(d.Payload)
	d.Payload = append(d.Payload, bytes.Repeat([]byte(" "), room)...)
	require.Equal(t, instance.Ack, within(t, b.handle(t, t.Context(), d)).Verdict, "at the limit")

	over := change(2, "articles")
	over.Payload = append(over.Payload, bytes.Repeat([]byte("x"), room+1)...) // it could not be read
	s := within(t, b.handle(t, t.Context(), over))
	require.Equal(t, instance.DeadLetter, s.Verdict)
	require.Equal(t, "over_record_limit", s.Reason)
	require.Equal(t, "decode", s.Stage)
	require.Equal(t, "the record has 1001 bytes, more than userConfig.batch.maxRecordBytes allows: 1000", s.Message)
	require.InDelta(t, 1, b.metrics.user()["rowvec_dead_letters_total{reason=over_record_limit,table=none}"], 0)
	require.Equal(t, instance.Ack, within(t, b.handle(t, t.Context(), change(3, "articles"))).Verdict, "those behind it go on")
}

// whole is the function from its subscription to the index, on fakes, in this process.
type whole struct {
	*testing.T
	broker   *pulsartest.Broker
	endpoint *embedtest.Server
	index    *chromatest.Server
	instance *instance.Instance
	next     int
}

const wholeTopic = "persistent://public/default/store.app.articles"

func newWhole(t *testing.T, batch map[string]any) *whole {
	t.Helper()
	w := &whole{T: t, broker: pulsartest.New(), endpoint: embedtest.New(embedtest.Options{Dimensions: 8}), index: chromatest.New(t)}
	t.Cleanup(w.endpoint.Close)
	settings, err := json.Marshal(map[string]any{
		"embedding": map[string]any{"baseURL": w.endpoint.URL(), "model": "m", "dimensions": 8}, "chroma": map[string]any{"url": w.index.URL},
		"batch": batch, "tables": map[string]any{"app.articles": map[string]any{"collection": "articles", "text": "{{.title}}"}},
	})
	require.NoError(t, err)
	conf := &instance.Conf{
		Tenant: "public", Namespace: "default", Name: "f", Parallelism: 1, Inputs: []instance.Input{{Topic: wholeTopic}},
		ServiceURL: "pulsar://127.0.0.1:1", Subscription: instance.Subscription{Name: "f", Position: instance.Earliest},
	}
	require.NoError(t, json.Unmarshal(settings, &conf.UserConfig))
	log := slog.New(slog.DiscardHandler)
	w.instance, err = instance.Open(conf, instance.Options{Log: log})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	f := &life{instance: w.instance, conf: conf, log: log, settings: instance.Settings{NewClient: w.broker.Client}}
	ended := make(chan struct{})
	go func() { defer close(ended); f.serve(ctx) }()
	t.Cleanup(func() {
		stop()
		<-ended
		limit, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		require.NoError(t, w.instance.Close(limit))
	})
	require.Eventually(t, func() bool { return w.broker.Count("subscribe "+wholeTopic) == 1 }, 5*time.Second, time.Millisecond)
	return w
}

// publish puts n rows with so many bytes in the topic.
func (w *whole) publish(n, size int) {
	w.Helper()
	for range n {
		w.next++
		d := change(w.next, "articles")
		body := strings.Replace(string(d.Payload), `"price":`, `"unused":"`+strings.Repeat("u", size)+`","price":`, 1)
		body = strings.Replace(body, "Trail shoe", fmt.Sprintf("Trail shoe %d", w.next), 1)
		w.broker.Publish(wholeTopic, &pulsartest.Message{K: d.Key, Body: []byte(body)})
	}
}

func (w *whole) settled() int { return w.broker.Count("ack " + wholeTopic) }

func (w *whole) eventually(reached func() bool, what string) {
	w.Helper()
	require.Eventually(w, reached, 30*time.Second, 2*time.Millisecond, what)
}

// What a backlog of large records puts in memory while the endpoint stands still is what the formula says (README, Limits).
func TestWhatIsTakenStaysUnderTheBoundWhileTheEndpointStandsStill(t *testing.T) {
	t.Parallel()
	const size, records, bound = 100 << 10, 60, 2 * 512 << 10
	w := newWhole(t, map[string]any{"maxBytes": 512 << 10, "inFlight": 2})
	down := embedtest.Always(embedtest.Fail(http.StatusServiceUnavailable, "", "down"))
	w.endpoint.Control(down)
	w.publish(records, size)
	taken := func() int { return int(w.instance.Stats().Total.Received) }
	w.eventually(func() bool { return taken() >= 5 && w.endpoint.Stats().Requests > 2 }, "the function is at work")
	require.Never(t, func() bool { return taken() > bound/size+1 }, time.Second, 5*time.Millisecond, "the bound, and one record")
	require.Zero(t, w.settled())
	w.endpoint.Control(nil)
	w.eventually(func() bool { return w.settled() == records }, "all get in")
	require.Len(t, w.index.Records("articles"), records)
}

// goroutines counts the process's, apart from those of HTTP connections and of the test itself.
func goroutines(t *testing.T) (n, connections int) {
	t.Helper()
	var text bytes.Buffer
	require.NoError(t, pprof.Lookup("goroutine").WriteTo(&text, 2))
	for stack := range strings.SplitSeq(text.String(), "\n\n") {
		switch {
		case strings.Contains(stack, "testify"), strings.Contains(stack, "testing.tRunner"):
		case strings.Contains(stack, "net/http."):
			connections++
		default:
			n++
		}
	}
	return n, connections
}

// TestGoroutinesAreAsManyAfterOutagesAsBefore is not parallel: it counts the goroutines of the process.
func TestGoroutinesAreAsManyAfterOutagesAsBefore(t *testing.T) { //nolint:paralleltest // it counts
	const each = 40
	w := newWhole(t, map[string]any{"maxRecords": 8})
	suffer := func() {
		done := w.settled()
		w.endpoint.Control(embedtest.Times(4, embedtest.Always(embedtest.Fail(http.StatusServiceUnavailable, "", "down"))))
		w.broker.Script("receive "+wholeTopic, pulsartest.Fault{}, pulsartest.Fault{}, pulsartest.Fault{Err: pulsartest.ErrClosed})
		w.publish(each, 10)
		w.broker.Publish(wholeTopic, &pulsartest.Message{K: "poison", Body: []byte("not JSON")})
		w.eventually(func() bool { return w.settled() == done+each+1 }, "the outage is over")
	}
	suffer()
	before, _ := goroutines(t)
	for range 4 {
		suffer()
	}
	w.eventually(func() bool { now, _ := goroutines(t); return now <= before }, fmt.Sprintf("there were %d goroutines before", before))
	_, connections := goroutines(t)
	require.LessOrEqual(t, connections, 40, "those of HTTP connections, on both ends, which are kept for a while")
	require.Positive(t, w.instance.Stats().Total.Exceptions[instance.UserException])
}

// The figures of README, Limits.
func TestTheBoundOfMemory(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.Embedding.Dimensions = 384
	c.Tables = map[string]config.Table{"app.a": {Collection: "one"}, "app.b": {Collection: "one"}}
	const mib = 1 << 20
	require.EqualValues(t, (128+4*(4*8+1*8)+16*8+24)*mib, memoryBound(&c, 1))
	require.EqualValues(t, (128+4*(4*8+3*8)+16*8+24)*mib, memoryBound(&c, 3), "each input may go over by a record")
	c.Tables["app.c"] = config.Table{Collection: "two"}
	require.EqualValues(t, (128+4*(4*8+1*8)+16*8+2*24)*mib, memoryBound(&c, 1))
	c.Batch = config.Batch{MaxBytes: mib, InFlight: 2, MaxRecordBytes: 2 * mib}
	c.Embedding.Dimensions = 0
	require.EqualValues(t, (128+4*(2+2)+16*2+2*96)*mib, memoryBound(&c, 1))
	c.Tables["app.b"] = config.Table{Collection: "one", Chunk: &config.Chunk{Tokens: 256, Overlap: 128}}
	c.Tables["app.c"] = config.Table{Collection: "two", Chunk: &config.Chunk{Tokens: 40, Overlap: 8}}
	require.EqualValues(t, (128+4*(2+2)+16*2+2*96+(2+2)*1536/32)*mib, memoryBound(&c, 1), "the vectors of the chunks")
}
