package indexer

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// How often a request fails before its texts are suspected, and a text before it is condemned.
const (
	// trialFailures of a request in a row may be anybody's; then a plain text is asked for.
	trialFailures = 3
	// trialStrikes are needed for a first text, over trialSpan at least, so that a moment's weakness of a server that still has time for
	// a word, while it loads a model say, condemns none.
	trialStrikes = 5
	trialSpan    = 10 * time.Second
	// trialAgain is enough where the endpoint is known to break down on texts: a table may have many of them.
	trialAgain = 3
)

// reasonServerError is the reason of a text that the endpoint breaks down on.
const reasonServerError = "server_error"

// trial is what is known of a request that fails as an outage does: whether it is one, or its texts are at fault, which only a plain text
// can tell. Several texts at fault are halved; one alone is condemned when it gets a 500 each time, and never for its time, which a busy
// server may lack.
type trial struct {
	of     *embedding
	texts  []string
	enough int // failures until it is time for the plain text

	failures int  // that may be the texts' fault
	vouched  bool // the plain text was taken since, and not refused: the endpoint works
	last     doubt
	failed   time.Time // when it did last
	strikes  int       // failures of a text alone with a 500, each with the plain text taken right after it
	since    time.Time // the first strike
	halved   bool      // the request is to be halved
	stalled  chan struct{}
}

func newTrial(e *embedding, texts []string, enough int) *trial {
	return &trial{of: e, texts: texts, enough: enough, stalled: make(chan struct{})}
}

// attempt makes one attempt. Until the endpoint is known to work it is one request, as of any caller in an outage: when it is time for the plain text, that takes
// the request's place, and only when it is taken there is more.
func (t *trial) attempt(ctx context.Context, lastSuspect bool) ([][]float32, error) {
	if t.failures >= t.enough && !t.vouched {
		if err := t.plain(ctx); err != nil {
			return nil, err
		}
		if len(t.texts) > 1 {
			t.halved = true
			return nil, &fault{class: ClassPoison, reason: "halved", text: "the embedding endpoint takes a plain text, and not these together"}
		}
		if time.Since(t.failed) <= time.Second { // right after
			t.strike(t.last)
		}
	}
	vectors, took, err := t.ask(ctx, lastSuspect)
	d := doubtOf(err)
	if err == nil && t.strikes > 0 {
		t.of.pool.breaking.Store(false) // its errors pass
	}
	if d == noDoubt {
		return vectors, err
	}
	t.last, t.failed = d, time.Now()
	if t.failures++; !t.vouched {
		return nil, err
	}
	for range t.plains(d) {
		if down := t.plain(ctx); down != nil {
			return nil, down
		}
	}
	return nil, t.judge(d, err, took)
}

// ask asks for the texts and says how long it took. Of those that stall one is asked for at a time.
func (t *trial) ask(ctx context.Context, lastSuspect bool) (vectors [][]float32, took time.Duration, err error) {
	select {
	case <-t.stalled:
		defer enter(ctx, t.of.pool.stalls)()
	default:
	}
	began := time.Now()
	vectors, err = t.of.ask(ctx, t.texts, lastSuspect)
	return vectors, time.Since(began), err
}

// plains is how many plain texts in a row have to be taken. Where a proxy gives each of several servers its turn, and one is broken, the text
// must not get that one every time and the plain text another: so it is once 1, then 2, then 3, before a text is condemned for it.
func (t *trial) plains(d doubt) int {
	if d == stalls {
		return 1
	}
	return 1 + t.strikes%3
}

// plain asks for the plain text. Whatever failed before one that is not taken says nothing.
func (t *trial) plain(ctx context.Context) error {
	err := t.of.plain(ctx, nil)
	t.vouched = err == nil
	if err != nil && !limited(err) {
		t.failures, t.strikes = 0, 0
		t.enough = trialFailures + rand.IntN(trialFailures) //nolint:gosec // out of step with servers that take turns, no secret
		t.of.pool.breaking.Store(false)
	}
	return err
}

// judge says what the failure of a text alone means beside which the plain text was taken. Each of its errors tells the gate that the server works.
func (t *trial) judge(d doubt, err error, took time.Duration) error {
	if t.strike(d); d == stalls {
		return t.stall(err, took)
	}
	if !t.condemned() {
		return &fault{
			class: ClassRetry, reason: reasonServerError, own: true, err: err,
			text: fmt.Sprintf("the embedding endpoint takes other texts, and fails on one of row %s alone, so far %d times", t.of.rowOf(t.texts[0]), t.strikes),
		}
	}
	t.of.pool.breaking.Store(true)
	return &fault{class: ClassPoison, reason: reasonServerError, err: err, text: "the embedding endpoint answers 500 to this text and takes others"}
}

// strike counts a failure of a text alone after which the plain text was taken.
func (t *trial) strike(d doubt) {
	if d == stalls {
		t.strikes = 0
		return
	}
	if t.strikes++; t.strikes == 1 {
		t.since = time.Now()
	}
}

// condemned says whether a text alone has failed often enough.
func (t *trial) condemned() bool {
	if t.of.pool.breaking.Load() {
		return t.strikes >= trialAgain
	}
	return t.strikes >= trialStrikes && time.Since(t.since) >= trialSpan
}

// stall lets the others go on while this text is tried on and on. It rests as long as it took, to leave them half of the time where the
// endpoint has one slot.
func (t *trial) stall(err error, took time.Duration) error {
	select {
	case <-t.stalled:
	default:
		close(t.stalled)
	}
	return &fault{
		class: ClassRetry, reason: "text_stalls", own: true, after: took, err: err,
		text: fmt.Sprintf("a text of row %s alone takes longer than embedding.timeout, while the embedding endpoint takes others; raise embedding.timeout, or lower "+
			"embedding.maxTextTokens or tables.<t>.chunk.tokens", t.of.rowOf(t.texts[0])),
	}
}
