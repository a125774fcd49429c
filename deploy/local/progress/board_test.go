package progress

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorder is an output that is no terminal.
type recorder struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *recorder) lines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Split(strings.TrimSuffix(r.text.String(), "\n"), "\n")
}

func TestPlainLines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := &recorder{}
		board := New(out)
		task := board.Task("pulsar")
		task.Phase("fetching %s", "4.0.8")
		task.Phase("fetching 4.0.8") // the same again is no news
		task.Amount(60, 240, "MB")
		time.Sleep(reminderEvery + time.Second) //nolint:forbidigo // the bubble's clock
		task.Phase("starting")
		task.Done("%s", "http://here")
		task.Phase("too late")
		time.Sleep(3 * reminderEvery) //nolint:forbidigo // the bubble's clock
		board.Close()
		require.Equal(t, []string{
			"   0.0s  pulsar     fetching 4.0.8",
			"  10.0s  pulsar     fetching 4.0.8  [======                  ] 60/240 MB  10s",
			"  11.0s  pulsar     starting",
			"  11.0s  pulsar     ready: http://here",
		}, out.lines())
	})
}

func TestFailShowsTheFirstLine(t *testing.T) {
	t.Parallel()
	out := &recorder{}
	board := New(out)
	board.Task("chroma").Fail(errors.New("it exited\nand a log"))
	board.Close()
	board.Close()
	require.Len(t, out.lines(), 1)
	require.True(t, strings.HasSuffix(out.lines()[0], "chroma     failed: it exited"), out.lines()[0])
}

func TestNothingIsShown(t *testing.T) {
	t.Parallel()
	var task *Task
	task.Phase("x")
	task.Amount(1, 2, "MB")
	task.Done("x")
	task.Fail(errors.New("x"))
	board := New(nil)
	board.Task("x").Phase("y")
	board.Close()
}

func TestTasksMayWorkAtOnce(t *testing.T) {
	t.Parallel()
	out := &recorder{}
	board := New(out)
	var group sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d"} {
		task := board.Task(name)
		group.Go(func() {
			for i := range int64(100) {
				task.Amount(i, 100, "rows")
			}
			task.Done("%s", name)
		})
	}
	group.Wait()
	board.Close()
	require.Len(t, out.lines(), 4)
}

func TestLine(t *testing.T) {
	t.Parallel()
	task := &Task{name: "x", begun: time.Now(), phase: "working"}
	require.Equal(t, "x          working", task.line())
	for _, c := range []struct{ done, total, filled int64 }{{0, 10, 0}, {5, 10, 12}, {10, 10, 24}, {11, 10, 24}} {
		task.Amount(c.done, c.total, "MB")
		require.Contains(t, task.line(), "["+strings.Repeat("=", int(c.filled))+strings.Repeat(" ", int(barWidth-c.filled))+"]")
	}
	task.Amount(5, 0, "MB")
	require.NotContains(t, task.line(), "[", "a total that is not known has no bar")
}

func TestCut(t *testing.T) {
	t.Parallel()
	require.Equal(t, "länger", cut("länger", 6))
	require.Equal(t, "läng…", cut("länger", 5))
	require.Equal(t, "länger", cut("länger", 0))
}
