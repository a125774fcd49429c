package stack

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deploy/local/supervise"
)

// lingers stands for a program that takes its time, in a child that has left its group.
const lingers = `#!/bin/sh
[ "$ROWVEC_STACK" ] || exit 1
setsid sleep 1000 &
echo $! > "$(dirname "$0")/pid"
wait
`

// Ctrl-C may come while a part is prepared: whatever that had started must be gone when the stack's program ends.
func TestInterruptedPreparationLeavesNothing(t *testing.T) {
	t.Parallel()
	bin := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(bin, "initdb"), []byte(lingers), 0o755))
	db := &postgres{place: place{dir: t.TempDir(), ports: []int{5432}}, bin: bin, find: as(&runner{})}
	broker := distribution(t)
	require.NoError(t, os.MkdirAll(filepath.Join(broker.dir, "data", "metadata"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(broker.distribution, "bin", "bookkeeper"), []byte(lingers), 0o755))
	for name, part := range map[string]struct {
		service service
		pid     string
	}{
		"initdb":       {db, filepath.Join(bin, "pid")},
		"forgetBookie": {broker, filepath.Join(broker.dir, "bin", "pid")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- part.service.prepare(ctx, true) }()
			var pid int
			require.Eventually(t, func() bool {
				raw, err := os.ReadFile(part.pid)
				if err == nil {
					pid, err = strconv.Atoi(strings.TrimSpace(string(raw)))
				}
				return err == nil
			}, 10*time.Second, 10*time.Millisecond)
			cancel()
			select {
			case err := <-ended:
				require.ErrorIs(t, err, context.Canceled)
			case <-time.After(10 * time.Second):
				t.Error("it waits for what it did not kill")
			}
			_, alive := supervise.Find(pid)
			require.False(t, alive)
		})
	}
}
