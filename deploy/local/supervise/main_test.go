package supervise

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain also plays, in a copy of this program, the run that is killed in TestGuard.
func TestMain(m *testing.M) {
	if log := os.Getenv("SUPERVISE_TEST_LOG"); log != "" {
		p, err := Start(Spec{Args: []string{"/bin/sh", "-c", os.Getenv("SUPERVISE_TEST_SCRIPT")}, Env: os.Environ(), Dir: "/", Log: log}, log)
		if err != nil {
			_, _ = fmt.Fprintln(os.Stdout, err) // not the number that TestGuard waits for
			return
		}
		_, _ = fmt.Fprintln(os.Stdout, p.ID().PID)
		select {}
	}
	goleak.VerifyTestMain(m)
}
