package stream_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/gateway/stream"
)

// first publishes a message and returns its id, as a listener hears it.
func first(t *testing.T, h *stream.Hub) string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	w := httptest.NewRecorder()
	var wg sync.WaitGroup
	wg.Go(func() {
		h.Serve(ctx, w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), stream.Audience{Opening: opening})
	})
	synctest.Wait()
	h.Publish("note", note{N: 1})
	synctest.Wait()
	stop()
	wg.Wait()
	_, id, found := strings.Cut(w.Body.String(), "id: ")
	require.True(t, found)
	id, _, _ = strings.Cut(id, "\n")
	return id
}

func TestWhoWasAwayForLongIsNotResumed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := stream.NewHub(1_000)
		id := first(t, h)
		h.Publish("note", note{N: 2})
		<-time.After(stream.MaxAge)
		l, resumed := h.Listen(id)
		l.Close()
		require.True(t, resumed, "it is just in time")
		<-time.After(time.Second)
		l, resumed = h.Listen(id)
		defer l.Close()
		require.False(t, resumed, "what came after its last event is gone")
		h.Publish("note", note{N: 3})
		messages, err := l.Next(t.Context())
		require.NoError(t, err)
		require.Equal(t, []int{3}, heard(messages))
	})
}

func TestTheRingIsBoundedInBytes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := stream.NewHub(1_000)
		id := first(t, h)
		slow, _ := h.Listen("")
		defer slow.Close()
		for n := range 40 {
			h.Publish("note", note{N: n, Table: strings.Repeat("x", 1<<20)})
		}
		_, err := slow.Next(t.Context())
		require.ErrorIs(t, err, stream.ErrBehind)
		l, resumed := h.Listen(id)
		defer l.Close()
		require.False(t, resumed)
	})
}

// line is a connection that takes six seconds for whatever is written at once, and remembers the sizes.
type line struct {
	http.ResponseWriter
	deadline time.Time
	sizes    []int
	text     strings.Builder
}

func (l *line) SetWriteDeadline(at time.Time) error { l.deadline = at; return nil }
func (l *line) Flush()                              {}
func (l *line) Write(data []byte) (int, error) {
	<-time.After(6 * time.Second)
	if time.Now().After(l.deadline) {
		return 0, errors.New("deadline passed")
	}
	l.sizes = append(l.sizes, len(data))
	return l.text.Write(data)
}

func TestWhatWasMissedIsToldInPieces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := stream.NewHub(1_000)
		id := first(t, h)
		for n := range 500 {
			h.Publish("note", note{N: n, Table: strings.Repeat("x", 500)})
		}
		h.Publish("note", note{N: 999, Table: strings.Repeat("y", 100_000)})
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header.Set("Last-Event-ID", id)
		ctx, stop := context.WithCancel(t.Context())
		w := &line{ResponseWriter: httptest.NewRecorder()}
		var wg sync.WaitGroup
		wg.Go(func() { h.Serve(ctx, w, r, stream.Audience{Opening: opening}) })
		<-time.After(2 * time.Minute)
		stop()
		wg.Wait()
		require.Equal(t, 501, strings.Count(w.text.String(), "event: note"))
		require.True(t, strings.HasSuffix(strings.TrimRight(w.text.String(), ":\n"), `"n":999}`))
		for _, size := range w.sizes {
			require.LessOrEqual(t, size, 32<<10, "each piece has its own time")
		}
	})
}

func TestWhatTheOpeningHasIsNotToldAgain(t *testing.T) {
	t.Parallel()
	h := stream.NewHub(10)
	h.Publish("note", note{N: 1})
	open := serve(t, h, stream.Audience{Opening: func(func(string) bool, bool) []stream.Event {
		h.Publish("note", note{N: 2}) // it comes once the listener has its place, and is in the opening
		return []stream.Event{{Name: "history", Body: []int{1, 2}, ID: h.Last()}}
	}})
	r := open("")
	text := read(t, r, "[1,2]\n")
	require.Contains(t, text, "id: ", "who loses the stream here goes on behind the opening")
	h.Publish("note", note{N: 3})
	require.NotContains(t, read(t, r, `"n":3}`), `"n":2}`)
}
