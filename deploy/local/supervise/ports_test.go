package supervise

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPorts(t *testing.T) {
	t.Parallel()
	ports, err := Ports(t.Context(), 50)
	require.NoError(t, err)
	seen := map[int]bool{}
	for _, port := range ports {
		require.False(t, seen[port], "drawn twice")
		seen[port] = true
		require.GreaterOrEqual(t, port, firstPort)
		require.Less(t, port, lastPort)
	}
	require.Len(t, seen, 50)
	// A process that is being started beside holds them until it runs its program, and a stack that starts beside may take one.
	require.Eventually(t, func() bool { return free(ports) > 45 }, time.Minute, 10*time.Millisecond, "not given back")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Ports(ctx, 1)
	require.ErrorIs(t, err, context.Canceled)
}

// free counts the ports that nobody listens on.
func free(ports []int) (n int) {
	for _, port := range ports {
		if l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port)); err == nil {
			n++
			_ = l.Close()
		}
	}
	return n
}

func TestTail(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	require.Equal(t, "(the log is empty)", Tail(path, 3))
	for content, want := range map[string]string{
		"":                     "(the log is empty)",
		"one\n":                "one",
		"one\ntwo\nthree\n":    "two\nthree",
		"one\ntwo\nunfinished": "two\nunfinished",
		strings.Repeat("x", tailBytes+5) + "\nlast\n": strings.Repeat("x", tailBytes-6) + "\nlast",
	} {
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		require.Equal(t, want, Tail(path, 2))
	}
	require.Contains(t, Tail(t.TempDir(), 2), "cannot be read")
}
