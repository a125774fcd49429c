package instance

import (
	"context"
	"sync"
)

// intake bounds the messages that an instance has taken and that are neither settled nor stored as dead letters, in bytes. Half of the
// bound is shared out among the inputs, so that none is held up by what others hold; the other half is for whoever needs it. An input
// whose portion is below the bound takes one message of any size: its size is known only when it is there.
type intake struct {
	share int // of each input
	pool  int // for what inputs hold beyond it

	mu     sync.Mutex
	beyond int           // the shares, of all inputs
	opened chan struct{} // not nil while somebody waits
}

// portion is what one input holds.
type portion struct {
	*intake
	held int // guarded by intake.mu
}

func newIntake(bytes, inputs int) *intake {
	return &intake{share: bytes / 2 / max(inputs, 1), pool: bytes - bytes/2}
}

func (p *portion) enter(bytes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.move(bytes)
}

func (p *portion) leave(bytes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.move(-bytes)
	if p.opened != nil {
		close(p.opened)
		p.opened = nil
	}
}

func (p *portion) move(bytes int) {
	p.beyond -= max(0, p.held-p.share)
	p.held += bytes
	p.beyond += max(0, p.held-p.share)
}

func (p *portion) full() bool { return p.held >= p.share && p.beyond >= p.pool }

// holds tells whether the input has taken something that is not done.
func (p *portion) holds() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held > 0
}

// wait returns when the input may take a message, or ctx has ended.
func (p *portion) wait(ctx context.Context) {
	for ctx.Err() == nil {
		p.mu.Lock()
		if !p.full() {
			p.mu.Unlock()
			return
		}
		if p.opened == nil {
			p.opened = make(chan struct{})
		}
		opened := p.opened
		p.mu.Unlock()
		done(ctx, opened)
	}
}

// size is what a delivery counts for.
func (d *Delivery) size() int {
	n := len(d.Key) + len(d.Payload)
	for name, value := range d.Properties {
		n += len(name) + len(value)
	}
	return n
}
