package supervise

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPorts(t *testing.T) {
	t.Parallel()
	ports, err := Ports(t.Context(), 50)
	require.NoError(t, err)
	seen := map[int]bool{}
	free := 0 // of those that were drawn; a stack that starts beside may take one
	for _, port := range ports {
		require.False(t, seen[port], "drawn twice")
		seen[port] = true
		require.GreaterOrEqual(t, port, firstPort)
		require.Less(t, port, lastPort)
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err == nil {
			free++
			require.NoError(t, l.Close())
		}
	}
	require.Len(t, seen, 50)
	require.Greater(t, free, 45, "not given back")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Ports(ctx, 1)
	require.ErrorIs(t, err, context.Canceled)
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
