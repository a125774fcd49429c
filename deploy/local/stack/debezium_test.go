package stack

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDebeziumNeedsSettings(t *testing.T) {
	t.Parallel()
	for version, of := range map[string]func(place) service{"2.7.3": newDebezium2, "3.0.0": newDebezium3} {
		d, ok := of(place{dir: t.TempDir(), ports: []int{8085}}).(*debezium)
		require.True(t, ok)
		d.distribution, d.java = "/cache/debezium", "/jvm"
		require.ErrorContains(t, d.prepare(t.Context(), false), "StartDebezium")
		spec := d.spec()
		require.Equal(t, "/jvm/bin/java", spec.Args[0])
		require.Contains(t, spec.Args, "-Dquarkus.http.port=8085")
		require.Contains(t, spec.Args, "/cache/debezium/debezium-server-dist-"+version+".Final-runner.jar:config:/cache/debezium/lib/*")
	}
}

// Debezium Server is not among what Start brings up; it starts on demand, with other settings as often as one likes, and ends with the stack.
func TestDebeziumStartsOnDemandAndEndsWithTheStack(t *testing.T) {
	t.Parallel()
	s, _ := assembleFakes(t, t.TempDir(), readyAtOnce)
	require.NoError(t, bringUp(t, s))
	require.NotContains(t, s.Components(), s.Debezium2)
	require.NotContains(t, s.Components(), s.Debezium3)
	require.Zero(t, s.Debezium3.PID())

	require.NoError(t, s.StartDebezium(t.Context(), s.Debezium3, []byte("a=1\n")))
	first := s.Debezium3.PID()
	require.NotZero(t, first)
	require.Zero(t, s.Debezium2.PID())
	settings := filepath.Join(s.Debezium3.at.dir, "config", "application.properties")
	require.Equal(t, "a=1\n", read(t, settings))
	require.NoError(t, s.StartDebezium(t.Context(), s.Debezium2, []byte("b=1\n")))
	require.Equal(t, first, s.Debezium3.PID(), "side by side")
	require.NoError(t, s.StartDebezium(t.Context(), s.Debezium3, []byte("a=2\n")))
	require.NotEqual(t, first, s.Debezium3.PID())
	require.Equal(t, "a=2\n", read(t, settings))
	info, err := os.Stat(settings)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "it holds a password")

	require.NoError(t, s.Stop(t.Context()))
	for _, c := range s.all() {
		require.Zero(t, c.PID(), c.Name())
	}
	require.NoError(t, s.Wipe(t.Context()))
	require.NoDirExists(t, s.Debezium3.at.dir)
}
