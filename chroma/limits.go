package chroma

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
)

const (
	// maxBody is the most bytes of one request body. Chroma 1.5.9 answers 413 above 40 MiB by default, and drops the
	// connection while the body is on its way when it is much larger.
	maxBody = 32 << 20
	// minBody is where shrinking stops: below it a proxy that still answers 413 is refused as it is.
	minBody = 64 << 10
)

const errNoLimit = answerError("it has no max_batch_size")

// limits is what the server accepts in one request.
type limits struct {
	asking chan struct{} // held by the one call that asks; a channel, so that waiting ends with the context
	known  atomic.Pointer[serverLimits]
	body   atomic.Int64 // bytes; lowered when a proxy refuses less than Chroma would
}

// serverLimits is the pre-flight answer; Chroma 1.5.9 says 5461 and true.
type serverLimits struct {
	Batch  int  `json:"max_batch_size"`
	Base64 bool `json:"supports_base64_encoding"`
}

func newLimits() *limits {
	l := &limits{asking: make(chan struct{}, 1)}
	l.body.Store(maxBody)
	return l
}

// preflight returns the server's limits, asking for them until one answer has come.
func (c *Client) preflight(ctx context.Context) (*serverLimits, error) {
	if known := c.limits.known.Load(); known != nil {
		return known, nil
	}
	select {
	case c.limits.asking <- struct{}{}:
		defer func() { <-c.limits.asking }()
	case <-ctx.Done():
		return nil, &interrupted{op: opPreflight, err: ctx.Err()}
	}
	if known := c.limits.known.Load(); known != nil {
		return known, nil
	}
	var known *serverLimits
	err := c.do(ctx, &exchange{op: opPreflight}, c.api.PreFlight, func(body []byte) (err error) {
		known, err = decodeLimits(body)
		return err
	})
	if err != nil {
		return nil, err
	}
	c.limits.known.Store(known)
	return known, nil
}

func decodeLimits(body []byte) (*serverLimits, error) {
	known := &serverLimits{}
	if err := json.Unmarshal(body, known); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	if known.Batch < 1 {
		return nil, errNoLimit
	}
	return known, nil
}

// limitsOnly is what chroma-go gets to read of the answer: what is accepted here, so that both agree on whether it has come.
func limitsOnly(body []byte) []byte {
	known, err := decodeLimits(body)
	if err != nil {
		return nil
	}
	out, err := json.Marshal(known)
	if err != nil {
		return nil
	}
	return out
}

// shrink remembers that a body of size bytes was refused. It says whether a smaller one is worth trying.
func (l *limits) shrink(size int) bool {
	half := int64(size) / 2
	if half < minBody {
		return false
	}
	for {
		now := l.body.Load()
		if now <= half || l.body.CompareAndSwap(now, half) {
			return true
		}
	}
}
