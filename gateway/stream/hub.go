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
	once sync.Once
	full []byte // encoded for those who may see everything
	err  error
}

// encode returns the message's data for one listener, nil when it has nothing for them.
func (m *Message) encode(see func(string) bool) ([]byte, error) {
	if see != nil {
		return encode(m.Body.For(see))
	}
	m.once.Do(func() { m.full, m.err = encode(m.Body.For(nil)) })
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

// Hub is the ring. It needs no goroutine.
type Hub struct {
	start int64 // ms since 1970: ids of an earlier life are told apart by it

	mu        sync.Mutex
	ring      []*Message // ring[seq % len]
	next      uint64     // of the message to come; the first is 1
	published chan struct{}
	listeners int
}

// NewHub returns a hub that keeps the last size messages.
func NewHub(size int) *Hub {
	return &Hub{start: time.Now().UnixMilli(), ring: make([]*Message, max(size, 1)), next: 1, published: make(chan struct{})}
}

// Publish hands a message to all listeners. It never waits for them.
func (h *Hub) Publish(event string, body Body) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m := &Message{Event: event, Body: body, seq: h.next}
	h.ring[h.next%uint64(len(h.ring))] = m
	h.next++
	close(h.published)
	h.published = make(chan struct{})
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
	h.listeners++
	l = &Listener{hub: h, next: h.next}
	if seq, ok := h.parse(lastID); ok && seq < h.next && seq+1 >= h.oldest() {
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

// Next returns the messages since the last call, at least one, and waits for it. It fails with ErrBehind, or with the context's error.
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
	if l.next < h.oldest() {
		return nil, nil, ErrBehind
	}
	var messages []*Message
	for ; l.next < h.next; l.next++ {
		messages = append(messages, h.ring[l.next%uint64(len(h.ring))])
	}
	return messages, h.published, nil
}

// oldest is the first message still in the ring, or the one to come.
func (h *Hub) oldest() uint64 {
	size := uint64(len(h.ring))
	if h.next <= size {
		return 1
	}
	return h.next - size
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
