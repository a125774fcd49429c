package indexer

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// embedded is the answer to some of the texts of a batch: their vectors, or why there are none.
type embedded struct {
	texts    []string
	vectors  [][]float32
	err      error // poison for a single text, interrupted for any number
	stalls   bool  // err is what the endpoint fails with on this text, while it takes others
	attempts int
}

// embedding is the work of one pass of a batch: several requests at once, each result handed on as soon as it is there.
type embedding struct {
	pool  *EmbedPool
	retry func(ctx context.Context, g *gate, over *bool, op func(context.Context) error) (int, error)
	out   chan embedded
}

// start sends all texts off and returns a function that waits until nothing of it runs any more; cancel ctx before to hurry it.
func (e *embedding) start(ctx context.Context, texts []string) (wait func()) {
	requests := e.pool.split(texts)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(e.pool.slots.most, len(requests)) {
		workers.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(requests) {
					return
				}
				e.request(ctx, requests[i], stallFailures, 0)
			}
		})
	}
	return workers.Wait
}

// request embeds the texts of one request. Those that stall are searched by halves: their sum may be what is too much.
func (e *embedding) request(ctx context.Context, texts []string, patience, attempts int) {
	for _, part := range e.refine(ctx, texts, patience, attempts) {
		if n := len(part.texts) / 2; n > 0 {
			e.request(ctx, part.texts[:n], 1, part.attempts)
			e.request(ctx, part.texts[n:], 1, part.attempts)
		} else {
			e.emit(ctx, part)
		}
	}
}

// refine embeds the texts of one request, and returns parts of it that stall. What the endpoint refuses is bisected down to the texts at fault, one request
// of all tables at a time: a flood of bad texts, each of which takes many requests to find, leaves the endpoint to the others.
func (e *embedding) refine(ctx context.Context, texts []string, patience, attempts int) (stalled []embedded) {
	var suspects []string // the texts of the last refusal that have not been taken since, until one of them is condemned
	var leave func()      // nil until a part is asked for
	defer func() {
		if leave != nil {
			leave()
		}
	}()
	bisect(texts, func(part []string) error {
		if len(part) < len(texts) && leave == nil {
			leave = e.pool.enterLane(ctx)
		}
		var vectors [][]float32
		s := stall{patience: patience}
		n, err := e.retry(ctx, &e.pool.gate, &s.over, func(ctx context.Context) error {
			return s.attempt(ctx, e.plain, func(ctx context.Context) (err error) {
				vectors, err = e.ask(ctx, part, len(suspects) == 1 && suspects[0] == part[0])
				return err
			})
		})
		attempts += n
		if s.over {
			stalled = append(stalled, embedded{texts: part, err: s.last, stalls: true, attempts: attempts})
			return errStalled
		}
		if err != nil {
			if suspects = part; len(part) == 1 {
				suspects = nil
			}
			return err
		}
		if len(suspects) > 0 && suspects[0] == part[0] { // a part of them always begins as they do
			suspects = suspects[len(part):]
		}
		e.emit(ctx, embedded{texts: part, vectors: vectors, attempts: attempts})
		return nil
	}, func(part []string, err error) {
		if !errors.Is(err, errStalled) {
			e.emit(ctx, embedded{texts: part, err: err, attempts: attempts})
		}
	})
	return stalled
}

// ask makes one attempt. A single text is refused only if it is twice, because a proxy may refuse now and then, whatever it is asked. The last suspect, beside
// which all others of a refused request were taken, has had its first refusal with them.
func (e *embedding) ask(ctx context.Context, texts []string, lastSuspect bool) ([][]float32, error) {
	refused := func(err error) bool { return err != nil && len(texts) == 1 && Classify(err) == ClassPoison }
	taken := e.pool.taken.Load() // what was taken before tells nothing of an endpoint that refuses everything since
	vectors, err := e.pool.embed(ctx, texts)
	if refused(err) && !lastSuspect {
		taken = e.pool.taken.Load()
		vectors, err = e.pool.embed(ctx, texts)
	}
	if refused(err) && e.pool.taken.Load() == taken {
		err = e.prove(ctx, err)
	}
	return vectors, err
}

// plainText is a text that every embedding model and every index takes.
const plainText = "rowvec"

// reasonRefusesAll is the reason of a server that refuses a plain record as well.
const reasonRefusesAll = "refuses_everything"

// prove finds out whose fault a refusal is before a record is condemned for it.
func (e *embedding) prove(ctx context.Context, refusal error) error {
	if err := e.plain(ctx, refusal); err != nil {
		return err
	}
	return refusal
}

// plain asks for a plain text, after a failure. An endpoint that refuses that refuses everything, because of a setting (a wrong extra field, say):
// dead-lettering would empty the topic, so the table halts instead.
func (e *embedding) plain(ctx context.Context, failure error) error {
	_, err := e.pool.embed(ctx, []string{plainText})
	if err != nil && Classify(err) == ClassPoison {
		return &fault{
			class: ClassHalt, reason: reasonRefusesAll, err: failure,
			text: "the embedding endpoint refuses every text; check the embedding settings",
		}
	}
	return err
}

func (e *embedding) emit(ctx context.Context, r embedded) {
	select {
	case e.out <- r:
	case <-ctx.Done():
	}
}
