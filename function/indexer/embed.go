package indexer

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
)

// EmbedPool bounds how many requests the endpoint has at a time, over all tables that share it.
type EmbedPool struct {
	embedder Embedder
	slots    chan struct{}
}

// NewEmbedPool returns a pool of at most concurrency requests at a time, at least one.
func NewEmbedPool(e Embedder, concurrency int) *EmbedPool {
	return &EmbedPool{embedder: e, slots: make(chan struct{}, max(1, concurrency))}
}

// embed makes one attempt of one request. A slot is held only meanwhile, so that a request that waits for its next attempt is in
// nobody's way.
func (p *EmbedPool) embed(ctx context.Context, texts []string) ([][]float32, error) {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	vectors, err := p.embedder.Embed(ctx, texts)
	if err == nil && len(vectors) != len(texts) {
		return nil, &fault{
			class: ClassRetry, reason: "bad_answer",
			text: fmt.Sprintf("the embedding endpoint answered %d vectors for %d texts", len(vectors), len(texts)),
		}
	}
	return vectors, err
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

// embedded is the answer to some of the texts of a batch: their vectors, or why there are none.
type embedded struct {
	texts    []string
	vectors  [][]float32
	err      error // poison for a single text, interrupted for any number
	attempts int
}

// embedding is the work of one pass of a batch: several requests at once, each result handed on as soon as it is there.
type embedding struct {
	pool  *EmbedPool
	retry func(ctx context.Context, op func(context.Context) error) (int, error)
	out   chan embedded
}

// start sends all texts off and returns a function that waits until nothing of it runs any more; cancel ctx before to hurry it.
func (e *embedding) start(ctx context.Context, texts []string) (wait func()) {
	requests := e.pool.split(texts)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(cap(e.pool.slots), len(requests)) {
		workers.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(requests) {
					return
				}
				e.request(ctx, requests[i])
			}
		})
	}
	return workers.Wait
}

// request embeds the texts of one request. What the endpoint refuses is bisected down to the texts at fault.
func (e *embedding) request(ctx context.Context, texts []string) {
	proven := false // this request has seen the endpoint take a text
	attempts := 0
	bisect(texts, func(part []string) error {
		var vectors [][]float32
		n, err := e.retry(ctx, func(ctx context.Context) (err error) {
			vectors, err = e.pool.embed(ctx, part)
			if err != nil && len(part) == 1 && !proven && Classify(err) == ClassPoison {
				err = e.prove(ctx, err)
			}
			return err
		})
		attempts += n
		if err != nil {
			return err
		}
		proven = true
		e.emit(ctx, embedded{texts: part, vectors: vectors, attempts: attempts})
		return nil
	}, func(part []string, err error) {
		e.emit(ctx, embedded{texts: part, err: err, attempts: attempts})
	})
}

// plainText is a text that every embedding model takes.
const plainText = "rowvec"

// prove finds out whose fault a refusal is before a record is condemned for it. An endpoint that refuses a plain text as well refuses
// everything, because of a setting (a wrong extra field, say): dead-lettering would empty the topic, so the table halts instead.
func (e *embedding) prove(ctx context.Context, refusal error) error {
	_, err := e.pool.embed(ctx, []string{plainText})
	switch {
	case err == nil:
		return refusal
	case Classify(err) == ClassPoison:
		return &fault{
			class: ClassHalt, reason: "refuses_everything", err: refusal,
			text: "the embedding endpoint refuses every text; check the embedding settings",
		}
	default:
		return err
	}
}

func (e *embedding) emit(ctx context.Context, r embedded) {
	select {
	case e.out <- r:
	case <-ctx.Done():
	}
}
