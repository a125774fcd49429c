// Package stream sends what happens to any number of listeners as server-sent events. All of them read from one ring: a listener
// costs a goroutine and no buffer, and one that is too slow loses its place instead of holding the others.
package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ErrBehind tells a listener that what it would have read next is gone from the ring.
var ErrBehind = errors.New("the listener is too far behind")

// Body is what a message says. For returns what someone may see of it, to be encoded as JSON, or nil when that is nothing; see
// tells which tables are allowed, and nil allows all.
type Body interface {
	For(see func(table string) bool) any
}

// Message is one event. It must not be changed once it is published.
type Message struct {
	Event string // the name that a browser listens for
	Body  Body

	seq  uint64
	at   time.Time
	full []byte // encoded for those who may see everything
	err  error
}

// encode returns the message's data for one listener, nil when it has nothing for them.
func (m *Message) encode(see func(string) bool) ([]byte, error) {
	if see != nil {
		return encode(m.Body.For(see))
	}
	return m.full, m.err
}

func encode(body any) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	data, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode an event: %w", err)
	}
	return data, nil
}

// What the ring keeps, beside its size. It is for listeners that were away for a moment: who was away for longer wants the picture, and
// not each event on the way to it.
const (
	MaxAge   = 5 * time.Minute
	maxBytes = 16 << 20 // encoded; the bodies themselves weigh about as much again
)

// Hub is the ring. It needs no goroutine.
type Hub struct {
	start int64 // ms since 1970: ids of an earlier life are told apart by it

	mu        sync.Mutex
	ring      []*Message // ring[seq % len]
	oldest    uint64     // the first message that is kept, or the one to come
	next      uint64     // of the message to come; the first is 1
	bytes     int        // of those kept
	published chan struct{}
	listeners int
}

// NewHub returns a hub that keeps the last size messages, for MaxAge at most.
func NewHub(size int) *Hub {
	return &Hub{start: time.Now().UnixMilli(), ring: make([]*Message, max(size, 1)), oldest: 1, next: 1, published: make(chan struct{})}
}

// Publish hands a message to all listeners. It never waits for them.
func (h *Hub) Publish(event string, body Body) {
	m := &Message{Event: event, Body: body, at: time.Now()}
	m.full, m.err = encode(body.For(nil))
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.next-h.oldest == uint64(len(h.ring)) {
		h.drop()
	}
	m.seq = h.next
	h.ring[m.seq%uint64(len(h.ring))] = m
	h.next++
	h.bytes += len(m.full)
	h.trim(m.at)
	close(h.published)
	h.published = make(chan struct{})
}

// trim lets go of what is too old or too much. The caller holds mu.
func (h *Hub) trim(now time.Time) {
	for h.oldest < h.next && (h.bytes > maxBytes || now.Sub(h.ring[h.oldest%uint64(len(h.ring))].at) > MaxAge) {
		h.drop()
	}
}

// drop forgets the oldest message. The caller holds mu.
func (h *Hub) drop() {
	at := h.oldest % uint64(len(h.ring))
	h.bytes -= len(h.ring[at].full)
	h.ring[at] = nil
	h.oldest++
}

// Last returns the id of the newest message: an opening made now has all up to it.
func (h *Hub) Last() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.id(h.next - 1)
}

// Listeners returns how many there are.
func (h *Hub) Listeners() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.listeners
}

// Listener is one reader's place in the ring. It belongs to one goroutine, which must call Close.
type Listener struct {
	hub  *Hub
	next uint64
}

// Listen returns a listener that goes on after the message lastID. Where that is not possible (no id, one of an earlier life, or one
// that is gone from the ring) it begins with what comes now, and resumed is false.
func (h *Hub) Listen(lastID string) (l *Listener, resumed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.trim(time.Now())
	h.listeners++
	l = &Listener{hub: h, next: h.next}
	if seq, ok := h.parse(lastID); ok && seq < h.next && seq+1 >= h.oldest {
		l.next, resumed = seq+1, true
	}
	return l, resumed
}

// Close gives the place up.
func (l *Listener) Close() {
	l.hub.mu.Lock()
	defer l.hub.mu.Unlock()
	l.hub.listeners--
}

// after goes on behind the message of that id, if it is before it yet.
func (l *Listener) after(id string) {
	if seq, ok := l.hub.parse(id); ok {
		l.next = max(l.next, seq+1)
	}
}

// most is how many messages Next returns at once.
const most = 256

// Next returns messages that came since the last call, at least one, and waits for it. It fails with ErrBehind, or with the context's error.
func (l *Listener) Next(ctx context.Context) ([]*Message, error) {
	for {
		messages, published, err := l.take()
		if err != nil || len(messages) > 0 {
			return messages, err
		}
		select {
		case <-published:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (l *Listener) take() ([]*Message, <-chan struct{}, error) {
	h := l.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if l.next < h.oldest {
		return nil, nil, ErrBehind
	}
	messages := make([]*Message, 0, min(most, h.next-l.next))
	for ; l.next < h.next && len(messages) < most; l.next++ {
		messages = append(messages, h.ring[l.next%uint64(len(h.ring))])
	}
	return messages, h.published, nil
}

// id is a message's id for Last-Event-ID.
func (h *Hub) id(seq uint64) string {
	return strconv.FormatInt(h.start, 10) + "-" + strconv.FormatUint(seq, 10)
}

func (h *Hub) parse(id string) (uint64, bool) {
	start, seq, ok := strings.Cut(id, "-")
	if !ok || start != strconv.FormatInt(h.start, 10) {
		return 0, false
	}
	n, err := strconv.ParseUint(seq, 10, 64)
	return n, err == nil
}
