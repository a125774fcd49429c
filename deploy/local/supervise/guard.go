package supervise

import (
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"syscall"
)

// guardScript waits for a line on its standard input. When the input ends without one, the program that held the other end is dead, however it
// died: then the process is ended, first politely where that is wanted, then the whole group by force.
const guardScript = `read -r _ && exit 0
kill -s "$2" -- "$1" 2>/dev/null && sleep 2
kill -s KILL -- "-$3" 2>/dev/null`

// guard is a small process that outlives a killed test run just long enough to end what the run had started. PR_SET_PDEATHSIG would not do: it reaches
// only the direct child, and fires when the Go thread that started it ends.
type guard struct {
	cmd  *exec.Cmd
	line io.WriteCloser
}

func newGuard(pid int, abandon syscall.Signal) (*guard, error) {
	target := strconv.Itoa(pid)
	if abandon == 0 {
		abandon, target = syscall.SIGKILL, "-"+target
	}
	//nolint:noctx // a context must not end the guard
	cmd := exec.Command("/bin/sh", "-c", guardScript, "guard", target, strconv.Itoa(int(abandon)), strconv.Itoa(pid))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	line, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("open the guard's pipe: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the guard: %w", err)
	}
	return &guard{cmd: cmd, line: line}, nil
}

// release tells the guard that there is nothing left to end, and waits for it. It may be called twice, and on nil.
func (g *guard) release() {
	if g == nil || g.line == nil {
		return
	}
	_, _ = io.WriteString(g.line, "done\n") // a guard that was killed has nothing to be told
	_ = g.line.Close()
	_ = g.cmd.Wait()
	g.line = nil
}
