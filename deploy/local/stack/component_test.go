package stack

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deploy/local/supervise"
)

func TestComponentLives(t *testing.T) {
	t.Parallel()
	s, fakes := assembleFakes(t, t.TempDir(), readyAtOnce)
	c := s.Chroma
	require.Zero(t, c.PID())
	require.NoError(t, c.Start(t.Context()))
	first, url := c.PID(), c.URL()
	require.NotZero(t, first)
	require.NoError(t, c.Start(t.Context()))
	require.Equal(t, first, c.PID(), "it ran already")

	require.NoError(t, c.Restart(t.Context()))
	require.NotEqual(t, first, c.PID())
	require.Equal(t, url, c.URL())

	require.NoError(t, c.Kill(t.Context()))
	require.Zero(t, c.PID())
	require.NoError(t, os.Remove(filepath.Join(c.at.dir, "ready"))) // a killed script does not
	require.ErrorIs(t, c.Ready(t.Context()), errNotReady)
	require.NoError(t, c.Restart(t.Context()))
	require.NotZero(t, c.PID())

	require.NoError(t, c.Stop(t.Context()))
	require.Zero(t, c.PID())
	require.NoError(t, c.Stop(t.Context()), "twice is as good")
	require.NoError(t, c.Start(t.Context()))
	require.Equal(t, []bool{true, false, true, false}, fakes[1].preparedAfter, "what to repair after")
}

func TestComponentThatExits(t *testing.T) {
	t.Parallel()
	s, _ := assembleFakes(t, t.TempDir(), exits)
	err := s.Pulsar.Start(t.Context())
	require.ErrorIs(t, err, ErrExited)
	var start *StartError
	require.ErrorAs(t, err, &start)
	require.Equal(t, "pulsar", start.Component)
	require.ErrorContains(t, err, s.Pulsar.Log())
	require.True(t, strings.HasSuffix(err.Error(), "cannot open the door"), err.Error())
}

func TestComponentThatNeverAnswers(t *testing.T) {
	t.Parallel()
	s, fakes := assembleFakes(t, t.TempDir(), neverReady)
	fakes[3].start = 500 * time.Millisecond
	err := s.Pulsar.Start(t.Context())
	require.ErrorIs(t, err, errNotReady)
	require.ErrorContains(t, err, "no answer within 500ms")
	require.ErrorContains(t, err, "thinking")

	fakes[3].start = time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, s.Pulsar.Start(ctx), context.DeadlineExceeded)
}

// Whoever runs "up" after a crash gets rid of what the crash left, though nobody remembers the number of any process.
func TestStartClearsWhatAnEarlierRunLeft(t *testing.T) {
	t.Parallel()
	s, _ := assembleFakes(t, t.TempDir(), readyAtOnce)
	orphan := exec.Command("/bin/sleep", "1000")
	orphan.Env = []string{supervise.MarkKey + "=" + s.Chroma.at.mark()}
	require.NoError(t, orphan.Start())
	neighbour := exec.Command("/bin/sleep", "1000")
	neighbour.Env = []string{supervise.MarkKey + "=" + s.Postgres.at.mark()}
	require.NoError(t, neighbour.Start())
	defer func() {
		require.NoError(t, neighbour.Process.Kill())
		require.Error(t, neighbour.Wait())
	}()
	require.NoError(t, s.Chroma.Start(t.Context()))
	var exit *exec.ExitError
	require.ErrorAs(t, orphan.Wait(), &exit)
	require.Equal(t, syscall.SIGKILL, exit.Sys().(syscall.WaitStatus).Signal())
	require.NoError(t, neighbour.Process.Signal(syscall.Signal(0)), "another part's process is left alone")
}

func TestAnotherProgramTakesOver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, _ := assembleFakes(t, dir, readyAtOnce)
	require.NoError(t, bringUp(t, first))
	require.False(t, first.Reused())

	second, fakes := assembleFakes(t, dir, readyAtOnce)
	require.NoError(t, bringUp(t, second))
	require.True(t, second.Reused())
	for i, c := range second.Components() {
		require.Equal(t, first.Components()[i].PID(), c.PID(), c.Name())
		require.Equal(t, first.Components()[i].URL(), c.URL(), c.Name())
		require.Empty(t, fakes[i].preparedAfter, "nothing was started")
	}
	require.NoError(t, second.Stop(t.Context()))
	for _, c := range first.Components() {
		require.Zero(t, c.PID(), c.Name())
	}
}

func TestHalfDeadStackIsRepaired(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, _ := assembleFakes(t, dir, readyAtOnce)
	require.NoError(t, bringUp(t, first))
	require.NoError(t, syscall.Kill(first.Chroma.PID(), syscall.SIGKILL)) // died unseen
	require.NoError(t, os.Remove(filepath.Join(first.Chroma.at.dir, "ready")))
	require.NoError(t, os.Remove(filepath.Join(first.Embedding.at.dir, "ready"))) // runs, but does not answer
	deaf := first.Embedding.PID()

	second, fakes := assembleFakes(t, dir, readyAtOnce)
	fakes[2].start = time.Second
	require.NoError(t, bringUp(t, second))
	require.False(t, second.Reused())
	require.Equal(t, first.Postgres.PID(), second.Postgres.PID())
	require.Equal(t, first.Pulsar.PID(), second.Pulsar.PID())
	require.Equal(t, first.Chroma.URL(), second.Chroma.URL())
	require.NotZero(t, second.Chroma.PID())
	require.NotEqual(t, deaf, second.Embedding.PID())
	require.Equal(t, []bool{true}, fakes[1].preparedAfter)
}

func TestStopFindsWhatAnotherProgramRestarted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, _ := assembleFakes(t, dir, readyAtOnce)
	require.NoError(t, bringUp(t, first))
	second, _ := assembleFakes(t, dir, readyAtOnce)
	require.NoError(t, bringUp(t, second))
	require.NoError(t, second.Chroma.Restart(t.Context()))
	require.Zero(t, first.Chroma.PID(), "it knows only the process that is gone")
	require.NoError(t, first.Stop(t.Context()))
	require.Zero(t, second.Chroma.PID())
	require.True(t, first.state.of("chroma").Clean, "it was stopped, not killed")
}

func TestFailedStartStopsOnlyWhatItStarted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, _ := assembleFakes(t, dir, readyAtOnce)
	require.NoError(t, first.Postgres.Start(t.Context()))

	second, fakes := assembleFakes(t, dir, readyAtOnce)
	fakes[3].script = exits
	wrong := errors.New("no such package")
	fakes[2].installFails = wrong
	err := bringUp(t, second)
	require.Error(t, err)
	require.NoError(t, second.abandon(t.Context()))
	require.NotZero(t, first.Postgres.PID())
	for _, c := range second.Components()[1:] {
		require.Zero(t, c.PID(), c.Name())
	}
}

func TestInstallFailureIsTheComponentsError(t *testing.T) {
	t.Parallel()
	s, fakes := assembleFakes(t, t.TempDir(), readyAtOnce)
	wrong := errors.New("no such package")
	fakes[1].installFails = wrong
	require.ErrorIs(t, s.Chroma.Start(t.Context()), wrong)
	require.Zero(t, s.Chroma.PID())
	fakes[1].installFails = nil
	require.NoError(t, s.Chroma.Start(t.Context()), "the next try installs again")
}

func TestWipe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, _ := assembleFakes(t, dir, readyAtOnce)
	require.NoError(t, bringUp(t, s))
	require.NoError(t, s.Wipe(t.Context()))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1)
	require.Equal(t, "stack.lock", left[0].Name())
}
