package gateway

import (
	"net/http"
	"sync"
	"time"

	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/gateway/problem"
)

// streamsWait is when to ask again for a stream that there was no room for.
const streamsWait = 10 * time.Second

// streams bounds the event streams that are open, each of which holds a connection and a goroutine for as long as its listener wants.
type streams struct {
	most, mostOfToken int

	mu    sync.Mutex
	all   int
	byKey map[string]int // by token; without tokens one for all
}

func newStreams(g config.Gateway) *streams {
	return &streams{most: g.MaxStreams, mostOfToken: g.MaxStreamsPerToken, byKey: map[string]int{}}
}

// take counts one more, or says why not: 429 where the token has as many as it may, 503 where all together are. release gives it back.
func (s *streams) take(token string) (release func(), refused *problem.Problem) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.byKey[token] >= s.mostOfToken && token != "":
		refused = problem.New(http.StatusTooManyRequests, "this token has as many event streams as it may")
	case s.all >= s.most:
		refused = problem.New(http.StatusServiceUnavailable, "as many event streams are open as may be")
	default:
		s.all++
		s.byKey[token]++
		return sync.OnceFunc(func() { s.release(token) }), nil
	}
	refused.RetryAfter = streamsWait
	return nil, refused
}

func (s *streams) release(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.byKey[token]--; s.byKey[token] == 0 {
		delete(s.byKey, token)
	}
}
