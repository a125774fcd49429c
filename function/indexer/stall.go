package indexer

import (
	"context"
	"errors"
	"net/http"
)

// An endpoint may fail on a text for the text's own sake, as an outage does: llama.cpp's server answers 500 to one over its physical batch,
// and a very long one may never be done within embedding.timeout. Such a text is found and set aside (revive.go), and never condemned: nothing
// tells it from a good one before an endpoint that has only strength for small ones for an hour.

// stallFailures is how often a request fails before it is held against its texts. Until then it may be anything.
const stallFailures = 3

// stall is what is known of a request that fails as an outage does.
type stall struct {
	patience int // failures before a plain text is asked for, too
	failures int
	last     error
	over     bool // the texts stall: the endpoint took a plain one, and failed on these right after it
}

// attempt makes one attempt of ask. When it is time for the plain text that comes first: an endpoint that fails on it, too, has had one
// request, as from any caller in an outage.
func (s *stall) attempt(ctx context.Context, plain func(context.Context, error) error, ask func(context.Context) error) error {
	vouched := s.failures >= s.patience
	if vouched {
		if err := plain(ctx, s.last); err != nil {
			return err
		}
	}
	err := ask(ctx)
	switch {
	case !tellsOfTexts(err):
		s.failures = 0
		return err
	case !vouched:
		s.failures, s.last = s.failures+1, err
		return err
	default:
		s.over, s.last = true, err
		return &fault{class: ClassRetry, reason: reasonStalls, own: true, err: err, text: "the embedding endpoint takes a plain text, and fails on others"}
	}
}

// reasonStalls is the reason of a text that the endpoint fails on, while it takes others.
const reasonStalls = "text_stalls"

var errStalled error = &fault{class: ClassRetry, reason: reasonStalls, text: "the texts are to be searched for those that stall"}

// tellsOfTexts says whether a failure that waiting may cure can be for the sake of the texts that were sent. One of who asks too much is not.
func tellsOfTexts(err error) bool {
	if err == nil || Classify(err) != ClassRetry || RetryAfter(err) > 0 {
		return false
	}
	var answered interface{ Status() int }
	return !errors.As(err, &answered) || answered.Status() != http.StatusTooManyRequests
}
