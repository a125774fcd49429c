package stream

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"time"
)

// Audience is who listens, and what they hear before the stream.
type Audience struct {
	See     func(table string) bool                           // nil: everything
	Opening func(see func(string) bool, resumed bool) []Event // made once the place in the stream is taken: nothing is lost between
}

// Event is a message of the opening.
type Event struct {
	Name string
	Body any    // encoded as JSON
	ID   string // where it is set: of the last message that the opening has in it, behind which the stream goes on
}

// Heartbeat keeps proxies from closing a stream in which nothing happens; WriteTimeout is how long a listener may take to read what
// the connection's buffers do not hold.
const (
	Heartbeat    = 15 * time.Second
	WriteTimeout = 10 * time.Second
)

// Serve answers a request with the stream (WHATWG HTML §9.2) until the listener leaves, falls behind, or ctx or the request ends. The
// server's limit for reading the request stays: it is over when the request has been read, and one that is not must not wait for ever.
func (h *Hub) Serve(ctx context.Context, w http.ResponseWriter, r *http.Request, a Audience) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(r.Context(), cancel)()
	l, resumed := h.Listen(r.Header.Get("Last-Event-ID"))
	defer l.Close()
	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // nginx would hold the events back
	out := &writer{to: w, control: http.NewResponseController(w)}
	events := a.Opening(a.See, resumed)
	for _, e := range events {
		l.after(e.ID)
	}
	if out.opening(events) != nil {
		return
	}
	h.follow(ctx, l, out, a.See)
}

// follow writes what the listener hears. Errors end it: there is nobody left to tell.
func (h *Hub) follow(ctx context.Context, l *Listener, out *writer, see func(string) bool) {
	for {
		wait, cancel := context.WithTimeout(ctx, Heartbeat)
		messages, err := l.Next(wait)
		cancel()
		switch {
		case err == nil:
			err = h.write(out, messages, see)
		case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
			err = out.flush([]byte(":\n\n"))
		}
		if err != nil {
			return
		}
	}
}

func (h *Hub) write(out *writer, messages []*Message, see func(string) bool) error {
	var b bytes.Buffer
	for _, m := range messages {
		data, err := m.encode(see)
		if err != nil {
			return err
		}
		if data != nil {
			frame(&b, h.id(m.seq), m.Event, data)
		}
	}
	if b.Len() == 0 {
		return nil
	}
	return out.flush(b.Bytes())
}

// piece is how many bytes are written at once, each within WriteTimeout.
const piece = 32 << 10

// writer sends whole events.
type writer struct {
	to      http.ResponseWriter
	control *http.ResponseController
}

// opening sends the headers, too, when there are no events.
func (w *writer) opening(events []Event) error {
	b := bytes.NewBufferString("retry: 1000\n\n")
	for _, e := range events {
		data, err := encode(e.Body)
		if err != nil {
			return err
		}
		frame(b, e.ID, e.Name, data)
	}
	return w.flush(b.Bytes())
}

// flush writes in pieces: a line that takes the history slowly, but takes it, is not cut off.
func (w *writer) flush(data []byte) error {
	for len(data) > 0 {
		size := min(len(data), piece)
		if err := w.control.SetWriteDeadline(time.Now().Add(WriteTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
		if _, err := w.to.Write(data[:size]); err != nil {
			return err
		}
		if err := w.control.Flush(); err != nil {
			return err
		}
		data = data[size:]
	}
	return nil
}

// frame writes one event. JSON has no line breaks of its own.
func frame(b *bytes.Buffer, id, event string, data []byte) {
	if id != "" {
		b.WriteString("id: " + id + "\n")
	}
	b.WriteString("event: " + event + "\ndata: ")
	b.Write(data)
	b.WriteString("\n\n")
}
