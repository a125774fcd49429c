package supervise

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestGuard kills a run, by the one signal that it cannot see, and looks at what it had started.
func TestGuard(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "log")
	run := exec.Command(os.Args[0])
	run.Env = append(os.Environ(), "SUPERVISE_TEST_LOG="+log, "SUPERVISE_TEST_SCRIPT=trap '' TERM HUP; sleep 1000 & sleep 1000 & echo up; wait")
	out, err := run.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, run.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	require.NoError(t, err, line)
	leader, ok := lookup(pid)
	require.True(t, ok)
	var all map[ID]bool
	require.Eventually(t, func() bool {
		all = family(leader.id(), log, nil)
		return len(all) == 3
	}, soon, often)

	require.NoError(t, run.Process.Kill())
	require.Error(t, run.Wait())
	require.Eventually(t, func() bool { return noneAlive(all) }, soon, often)
}

func TestGuardIsPoliteWhereThatIsWanted(t *testing.T) {
	t.Parallel()
	p := script(t, `trap 'echo quit; exit 0' QUIT; echo up; while :; do sleep 0.02; done`, func(s *Spec) { s.Abandon = syscall.SIGQUIT })
	require.NoError(t, p.guard.line.Close()) // what the death of this program would do
	require.Eventually(t, func() bool { return !p.Alive() }, soon, often)
	require.Contains(t, logOf(p), "quit")
}

func TestReleasedGuardLeavesTheProcessAlone(t *testing.T) {
	t.Parallel()
	p := script(t, "echo up; exec sleep 1000", nil)
	guard := p.guard.cmd.Process.Pid
	p.guard.release()
	p.guard.release()
	_, there := lookup(guard)
	require.False(t, there)
	require.True(t, p.Alive())
}

func TestDetachedProcessHasNoGuard(t *testing.T) {
	t.Parallel()
	p := script(t, "echo up; exec sleep 1000", func(s *Spec) { s.Detach = true })
	require.Nil(t, p.guard)
}
