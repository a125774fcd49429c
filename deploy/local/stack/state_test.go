package stack

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deploy/local/supervise"
)

func TestStateIsKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	state, err := openState(dir)
	require.NoError(t, err)
	require.Equal(t, record{}, state.of("pulsar"))
	ports, err := state.ports("pulsar", 3)
	require.NoError(t, err)
	require.Len(t, ports, 3)
	id := supervise.ID{PID: 7, Started: 4711}
	require.NoError(t, state.started("pulsar", id))

	again, err := openState(dir)
	require.NoError(t, err)
	require.Equal(t, record{ID: id, Ports: ports}, again.of("pulsar"), "as a program leaves it that is killed now")
	same, err := again.ports("pulsar", 3)
	require.NoError(t, err)
	require.Equal(t, ports, same)

	require.NoError(t, again.ended("pulsar", true))
	require.Equal(t, record{Ports: ports, Clean: true}, again.of("pulsar"))
	require.NoError(t, again.ended("pulsar", false))
	require.Equal(t, record{Ports: ports}, again.of("pulsar"))

	more, err := again.ports("pulsar", 4)
	require.NoError(t, err)
	require.Len(t, more, 4, "a newer version needs another number")
}

func TestTwoProgramsShareTheState(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one, err := openState(dir)
	require.NoError(t, err)
	two, err := openState(dir)
	require.NoError(t, err)
	id := supervise.ID{PID: 7, Started: 4711}
	require.NoError(t, one.started("pulsar", id))
	require.NoError(t, two.started("chroma", id))
	require.Equal(t, record{}, two.of("pulsar"))
	require.NoError(t, two.refresh())
	require.Equal(t, record{ID: id}, two.of("pulsar"), "the second did not write over what the first had written")
}

func TestBrokenStateIsNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, stateName), []byte("{"), 0o600))
	_, err := openState(dir)
	require.ErrorContains(t, err, filepath.Join(dir, stateName))
	require.ErrorContains(t, err, "remove the file")
	_, err = Attach(dir)
	require.Error(t, err)
}

func TestWriteFileReplacesAsAWhole(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, []byte("old"), 0o644))
	reader, err := os.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, reader.Close()) }()
	require.NoError(t, writeFile(path, "new", 0o600))
	old := make([]byte, 3)
	_, err = reader.Read(old)
	require.NoError(t, err)
	require.Equal(t, "old", string(old), "who reads the old file is not disturbed")
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	require.NoFileExists(t, path+".new")
	require.ErrorContains(t, writeFile(filepath.Join(path, "below"), "", 0o600), "below")
}

func TestAttachWithoutAStack(t *testing.T) {
	t.Parallel()
	_, err := Attach(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, ErrNotUp)
}

func TestFolderThatPulsarCannotLiveIn(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"My Projects", "a:b", "it's", "$HOME"} {
		_, err := Start(t.Context(), Options{Dir: filepath.Join(t.TempDir(), name)})
		require.ErrorContains(t, err, "name another folder", name)
	}
}

func TestEnvFileIsReadByAShell(t *testing.T) {
	t.Parallel()
	env := Env{
		PulsarURL: "pulsar://127.0.0.1:1", PulsarAdminURL: "http://127.0.0.1:2", PulsarAdmin: "/a folder/it's/pulsar-admin",
		PostgresURL: "postgres://postgres:p$w`d&x@127.0.0.1:3/postgres?sslmode=disable",
		ChromaURL:   "http://127.0.0.1:4", EmbeddingURL: "http://127.0.0.1:5/v1", EmbeddingModel: EmbeddingModel,
	}
	file := filepath.Join(t.TempDir(), "stack.env")
	require.NoError(t, os.WriteFile(file, []byte(env.String()), 0o600))
	const show = `. "$0"; for v in PULSAR_URL PULSAR_ADMIN_URL PULSAR_ADMIN POSTGRES_URL CHROMA_URL EMBEDDING_URL EMBEDDING_MODEL; do eval "printf '%s=%s\n' $v \"\$$v\""; done`
	printed, err := exec.Command("/bin/sh", "-c", show, file).Output()
	require.NoError(t, err)
	require.Equal(t, strings.Join(env.Pairs(), "\n")+"\n", string(printed))
}

func TestAddressHidesThePassword(t *testing.T) {
	t.Parallel()
	require.Equal(t, "postgres://postgres:xxxxx@127.0.0.1:3/postgres", shown("postgres://postgres:hidden@127.0.0.1:3/postgres"))
	require.NotContains(t, shown("postgres://postgres:hid den%@:x"), "hid")
}
