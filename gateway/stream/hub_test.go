package stream_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rowvec/rowvec/gateway/stream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// note is a body about one table.
type note struct {
	Table string `json:"table"`
	N     int    `json:"n"`
}

func (n note) For(see func(string) bool) any {
	if see != nil && !see(n.Table) {
		return nil
	}
	return n
}

// heard turns messages into the numbers that they carry.
func heard(messages []*stream.Message) []int {
	var ns []int
	for _, m := range messages {
		ns = append(ns, m.Body.(note).N)
	}
	return ns
}

func TestListenersHearWhatComesAfterThem(t *testing.T) {
	t.Parallel()
	h := stream.NewHub(10)
	h.Publish("note", note{N: 1})
	l, resumed := h.Listen("")
	defer l.Close()
	require.False(t, resumed)
	require.Equal(t, 1, h.Listeners())
	h.Publish("note", note{N: 2})
	h.Publish("note", note{N: 3})
	messages, err := l.Next(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int{2, 3}, heard(messages))
}

func TestNextWaitsForOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := stream.NewHub(10)
		l, _ := h.Listen("")
		defer l.Close()
		var got []int
		var wg sync.WaitGroup
		wg.Go(func() {
			messages, err := l.Next(t.Context())
			if err == nil {
				got = heard(messages)
			}
		})
		synctest.Wait()
		require.Empty(t, got)
		h.Publish("note", note{N: 7})
		wg.Wait()
		require.Equal(t, []int{7}, got)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := l.Next(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

// TestAListenerGoesOnWhereNothingIsMissing: what it heard last may be gone, what comes after it may not.
func TestAListenerGoesOnWhereNothingIsMissing(t *testing.T) {
	t.Parallel()
	h := stream.NewHub(3)
	ids := []string{h.Last()}
	for n := 1; n <= 5; n++ {
		h.Publish("note", note{N: n})
		ids = append(ids, h.Last())
	}
	for heardLast, want := range map[int][]int{2: {3, 4, 5}, 3: {4, 5}, 4: {5}} {
		l, resumed := h.Listen(ids[heardLast])
		require.True(t, resumed, heardLast)
		messages, err := l.Next(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, heard(messages))
		l.Close()
	}
	for heardLast, want := range map[int]bool{0: false, 1: false, 5: true} {
		l, resumed := h.Listen(ids[heardLast])
		require.Equal(t, want, resumed, heardLast)
		l.Close()
	}
}

func TestAListenerThatIsTooSlowLosesItsPlaceAlone(t *testing.T) {
	t.Parallel()
	h := stream.NewHub(3)
	slow, _ := h.Listen("")
	quick, _ := h.Listen("")
	for n := 1; n <= 4; n++ {
		h.Publish("note", note{N: n})
		messages, err := quick.Next(t.Context())
		require.NoError(t, err)
		require.Equal(t, []int{n}, heard(messages))
	}
	_, err := slow.Next(t.Context())
	require.ErrorIs(t, err, stream.ErrBehind)
	slow.Close()
	quick.Close()
	require.Zero(t, h.Listeners())
}

// read collects the stream's text until it holds want.
func read(t *testing.T, r *bufio.Reader, want string) string {
	t.Helper()
	var all strings.Builder
	for !strings.Contains(all.String(), want) {
		line, err := r.ReadString('\n')
		all.WriteString(line)
		if err != nil {
			require.NoError(t, err, "read so far: %s", all.String())
		}
	}
	return all.String()
}

// serve starts a server for the hub; what it returns opens a stream.
func serve(t *testing.T, h *stream.Hub, a stream.Audience) func(lastID string) *bufio.Reader {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.Serve(ctx, w, r, a) }))
	client := server.Client()
	t.Cleanup(func() {
		stop()
		client.CloseIdleConnections()
		server.Close()
	})
	return func(lastID string) *bufio.Reader {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
		require.NoError(t, err)
		r.Header.Set("Last-Event-ID", lastID)
		answer, err := client.Do(r)
		require.NoError(t, err)
		t.Cleanup(func() { _ = answer.Body.Close() })
		require.Equal(t, "text/event-stream", answer.Header.Get("Content-Type"))
		return bufio.NewReader(answer.Body)
	}
}

