package document

import (
	"sync"
	"sync/atomic"
)

// maxUnproven is how many rows a template may fail on before it has rendered any. Beyond it the template is at fault, not the rows.
const maxUnproven = 10

// proof tells a template that is wrong from rows that are.
type proof struct {
	proven atomic.Bool // the template has rendered a row

	mu     sync.Mutex
	failed map[string]struct{} // rows on which it failed before, up to one more than maxUnproven
}

func (p *proof) rendered() {
	if !p.proven.Load() {
		p.proven.Store(true)
	}
}

// failedOn counts a row, once however often it comes, and reports whether the template is at fault by now.
func (p *proof) failedOn(row string) bool {
	if p.proven.Load() {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed == nil {
		p.failed = make(map[string]struct{})
	}
	if len(p.failed) <= maxUnproven {
		p.failed[row] = struct{}{}
	}
	return len(p.failed) > maxUnproven
}

// Unproven reports whether the template is taken to be at fault (halt, template_failed): it failed on row after row and rendered none.
// The first row that it renders, in a Draft or Build, proves that those rows were.
func (b *Builder) Unproven() bool {
	if b.proof.proven.Load() {
		return false
	}
	b.proof.mu.Lock()
	defer b.proof.mu.Unlock()
	return len(b.proof.failed) > maxUnproven
}
