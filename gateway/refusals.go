package gateway

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/rowvec/rowvec/gateway/access"
	"github.com/rowvec/rowvec/gateway/problem"
)

// caller is who sent a request, told to the one who counts it: a request that the keeper refuses comes no further.
type caller struct {
	token    string // its name; empty: none
	admitted bool
}

type callerKey struct{}

// callerOf returns the request's caller, to be filled in.
func callerOf(ctx context.Context) *caller {
	if c, ok := ctx.Value(callerKey{}).(*caller); ok {
		return c
	}
	return &caller{}
}

// named notes whose request was let in.
func named(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from := callerOf(r.Context())
		from.token, from.admitted = access.From(r.Context()).Name, true
		next.ServeHTTP(w, r)
	})
}

// refused notes whose request was not let in, where that is known. Wrong tokens are told in the log.
func (g *Gateway) refused(r *http.Request, grant *access.Grant, p *problem.Problem) {
	if grant != nil {
		callerOf(r.Context()).token = grant.Name
	}
	if p.Status == http.StatusUnauthorized {
		g.guesses.tell(r)
	}
}

// guessesWait is how long the log is quiet about wrong tokens after it told of one.
const guessesWait = 10 * time.Second

// guesses tells of requests without a good token, not of each: whoever guesses must not fill the log.
type guesses struct {
	log *slog.Logger

	mu    sync.Mutex
	until time.Time // nothing is told before
	more  int       // that were not told of
}

func (g *guesses) tell(r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if now.Before(g.until) {
		g.more++
		return
	}
	from, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		from = r.RemoteAddr
	}
	g.log.WarnContext(r.Context(), "a request without a good token was refused", "from", from, "with_token", r.Header.Get("Authorization") != "", "untold_before", g.more)
	g.until, g.more = now.Add(guessesWait), 0
}
