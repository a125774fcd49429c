package embed

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// learned paces what is sent by what the endpoint says of its own limits in its answers' headers: how much it grants, how much of that is
// left, and when it will be whole again. While more than half is left nothing waits. Below, what is left is spread over the time that is:
// against a window this uses it up at its end, against a bucket that refills it settles at the rate of refilling. So it needs not know
// which of them the endpoint has, nor who else uses it up.
type learned struct {
	mu      sync.Mutex
	pace    time.Duration // between two units
	next    time.Time     // when the next unit may go
	until   time.Time     // from when on nothing waits: the limit is whole, or has to be asked for
	changed chan struct{} // closed when an answer tells something else; nil until somebody waits
}

// maxLearned bounds a wait that a header asks for: when it is over the endpoint is asked, and may say it with a 429.
const maxLearned = time.Minute

// note takes in a header's figures. instances is how many use up the same limit at the same pace.
func (l *learned) note(granted, left int, reset time.Duration, instances int) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until = now.Add(min(reset, maxLearned))
	switch {
	case left <= 0:
		l.pace, l.next = 0, l.until
	case 2*left < granted:
		l.pace = min(reset*time.Duration(instances)/time.Duration(left), maxLearned)
	default:
		l.pace, l.next = 0, now
	}
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}

// wait returns when n units may go. Its only errors are those of ctx. Nobody has a place in line, which one who gives up would leave empty.
func (l *learned) wait(ctx context.Context, n int) error {
	for {
		pause, changed := l.take(n)
		if pause <= 0 {
			return ctx.Err()
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-changed:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// take lets n units go, or says how long to wait until the next look, unless something changes before.
func (l *learned) take(n int) (pause time.Duration, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if !now.Before(l.until) || !now.Before(l.next) {
		l.next = now.Add(min(l.pace*time.Duration(n), maxLearned))
		return 0, nil
	}
	if l.changed == nil {
		l.changed = make(chan struct{})
	}
	return min(l.next.Sub(now), l.until.Sub(now)), l.changed
}

// learn reads the headers of an answer.
func (l *limits) learn(header http.Header) {
	for _, read := range []struct {
		into *learned
		unit string
	}{{&l.learnedRequests, "requests"}, {&l.learnedTokens, "tokens"}} {
		if granted, left, reset, ok := limitHeaders(header, read.unit); ok {
			read.into.note(granted, left, reset, l.instances)
		}
	}
}

// limitHeaders reads x-ratelimit-{limit,remaining,reset}-{requests,tokens}, as OpenAI and those who follow it send them, else, of requests,
// ratelimit-{limit,remaining,reset} (draft-ietf-httpapi-ratelimit-headers-06), as gateways do.
func limitHeaders(header http.Header, unit string) (granted, left int, reset time.Duration, ok bool) {
	prefix, suffix := "X-Ratelimit-", "-"+unit
	if unit == "requests" && header.Get("X-Ratelimit-Limit-Requests") == "" {
		prefix, suffix = "Ratelimit-", ""
	}
	limit, _, _ := strings.Cut(header.Get(prefix+"Limit"+suffix), ",") // a list of policies may follow
	granted, err := strconv.Atoi(strings.TrimSpace(limit))
	if err != nil {
		return 0, 0, 0, false
	}
	if left, err = strconv.Atoi(strings.TrimSpace(header.Get(prefix + "Remaining" + suffix))); err != nil {
		return 0, 0, 0, false
	}
	reset = resetAfter(header.Get(prefix + "Reset" + suffix))
	return granted, left, reset, granted > 0 && reset > 0
}

// maxReset bounds the time until a limit is whole again: no provider counts over more than a day.
const maxReset = 24 * time.Hour

// resetAfter reads "1s", "6m0s", "20ms" (OpenAI) or a number of seconds; 0 is none.
func resetAfter(text string) time.Duration {
	text = strings.TrimSpace(text)
	if d, err := time.ParseDuration(text); err == nil {
		return min(max(0, d), maxReset)
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		return boundedSeconds(seconds)
	}
	return 0
}
