package indexer

import (
	"cmp"
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
	attempts int
}

// embedding is the work of one pass of a batch: several requests at once, each result handed on as soon as it is there.
type embedding struct {
	pool  *EmbedPool
	retry func(ctx context.Context, g *gate, op func(context.Context) error) (int, error)
	rowOf func(text string) string // a row that waits for the text
	out   chan embedded

	workers sync.WaitGroup
}

// start sends all texts off and returns a function that waits until nothing of it runs any more; cancel ctx before to hurry it.
func (e *embedding) start(ctx context.Context, texts []string) (wait func()) {
	requests := e.pool.split(texts)
	var next atomic.Int64
	for range min(e.pool.slots.most, len(requests)) {
		e.workers.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(requests) {
					return
				}
				e.request(ctx, requests[i])
			}
		})
	}
	return e.workers.Wait
}

// request embeds the texts of one request. What the endpoint refuses, or fails on while it takes others, is bisected down to the texts at fault, one
// request of all tables at a time: a flood of bad texts, each of which takes many requests to find, leaves the endpoint to the others.
func (e *embedding) request(ctx context.Context, texts []string) {
	attempts := 0
	enough := trialFailures // of a part: the whole was on trial already
	var suspects []string   // the texts of the last refusal that have not been taken since, until one of them is condemned
	var leave func()        // nil until a part is asked for
	defer func() {
		if leave != nil {
			leave()
		}
	}()
	bisect(texts, func(part []string) error {
		if len(part) < len(texts) && leave == nil {
			leave = e.pool.enterLane(ctx)
		}
		t := newTrial(e, part, enough)
		r, ended := e.try(ctx, t, attempts, len(suspects) == 1 && suspects[0] == part[0])
		if !ended {
			suspects = nil
			return errStalled
		}
		attempts = r.attempts
		if t.halved {
			suspects, enough = nil, 1
			return r.err
		}
		if r.err != nil {
			if suspects = part; len(part) == 1 {
				suspects = nil
			}
			return r.err
		}
		if len(suspects) > 0 && suspects[0] == part[0] { // a part of them always begins as they do
			suspects = suspects[len(part):]
		}
		e.emit(ctx, r)
		return nil
	}, func(part []string, err error) {
		if !errors.Is(err, errStalled) {
			e.emit(ctx, embedded{texts: part, err: err, attempts: attempts})
		}
	})
}

// errStalled is told of a text that is still asked for: bisect goes on beside it.
var errStalled error = &fault{class: ClassPoison, reason: "text_stalls", text: "the text takes too long"}

// try tries t until it has an answer. A single text that stalls is left to itself: ended is false, and the answer comes when it comes.
func (e *embedding) try(ctx context.Context, t *trial, before int, lastSuspect bool) (r embedded, ended bool) {
	done := make(chan embedded, 1)
	e.workers.Go(func() {
		r := embedded{texts: t.texts}
		var n int
		n, r.err = e.retry(ctx, &e.pool.gate, func(ctx context.Context) (err error) {
			r.vectors, err = t.attempt(ctx, lastSuspect)
			return err
		})
		r.attempts = before + n
		select {
		case <-t.stalled:
			e.emit(ctx, r)
		default:
			done <- r
		}
	})
	select {
	case r := <-done:
		return r, true
	case <-t.stalled:
		return embedded{}, false
	}
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

// plain asks for the plain text. An endpoint that refuses it refuses everything, because of a setting (a wrong extra field, say): dead-lettering
// would empty the topic, so the table halts instead. cause is the refusal that made us ask, if one did.
func (e *embedding) plain(ctx context.Context, cause error) error {
	_, err := e.pool.embed(ctx, []string{plainText})
	if err != nil && Classify(err) == ClassPoison {
		return &fault{
			class: ClassHalt, reason: reasonRefusesAll, err: cmp.Or(cause, err),
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
