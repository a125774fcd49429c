package indexer

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
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
	retry func(ctx context.Context, g *gate, over func() bool, op func(context.Context) error) (int, error)
	out   chan embedded
	table *Table // tells when a drain begins, and is told of the wait for another request's search
}

// asking is one request, with all that it comes to.
type asking struct {
	*embedding
	searching bool   // it holds pool.search
	leave     func() // ends its turn in pool.lane; nil: it has none
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
				(&asking{embedding: e}).request(ctx, requests[i])
			}
		})
	}
	return workers.Wait
}

// request embeds the texts of one request. Those that stall are searched by halves, all of a size before smaller ones, so that the good ones are soon done.
func (a *asking) request(ctx context.Context, texts []string) {
	defer func() {
		if a.searching {
			a.pool.voucher.ended()
			<-a.pool.search
		}
	}()
	for parts := []embedded{{texts: texts}}; len(parts) > 0; parts = parts[1:] {
		if a.searching && a.table.isDraining() {
			a.emit(ctx, embedded{texts: parts[0].texts, err: interrupted(errStalled)})
			continue
		}
		for _, p := range a.refine(ctx, parts[0].texts, parts[0].attempts) {
			if n := len(p.texts) / 2; n > 0 {
				parts = append(parts, embedded{texts: p.texts[:n], attempts: p.attempts}, embedded{texts: p.texts[n:], attempts: p.attempts})
			} else {
				a.pool.voucher.blame()
				a.emit(ctx, p)
			}
		}
	}
}

// refine embeds the texts of one request, and returns parts of it that stall. What the endpoint refuses is bisected down to the texts at fault, one request
// of all tables at a time: a flood of bad texts, each of which takes many requests to find, leaves the endpoint to the others.
func (a *asking) refine(ctx context.Context, texts []string, attempts int) (stalled []embedded) {
	var suspects []string // the texts of the last refusal that have not been taken since, until one of them is condemned
	defer a.leaveLane()
	bisect(texts, func(part []string) error {
		if len(part) < len(texts) && a.leave == nil && !a.searching { // who waited for the lane with pool.search in hand might wait for who waits for that
			a.leave = a.pool.enterLane(ctx)
		}
		var vectors [][]float32
		s := stall{of: a, alone: len(part) == 1}
		n, err := a.persist(ctx, &s, func(ctx context.Context) (err error) {
			vectors, err = a.ask(ctx, part, len(suspects) == 1 && suspects[0] == part[0])
			return err
		})
		attempts += n
		if s.stalls() {
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
		a.emit(ctx, embedded{texts: part, vectors: vectors, attempts: attempts})
		return nil
	}, func(part []string, err error) {
		if err != errStalled { //nolint:errorlint // itself: in a chain it is a cause
			a.emit(ctx, embedded{texts: part, err: err, attempts: attempts})
		}
	})
	return stalled
}

// persist makes attempts of op until it is done, refused or found to stall. While another request is searched it waits, before the gate and not at it.
func (a *asking) persist(ctx context.Context, s *stall, op func(context.Context) error) (attempts int, err error) {
	for most := vouchSearch; ; most = min(2*most, vouchAsk) {
		n, err := a.retry(ctx, &a.pool.gate, s.gives, func(ctx context.Context) error { return s.attempt(ctx, op) })
		attempts += n
		if !s.yields {
			return attempts, err
		}
		a.leaveLane() // until the next part: others who are bisected do not wait for the search, too
		if !a.waits(ctx, errors.Unwrap(err), most) {
			return attempts, err
		}
		s.over, s.yields = false, false
	}
}

// leaveLane ends the request's turn to be bisected, if it has one.
func (a *asking) leaveLane() {
	if a.leave != nil {
		a.leave()
		a.leave = nil
	}
}

// waits waits until the search of another request is over, or for so long, telling for what: a search of texts that hang takes hours, and what failed
// once may be good. It returns false when the wait is given up.
func (a *asking) waits(ctx context.Context, cause error, most time.Duration) bool {
	trouble, wait := a.table.cond.operation(), a.table.waiter(ctx)
	defer trouble.clear()
	trouble.report(severity(cause), cause)
	mine, on := a.pool.voucher.searches()
	until := time.Now().Add(most)
	for now := mine; on && now == mine && time.Now().Before(until); now, on = a.pool.voucher.searches() {
		if !wait(gateTrying) {
			return false
		}
	}
	return true
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
	if err == nil {
		e.pool.voucher.took(texts)
	}
	return vectors, err
}

// plainText is a text that every embedding model and every index takes.
const plainText = "rowvec"

// reasonRefusesAll is the reason of a server that refuses a plain record as well.
const reasonRefusesAll = "refuses_everything"

// prove finds out whose fault a refusal is before a record is condemned for it. An endpoint that refuses a plain text as well refuses
// everything, because of a setting (a wrong extra field, say): dead-lettering would empty the topic, so the table halts instead.
func (e *embedding) prove(ctx context.Context, refusal error) error {
	_, err := e.pool.embed(ctx, []string{plainText})
	switch {
	case err == nil:
		return refusal
	case Classify(err) == ClassPoison:
		return &fault{
			class: ClassHalt, reason: reasonRefusesAll, err: refusal,
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
