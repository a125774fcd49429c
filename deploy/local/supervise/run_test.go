package supervise

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func step(text string) Spec {
	return Spec{Args: []string{"/bin/sh", "-c", text}, Env: []string{"PATH=" + os.Getenv("PATH"), "WHO=me"}, Dir: "/"}
}

func TestRun(t *testing.T) {
	t.Parallel()
	mark := t.TempDir()
	require.NoError(t, Run(t.Context(), step(`[ "$WHO $ROWVEC_STACK $PWD" = "me `+mark+` /" ]`), mark))

	err := Run(t.Context(), step(`echo out; echo the reason >&2; exit 3`), mark)
	var failed *RunError
	require.ErrorAs(t, err, &failed)
	require.Equal(t, "out\nthe reason\n", failed.Printed)
	require.ErrorContains(t, err, "/bin/sh: exit status 3\nout\nthe reason")
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)

	require.ErrorIs(t, Run(t.Context(), Spec{Args: []string{"/nowhere/program"}}, mark), os.ErrNotExist)
}

// What a script starts may leave its group, and holds its output open: nothing of that may be left, or be waited for.
func TestInterruptedRunLeavesNothing(t *testing.T) {
	t.Parallel()
	mark := t.TempDir()
	up := filepath.Join(mark, "up")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, step(`trap '' TERM INT; setsid sleep 1000 & sleep 1000 & : > `+up+`; wait`), mark)
	}()
	require.Eventually(t, func() bool {
		_, err := os.Stat(up)
		return err == nil && len(family(ID{}, mark, nil)) == 3
	}, soon, often)
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	require.Empty(t, family(ID{}, mark, nil))
}
