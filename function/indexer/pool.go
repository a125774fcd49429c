package indexer

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"
)

// EmbedPool is the way to the endpoint, shared by all tables: it bounds how many requests are there at a time, and while the endpoint
// fails it lets one of them try.
type EmbedPool struct {
	embedder Embedder
	slots    *slots
	gate     gate
	lane     chan struct{} // held while a refused request is bisected
	search   chan struct{} // held while a request is searched for texts that stall (stall.go)
	taken    atomic.Int64  // requests that the endpoint took
	voucher  voucher
}

// NewEmbedPool returns a pool of at most concurrency requests at a time, at least one. It takes fewer while the endpoint says that they
// are too many (429), does not answer in time, or answers far slower than it did.
func NewEmbedPool(e Embedder, concurrency int) *EmbedPool {
	return &EmbedPool{embedder: e, slots: newSlots(max(1, concurrency)), lane: make(chan struct{}, 1), search: make(chan struct{}, 1)}
}

// Concurrency is how many requests the pool makes at a time just now.
func (p *EmbedPool) Concurrency() int { return p.slots.size() }

// Request is how one request to the endpoint went.
type Request struct {
	Took     time.Duration // without waiting for a rate limit
	Size     int           // a measure of what was sent, such as tokens: requests are compared with others of about their size
	OK       bool          // it was answered with vectors
	Overload bool          // the endpoint says that it has too much to do, or did not answer in time
}

// Learn adapts the number of requests at a time to how one went. The endpoint's client calls it from within Embed.
func (p *EmbedPool) Learn(r Request) { p.slots.learn(r) }

// embed makes one attempt of one request. A slot is held only meanwhile, so that a request that waits for its next attempt is in
// nobody's way.
func (p *EmbedPool) embed(ctx context.Context, texts []string) ([][]float32, error) {
	if err := p.slots.acquire(ctx); err != nil {
		return nil, err
	}
	defer p.slots.release()
	vectors, err := p.embedder.Embed(ctx, texts)
	if err == nil && (len(vectors) != len(texts) || slices.ContainsFunc(vectors, noVector)) {
		return nil, &fault{
			class: ClassRetry, reason: "bad_answer",
			text: fmt.Sprintf("the embedding endpoint answered %d vectors for %d texts, or empty ones", len(vectors), len(texts)),
		}
	}
	if err == nil {
		p.taken.Add(1)
	}
	return vectors, err
}

func noVector(vector []float32) bool { return len(vector) == 0 }

// enterLane waits until no other request is bisected and returns what ends this one's turn. When ctx ends first, so does whatever is asked in
// it.
func (p *EmbedPool) enterLane(ctx context.Context) (leave func()) {
	select {
	case p.lane <- struct{}{}:
		return func() { <-p.lane }
	case <-ctx.Done():
		return func() {}
	}
}

// split cuts texts into requests.
func (p *EmbedPool) split(texts []string) [][]string {
	var requests [][]string
	for _, n := range p.embedder.Split(texts) {
		if n = min(n, len(texts)); n > 0 {
			requests = append(requests, texts[:n])
			texts = texts[n:]
		}
	}
	if len(texts) > 0 {
		requests = append(requests, texts)
	}
	return requests
}