func opening(_ func(string) bool, resumed bool) []stream.Event {
	return []stream.Event{{Name: "hello", Body: map[string]bool{"resumed": resumed}}}
}

func TestTheStreamResumesAfterTheLastEventHeard(t *testing.T) {
	t.Parallel()
	h := stream.NewHub(10)
	open := serve(t, h, stream.Audience{Opening: opening})
	first := open("")
	require.Contains(t, read(t, first, "}\n"), "event: hello\ndata: {\"resumed\":false}\n")
	h.Publish("note", note{N: 1})
	text := read(t, first, "}\n")
	require.Contains(t, text, "event: note\ndata: {\"table\":\"\",\"n\":1}\n")
	id := text[strings.Index(text, "id: ")+4:]
	id = id[:strings.IndexByte(id, '\n')]

	h.Publish("note", note{N: 2})
	h.Publish("note", note{N: 3})
	text = read(t, open(id), `"n":3}`)
	require.Contains(t, text, `{"resumed":true}`)
	require.Contains(t, text, `"n":2}`)
	require.NotContains(t, text, `"n":1}`)

	start, _, _ := strings.Cut(id, "-")
	for _, stranger := range []string{"1-1", "x", "-", start + "-999", start + "-x", start} {
		require.Contains(t, read(t, open(stranger), "}\n"), `{"resumed":false}`, stranger)
	}
}

func TestAStreamShowsNoOtherTables(t *testing.T) {
	t.Parallel()
	h := stream.NewHub(10)
	open := serve(t, h, stream.Audience{See: func(table string) bool { return table == "mine" }, Opening: opening})
	r := open("")
	read(t, r, "}\n")
	h.Publish("note", note{Table: "theirs", N: 1})
	h.Publish("note", note{Table: "mine", N: 2})
	text := read(t, r, `"n":2}`)
	require.NotContains(t, text, "theirs")
}

func TestManyListenersHearTheSame(t *testing.T) {
	t.Parallel()
	h := stream.NewHub(1_000)
	open := serve(t, h, stream.Audience{Opening: opening})
	readers := make([]*bufio.Reader, 50)
	for i := range readers {
		readers[i] = open("")
		read(t, readers[i], "}\n")
	}
	require.Equal(t, 50, h.Listeners())
	for n := range 100 {
		h.Publish("note", note{N: n})
	}
	for _, r := range readers {
		text := read(t, r, `"n":99}`)
		for n := range 100 {
			require.Contains(t, text, fmt.Sprintf(`"n":%d}`, n))
		}
	}
}

// stuck is a connection whose listener reads nothing.
type stuck struct {
	http.ResponseWriter
	deadline time.Time
}

func (s *stuck) SetWriteDeadline(at time.Time) error { s.deadline = at; return nil }
func (s *stuck) Flush()                              {}
func (s *stuck) Write(data []byte) (int, error) {
	if strings.Contains(string(data), "note") {
		<-time.After(time.Until(s.deadline))
		return 0, errors.New("deadline passed")
	}
	return len(data), nil
}

func TestAListenerThatReadsNothingIsCutOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := stream.NewHub(10)
		begin := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			h.Serve(t.Context(), &stuck{ResponseWriter: httptest.NewRecorder()}, r, stream.Audience{Opening: opening})
		})
		synctest.Wait()
		h.Publish("note", note{N: 1})
		wg.Wait()
		require.Equal(t, stream.WriteTimeout, time.Since(begin))
		require.Zero(t, h.Listeners())
	})
}

func TestASilentStreamHasAHeartbeat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := stream.NewHub(10)
		ctx, stop := context.WithTimeout(t.Context(), 3*stream.Heartbeat+time.Second)
		defer stop()
		w := httptest.NewRecorder()
		h.Serve(ctx, w, httptest.NewRequest(http.MethodGet, "/", nil), stream.Audience{Opening: opening})
		require.Equal(t, 3, strings.Count(w.Body.String(), "\n:\n"))
	})
}

func BenchmarkPublishToFiftyListeners(b *testing.B) {
	h := stream.NewHub(100_000)
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			l, _ := h.Listen("")
			defer l.Close()
			for {
				if _, err := l.Next(ctx); err != nil {
					return
				}
			}
		})
	}
	b.ReportAllocs()
	for b.Loop() {
		h.Publish("note", note{N: 1})
	}
	stop()
	wg.Wait()
}
