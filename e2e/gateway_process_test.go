//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/event"
	"github.com/rowvec/rowvec/gateway/monitor"
)

// gatewayProcess is a `rowvec serve` that runs.
type gatewayProcess struct {
	url     string
	process *exec.Cmd
	log     *bytes.Buffer // complete once wait has returned
	wait    func() error
}

// serve starts the gateway of a function on a free port and reads its address. It is killed after the test, should it still run.
func (d *deployment) serve(t *testing.T) *gatewayProcess {
	t.Helper()
	g := &gatewayProcess{log: &bytes.Buffer{}}
	g.process = exec.Command(filepath.Join(world.root, "bin", "rowvec"), "serve", "-f", d.file, "--listen", "127.0.0.1:0")
	g.process.Stderr = g.log
	out, err := g.process.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, g.process.Start())
	g.wait = sync.OnceValue(g.process.Wait)
	t.Cleanup(func() {
		_ = g.process.Process.Kill()
		_ = g.wait()
		t.Logf("log of the gateway:\n%s", g.log)
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	g.url = strings.TrimSpace(line)
	return g
}

// ask sends a request, decodes the answer where into is given, and returns the status.
func (g *gatewayProcess) ask(t *testing.T, method, path, body, token string, into any) int {
	t.Helper()
	answer := g.send(t, method, path, body, token)
	defer answer.Body.Close()
	if into != nil {
		require.NoError(t, json.NewDecoder(answer.Body).Decode(into), path)
	}
	return answer.StatusCode
}

func (g *gatewayProcess) send(t *testing.T, method, path, body, token string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, g.url+path, strings.NewReader(body))
	require.NoError(t, err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	return answer
}

func (g *gatewayProcess) get(t *testing.T, path string, into any) {
	t.Helper()
	require.Equal(t, http.StatusOK, g.ask(t, http.MethodGet, path, "", allToken, into), path)
}

func (g *gatewayProcess) text(t *testing.T, path string) string {
	t.Helper()
	answer := g.send(t, http.MethodGet, path, "", allToken)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.StatusCode, path)
	return string(text)
}

// requireCleanStop ends the gateway as a service manager does.
func (g *gatewayProcess) requireCleanStop(t *testing.T) {
	t.Helper()
	begun := time.Now()
	require.NoError(t, g.process.Process.Signal(syscall.SIGTERM))
	require.NoError(t, g.wait(), "exit code 0")
	require.Less(t, time.Since(begun), 8*time.Second)
	for _, secret := range []string{allToken, otherToken, world.env.PostgresURL} {
		require.NotContains(t, g.log.String(), secret)
	}
}

// listener keeps what an event stream said.
type listener struct {
	mu      sync.Mutex
	changes []monitor.Change
	last    monitor.State
	settled map[event.Outcome]int64 // by ticks
	ticks   int
}

// listen opens the event stream and waits for its first words. It is read until the gateway ends it, or the test ends.
func (g *gatewayProcess) listen(t *testing.T, token string) *listener {
	t.Helper()
	answer := g.send(t, http.MethodGet, "/v1/events", "", token)
	require.Equal(t, http.StatusOK, answer.StatusCode)
	l := &listener{settled: map[event.Outcome]int64{}}
	lines := bufio.NewReaderSize(answer.Body, 1<<20)
	name, _, err := l.next(lines)
	require.NoError(t, err)
	require.Equal(t, "hello", name)
	var reader sync.WaitGroup
	reader.Go(func() {
		for {
			name, data, err := l.next(lines)
			if err != nil {
				return
			}
			l.take(name, data)
		}
	})
	t.Cleanup(func() {
		_ = answer.Body.Close()
		reader.Wait()
	})
	return l
}

// next reads one event.
func (l *listener) next(lines *bufio.Reader) (name string, data []byte, err error) {
	for {
		line, err := lines.ReadString('\n')
		line = strings.TrimSuffix(line, "\n")
		field, value, _ := strings.Cut(line, ": ")
		switch {
		case err != nil:
			return "", nil, err
		case field == "event":
			name = value
		case field == "data":
			data = []byte(value)
		case line == "" && name != "":
			return name, data, nil
		}
	}
}

func (l *listener) take(name string, data []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch name {
	case "change":
		var c monitor.Change
		_ = json.Unmarshal(data, &c) // one that cannot be read is one that is missing
		l.changes = append(l.changes, c)
	case "tick":
		l.ticks++
		var tick monitor.Tick
		_ = json.Unmarshal(data, &tick) // as above
		for outcome, n := range tick.Outcomes {
			l.settled[outcome] += n
		}
	case "status":
		var s monitor.Status
		_ = json.Unmarshal(data, &s) // as above
		l.last = s.State
	}
}

// requireChange waits for a change that was committed just now.
func (l *listener) requireChange(t *testing.T, row string, operation event.Operation, outcome event.Outcome) {
	t.Helper()
	begun := time.Now()
	eventually(t, 5*time.Second, func(context.Context) error {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, c := range l.changes {
			if c.Table == gatewayTable && c.Row == row && c.Operation == operation && c.Outcome == outcome {
				t.Logf("%s of row %s: durable %d ms after its commit, shown within %v", operation, row, *c.FreshnessMs, time.Since(begun).Round(time.Millisecond))
				return nil
			}
		}
		return fmt.Errorf("no %s of row %s in %+v", operation, row, l.changes)
	})
}

// requireNothing is for a listener that may see none of the tables in which something happens: it hears the seconds pass.
func (l *listener) requireNothing(t *testing.T) {
	t.Helper()
	eventually(t, 10*time.Second, func(context.Context) error {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.ticks < 3 {
			return fmt.Errorf("heard %d ticks", l.ticks)
		}
		return nil
	})
	require.Empty(t, l.outcomes())
	l.mu.Lock()
	defer l.mu.Unlock()
	require.Empty(t, l.changes)
}

func (l *listener) outcomes() map[event.Outcome]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[event.Outcome]int64{}
	for outcome, n := range l.settled {
		if n > 0 {
			out[outcome] = n
		}
	}
	return out
}

func (l *listener) state() monitor.State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}
