//go:build e2e

package chaos

import (
	"context"
	"path/filepath"
	"sync"
	"time"

	"github.com/rowvec/rowvec/e2e/footprint"
)

// What tells a process of the worker by its command line.
const (
	instanceProcess = footprint.Instance
	sourceProcess   = "functions.instance.JavaInstanceMain"
)

// processes finds those of this stack, as an operator would with ps.
func (w *world) processes(holding string) ([]int, error) {
	return footprint.Find(filepath.Join(w.out, "chaos-stack"), holding)
}

// usage is what the instances use at one time.
type usage struct {
	at       time.Time
	resident int64 // bytes, of the largest
	threads  int   // of the one with the most
	running  int   // instances
}

// meter samples the instances each second.
type meter struct {
	world *world

	mu      sync.Mutex
	samples []usage
}

func (m *meter) run(ctx context.Context) {
	for rest(ctx, time.Second) {
		there, err := m.world.processes(instanceProcess)
		if err != nil {
			continue // none runs just now
		}
		u := usage{at: time.Now()}
		for _, pid := range there {
			if use, err := footprint.Of(pid); err == nil {
				u.resident, u.threads, u.running = max(u.resident, use.Resident), max(u.threads, use.Threads), u.running+1
			}
		}
		m.mu.Lock()
		m.samples = append(m.samples, u)
		m.mu.Unlock()
	}
}

// peak is the most that was seen of each.
func (m *meter) peak() (most usage) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, u := range m.samples {
		most.resident, most.threads = max(most.resident, u.resident), max(most.threads, u.threads)
	}
	return most
}
