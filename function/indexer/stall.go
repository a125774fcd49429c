package indexer

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// An endpoint may fail on a text for the text's own sake, as an outage does: llama.cpp's server answers 500 to one over its physical batch,
// and a very long one may never be done within embedding.timeout. Such a text is found and set aside (revive.go), and never condemned:
// nothing tells it from a good one before an endpoint that has only strength for small ones for an hour.

// stallFailures is how often a request fails, or it and others in a row at the gate, before it is held against its texts. Until then it may be anything.
const stallFailures = 3

// stall is what is known of a request that fails as an outage does.
type stall struct {
	of       *asking
	alone    bool // it has a single text
	failures int
	plainly  bool      // the next attempt is made without another text: an endpoint that fails now and then, or has a limit, would have to take two in a row, for ever
	proofs   int       // failures in a row, each after another text was taken
	taken    time.Time // when it was taken, while nothing but a limit was met since
	last     error
	over     bool // there is no use in going on: the texts stall, or
	yields   bool // another request is searched
}

// attempt makes one attempt of ask. When it is time for another text that comes first: an endpoint that fails on it, too, has had one
// request, as from any caller in an outage.
func (s *stall) attempt(ctx context.Context, ask func(context.Context) error) error {
	if s.over {
		return interrupted(s.last)
	}
	vouched, err := s.vouched(ctx)
	if err != nil {
		s.plainly = !limited(err)
		return err
	}
	s.plainly = false
	err = s.of.pool.voucher.during(vouched && s.of.searching, func() error { return ask(ctx) })
	switch {
	case limited(err):
		s.plainly = true // what the limit has left is for the request itself
		if vouched && s.taken.IsZero() {
			s.taken = time.Now()
		}
		return err
	case !tellsOfTexts(err):
		s.failures, s.proofs, s.taken = 0, 0, time.Time{}
		return err
	}
	s.failures, s.last, s.taken = s.failures+1, err, time.Time{}
	if !vouched {
		return err
	}
	if s.proofs++; !s.alone || s.proofs > 1 { // several texts are only halved for it
		s.over = true
	}
	return &fault{class: ClassRetry, reason: reasonStalls, own: true, err: err, text: "the embedding endpoint takes another text, and fails on this request"}
}

// vouched asks for another text when it is time, and reports whether one was taken before the attempt: right before it, or before one that met
// a limit. Where that lets one request through at a time, the attempt right after another text is the one that it refuses.
func (s *stall) vouched(ctx context.Context) (bool, error) {
	if time.Since(s.taken) < vouchLimit {
		return true, nil
	}
	s.taken = time.Time{}
	text, due := s.due()
	if !due {
		return false, nil
	}
	return true, s.of.vouch(ctx, text, s.last)
}

// due says whether the next attempt is to show whose fault it is, and with which text.
func (s *stall) due() (text string, is bool) {
	failed := s.failures
	if failed > 0 { // others' probes tell as much of the endpoint: not each of many requests has to fail so often, one after another at the gate
		failed = max(failed, s.of.pool.gate.failures())
	}
	if s.plainly || !s.of.searching && s.proofs == 0 && failed < stallFailures {
		return "", false
	}
	text, is = s.of.pool.voucher.text()
	return text, is && (s.alone || s.of.search())
}

// gives says, before a wait for the next attempt, whether there is none. A request that has failed, or stands at a gate that failures shut, leaves
// the endpoint to the one that is searched: a failure of its own would only shut the gate before that. Who met but a limit has no such reason.
func (s *stall) gives() bool {
	_, searched := s.of.pool.voucher.searches()
	if searched && !s.over && !s.of.searching && (s.failures > 0 || s.of.pool.gate.failures() > 0) {
		s.over, s.yields = true, true
	}
	return s.over
}

// stalls reports whether the texts turned out to stall.
func (s *stall) stalls() bool { return s.over && !s.yields }

// search has this request be the one that is searched for texts that stall: a flood of them leaves the endpoint to the others.
func (a *asking) search() bool {
	if a.searching {
		return true
	}
	select {
	case a.pool.search <- struct{}{}:
		a.searching = true
	default:
	}
	return a.searching
}

// vouch asks for another text, after a failure. One that is refused proves nothing.
func (a *asking) vouch(ctx context.Context, text string, failure error) error {
	_, err := a.pool.embed(ctx, []string{text})
	switch {
	case err == nil && a.table.isDraining():
		return interrupted(failure)
	case err != nil && Classify(err) == ClassPoison:
		a.pool.voucher.refused()
		return &fault{class: ClassRetry, reason: reasonStalls, own: true, err: err, text: "the text that was to show whether the embedding endpoint works is refused"}
	}
	return err
}

// reasonStalls is the reason of a text that the endpoint fails on, while it takes others.
const reasonStalls = "text_stalls"

var errStalled error = &fault{class: ClassRetry, reason: reasonStalls, text: "the texts are to be searched for those that stall"}

// tellsOfTexts says whether a failure that waiting may cure can be for the sake of the texts that were sent.
func tellsOfTexts(err error) bool { return err != nil && Classify(err) == ClassRetry && !limited(err) }

// limited says whether the endpoint complains of how much it is asked.
func limited(err error) bool {
	var answered interface{ Status() int }
	return RetryAfter(err) > 0 || errors.As(err, &answered) && answered.Status() == http.StatusTooManyRequests
}
