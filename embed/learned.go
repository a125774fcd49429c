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
	mu    sync.Mutex
	pace  time.Duration // between two units
	until time.Time     // from when on pace says nothing any more
	next  time.Time     // when the next unit may go
}

// maxLearned bounds a wait that a header asks for: when it is over the endpoint is asked, and may say it with a 429.
const maxLearned = time.Minute

// note takes in a header's figures. instances is how many use up the same limit at the same pace.
func (l *learned) note(granted, left int, reset time.Duration, instances int) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pace, l.until = 0, now.Add(reset)
	switch {
	case left <= 0:
		l.next = later(l.next, now.Add(min(reset, maxLearned)))
	case 2*left < granted:
		l.pace = min(reset*time.Duration(instances)/time.Duration(left), maxLearned)
	}
}

// wait returns when n units may go. Its only errors are those of ctx.
func (l *learned) wait(ctx context.Context, n int) error {
	pause := l.reserve(n)
	if pause <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// reserve takes a place in line and returns how long it is until then.
func (l *learned) reserve(n int) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	at := later(l.next, now)
	l.next = at
	if now.Before(l.until) {
		l.next = at.Add(min(l.pace*time.Duration(n), maxLearned))
	}
	return at.Sub(now)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
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
