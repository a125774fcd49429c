//go:build e2e

package chaos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// What tells a process of the worker by its command line.
const (
	instanceProcess = "rowvec-function\x00-instance-conf"
	sourceProcess   = "functions.instance.JavaInstanceMain"
)

// processes finds those of this stack, as an operator would with ps.
func (w *world) processes(holding string) ([]int, error) {
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return nil, err
	}
	ours := []byte(filepath.Join(w.out, "chaos-stack"))
	var found []int
	for _, path := range lines {
		args, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(args, ours) || !bytes.Contains(args, []byte(holding)) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			return nil, err
		}
		found = append(found, pid)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no process of %s", strings.ReplaceAll(holding, "\x00", " "))
	}
	return found, nil
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
			if resident, threads, err := used(pid); err == nil {
				u.resident, u.threads, u.running = max(u.resident, resident), max(u.threads, threads), u.running+1
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

// used reads a process's resident memory, and counts its threads.
func used(pid int) (resident int64, threads int, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		number, _, _ := strings.Cut(strings.TrimSpace(value), " ")
		switch name {
		case "VmRSS":
			kilobytes, failed := strconv.ParseInt(number, 10, 64)
			resident, err = kilobytes<<10, errors.Join(err, failed)
		case "Threads":
			count, failed := strconv.Atoi(number)
			threads, err = count, errors.Join(err, failed)
		}
	}
	return resident, threads, err
}
