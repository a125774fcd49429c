package supervise

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	soon  = 10 * time.Second
	often = 10 * time.Millisecond
	long  = time.Minute
)

// script starts a shell script and waits until it has printed "up".
func script(t *testing.T, text string, edit func(*Spec)) *Process {
	t.Helper()
	spec := Spec{Args: []string{"/bin/sh", "-c", text}, Env: os.Environ(), Dir: t.TempDir(), Log: filepath.Join(t.TempDir(), "log")}
	if edit != nil {
		edit(&spec)
	}
	p, err := Start(spec, spec.Log)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Kill(context.Background())) })
	require.Eventually(t, func() bool { return strings.Contains(logOf(p), "up") }, soon, often)
	return p
}

func logOf(p *Process) string {
	raw, err := os.ReadFile(p.spec.Log)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

// members is the present family, to be looked at after the end.
func members(t *testing.T, p *Process, atLeast int) map[ID]bool {
	t.Helper()
	var found map[ID]bool
	require.Eventually(t, func() bool {
		found = family(p.id, p.mark, nil)
		return len(found) >= atLeast
	}, soon, often)
	return found
}

func TestStopInOrder(t *testing.T) {
	t.Parallel()
	p := script(t, `trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.02; done`, nil)
	require.True(t, p.Alive())
	require.NotZero(t, p.ID().Started)
	require.NoError(t, p.Stop(t.Context(), long))
	require.False(t, p.Alive())
	require.Contains(t, logOf(p), "bye")
}

func TestStopUsesTheSignalThatIsWanted(t *testing.T) {
	t.Parallel()
	p := script(t, `trap 'echo int; exit 0' INT; trap 'echo term; exit 0' TERM; echo up; while :; do sleep 0.02; done`,
		func(s *Spec) { s.Interrupt = syscall.SIGINT })
	require.NoError(t, p.Stop(t.Context(), long))
	require.Contains(t, logOf(p), "int")
	require.NotContains(t, logOf(p), "term")
}

func TestStopKillsWhatDoesNotListen(t *testing.T) {
	t.Parallel()
	p := script(t, `trap '' TERM; echo up; while :; do sleep 0.02; done`, nil)
	begun := time.Now()
	require.NoError(t, p.Stop(t.Context(), 200*time.Millisecond))
	require.GreaterOrEqual(t, time.Since(begun), 200*time.Millisecond, "the grace was not given")
	require.False(t, p.Alive())
}

func TestStopDoesNotOutwaitItsContext(t *testing.T) {
	t.Parallel()
	p := script(t, `trap '' TERM; echo up; while :; do sleep 0.02; done`, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	begun := time.Now()
	require.NoError(t, p.Stop(ctx, long))
	require.False(t, p.Alive())
	require.Less(t, time.Since(begun), long)
}

func TestDrainEndsTheChildrenFirst(t *testing.T) {
	t.Parallel()
	const text = `(trap 'echo child; exit 0' TERM; echo ready; while :; do sleep 0.02; done) &
trap 'echo parent; exit 0' TERM; echo up; while :; do sleep 0.02; done`
	p := script(t, text, func(s *Spec) { s.Drain = long })
	require.Eventually(t, func() bool { return strings.Contains(logOf(p), "ready") }, soon, often)
	require.NoError(t, p.Stop(t.Context(), long))
	child, parent := strings.Index(logOf(p), "child"), strings.Index(logOf(p), "parent")
	require.Positive(t, child)
	require.Greater(t, parent, child, logOf(p))
}

func TestKillReachesTheWholeFamily(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"group":                "sleep 1000 & sleep 1000 & echo up; wait",
		"left the session":     "setsid sleep 1000 & sleep 1000 & echo up; wait",
		"grandchildren":        `sh -c 'sh -c "sleep 1000; :"; :' & echo up; wait`,
		"left without a trace": "env -i setsid sleep 1000 & sleep 1000 & echo up; wait",
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := script(t, text, nil)
			all := members(t, p, 3)
			require.NoError(t, p.Kill(t.Context()))
			require.True(t, noneAlive(all))
			require.NoError(t, p.Kill(t.Context()), "twice is as good")
		})
	}
}

func TestKillFindsWhatALeaderLeftBehind(t *testing.T) {
	t.Parallel()
	p := script(t, "sleep 1000 & setsid sleep 1000 & echo up; wait", nil)
	all := members(t, p, 3)
	require.NoError(t, syscall.Kill(p.id.PID, syscall.SIGKILL))
	require.Eventually(t, func() bool { return !p.Alive() }, soon, often)
	require.False(t, noneAlive(all), "the test needs orphans")
	require.NoError(t, p.Stop(t.Context(), long))
	require.True(t, noneAlive(all))
}

func TestAdopt(t *testing.T) {
	t.Parallel()
	p := script(t, `trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.02; done`, nil)
	other, ok := Adopt(p.ID(), p.spec, p.mark)
	require.True(t, ok)
	require.True(t, other.Alive())
	require.NoError(t, other.Stop(t.Context(), long))
	require.False(t, other.Alive())
	require.Contains(t, logOf(p), "bye")

	for name, id := range map[string]ID{
		"ended":      p.ID(),
		"none":       {},
		"other time": {PID: os.Getpid(), Started: 1},
	} {
		_, ok := Adopt(id, Spec{}, "")
		require.False(t, ok, name)
	}
}

func TestStartSaysWhatItCouldNotStart(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "log")
	_, err := Start(Spec{Args: []string{"/nowhere/program"}, Log: log}, "")
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "/nowhere/program")
	_, err = Start(Spec{Args: []string{"/bin/sh"}, Log: filepath.Join(log, "below a file")}, "")
	require.ErrorContains(t, err, "open the log")
}

func TestLogIsAppendedTo(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.WriteFile(log, []byte("before\n"), 0o600))
	p := script(t, "echo up; echo loud >&2; exec sleep 1000", func(s *Spec) { s.Log = log })
	require.Eventually(t, func() bool { return logOf(p) == "before\nup\nloud\n" }, soon, often)
}
