package instance

import (
	"context"
	"sync"
)

// gate stops an input while too many of its messages wait for the dead-letter topic. The other inputs go on (design §1, 9).
type gate struct {
	mu           sync.Mutex
	count, bytes int
	opened       chan struct{} // not nil while somebody waits
}

const (
	gateLetters = 256
	gateBytes   = 16 << 20
)

func (g *gate) enter(bytes int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.count++
	g.bytes += bytes
}

func (g *gate) leave(bytes int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.count--
	g.bytes -= bytes
	if g.opened != nil && !g.full() {
		close(g.opened)
		g.opened = nil
	}
}

func (g *gate) full() bool { return g.count >= gateLetters || g.bytes >= gateBytes }

// wait returns when the gate is open, or ctx has ended.
func (g *gate) wait(ctx context.Context) {
	for ctx.Err() == nil {
		g.mu.Lock()
		if !g.full() {
			g.mu.Unlock()
			return
		}
		if g.opened == nil {
			g.opened = make(chan struct{})
		}
		opened := g.opened
		g.mu.Unlock()
		done(ctx, opened)
	}
}
