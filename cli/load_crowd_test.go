package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/event"
	"github.com/rowvec/rowvec/gateway/monitor"
	"github.com/rowvec/rowvec/gateway/stream"
)

// crowd listens to the event stream of a stand.
type crowd struct {
	stand *stand
	heard []*heard
	end   context.CancelFunc
	done  sync.WaitGroup
}

// heard is what one listener has read.
type heard struct {
	ticks, changes int
	late           []time.Duration // of the ticks
	err            error
}

// gather opens the streams and has the function tell of its records.
func (s *stand) gather(t *testing.T, p loadPlan) *crowd {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	c := &crowd{stand: s, end: end}
	t.Cleanup(func() { // should the test have failed
		end()
		c.done.Wait()
	})
	for range p.listeners {
		h := &heard{}
		c.heard = append(c.heard, h)
		body := s.openStream(ctx, t)
		c.done.Go(func() { h.follow(ctx, body) })
	}
	for range p.stuck {
		s.stick(t)
	}
	require.Equal(t, p.listeners+p.stuck, s.server.monitor.Hub().Listeners())
	c.done.Go(func() { s.tell(ctx, p.events) })
	return c
}

func (s *stand) openStream(ctx context.Context, t *testing.T) io.ReadCloser {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/v1/events", http.NoBody)
	require.NoError(t, err)
	answer, err := s.client.Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { _ = answer.Body.Close() })
	require.Equal(t, http.StatusOK, answer.StatusCode)
	return answer.Body
}

// stick opens a stream and reads no more of it than that it begins.
func (s *stand) stick(t *testing.T) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.(*net.TCPConn).SetReadBuffer(2<<10))
	_, err = io.WriteString(conn, "GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
	require.NoError(t, err)
	_, err = io.ReadFull(conn, make([]byte, 12))
	require.NoError(t, err)
}

// tell has the monitor observe outcome events, as if the function had published them.
func (s *stand) tell(ctx context.Context, perSecond int) {
	ticker := time.NewTicker(time.Second / time.Duration(perSecond))
	defer ticker.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			fresh := int64(120)
			s.server.monitor.Observe(&event.Event{
				Function: "public/default/f", Table: loadTable, Row: strconv.Itoa(n), Operation: event.Update, Outcome: event.Indexed, Chunks: 1, Texts: 1, LSN: strconv.Itoa(n),
				CommittedAt: now.Add(-120 * time.Millisecond), SettledAt: now, DurableAt: now, FreshnessMs: &fresh,
			})
		}
	}
}

// follow reads until the stream ends.
func (h *heard) follow(ctx context.Context, body io.Reader) {
	lines, name := bufio.NewScanner(body), ""
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch {
		case field == "event":
			name = value
		case field == "data" && name == "tick":
			var tick monitor.Tick
			if h.err = json.Unmarshal([]byte(value), &tick); h.err != nil {
				return
			}
			h.ticks++
			h.late = append(h.late, time.Since(time.UnixMilli(tick.Time)))
		case field == "data" && name == "change":
			h.changes++
		}
	}
	if ctx.Err() == nil {
		h.err = fmt.Errorf("the stream has ended: %w", lines.Err())
	}
}

// leave ends the listening. Everybody who read has heard everything in time; who did not was cut off, once that was due.
func (c *crowd) leave(t *testing.T, p loadPlan) {
	t.Helper()
	if p.lasts > 2*stream.WriteTimeout {
		require.Equal(t, p.listeners, c.stand.server.monitor.Hub().Listeners(), "listeners that read nothing are cut off")
	}
	c.end()
	c.done.Wait()
	seconds := int(p.lasts.Seconds())
	var late []time.Duration
	changes := 0
	for i, h := range c.heard {
		require.NoError(t, h.err, "listener %d", i)
		require.GreaterOrEqual(t, h.ticks, seconds-1, "listener %d", i)
		require.Greater(t, h.changes, min(p.events, 50)*seconds/2, "listener %d", i)
		late, changes = append(late, h.late...), changes+h.changes
	}
	t.Logf("%d listeners, and %d that read nothing: %d events each; late by %s", p.listeners, p.stuck, changes/len(c.heard), quantiles(late))
	require.LessOrEqual(t, slices.Max(late), p.late)
}
