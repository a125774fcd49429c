package stack

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deploy/local/supervise"
)

// as is how a part finds its runner.
func as(r *runner) func() (*runner, error) {
	return func() (*runner, error) { return r, nil }
}

func TestPasswordIsDrawnOnce(t *testing.T) {
	t.Parallel()
	p := &postgres{place: place{dir: t.TempDir(), ports: []int{5432}}, find: as(&runner{})}
	require.Equal(t, "postgres://postgres:@127.0.0.1:5432/postgres?sslmode=disable", p.url(), "nothing is drawn before the first start")
	first, err := p.password(true)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(first), 20)
	second, err := p.password(true)
	require.NoError(t, err)
	require.Equal(t, first, second)
	parsed, err := url.Parse(p.url())
	require.NoError(t, err)
	password, _ := parsed.User.Password()
	require.Equal(t, first, password)
	info, err := os.Stat(filepath.Join(p.dir, "password"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
}

// initdb stands for the real one: it checks what it is given, and can fail half-way.
const initdb = `#!/bin/sh
while [ $# -gt 0 ]; do case "$1" in --pgdata) data=$2; shift;; --pwfile) password=$2; shift;; esac; shift; done
[ -n "$PGDATA" ] && { echo "PGDATA is set"; exit 1; }
mkdir "$data" && cp "$password" "$data/seen" || exit 1
[ -e "$(dirname "$0")/fail" ] && { echo "disk full"; exit 1; }
exit 0
`

func TestDataFolderIsMadeOnceAndWhole(t *testing.T) {
	t.Parallel()
	bin := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(bin, "initdb"), []byte(initdb), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(bin, "fail"), nil, 0o600))
	p := &postgres{place: place{dir: t.TempDir(), ports: []int{5432}}, bin: bin, find: as(&runner{})}
	err := p.prepare(t.Context(), false)
	require.ErrorContains(t, err, "disk full")
	require.NoDirExists(t, p.data(), "an unfinished folder is not the data")

	require.NoError(t, os.Remove(filepath.Join(bin, "fail")))
	require.NoError(t, p.prepare(t.Context(), true))
	password, err := p.password(false)
	require.NoError(t, err)
	require.Equal(t, password, read(t, p.data(), "seen"))
	require.NoFileExists(t, filepath.Join(p.dir, "password.initdb"))

	require.NoError(t, os.Remove(filepath.Join(p.data(), "seen")))
	require.NoError(t, p.prepare(t.Context(), true))
	require.NoFileExists(t, filepath.Join(p.data(), "seen"), "data that is there stays as it is")
}

// outside is a Postgres whose runner cannot get to its folder, which lies in a clone; in reaches into the clone all the same.
func outside(t *testing.T) (p *postgres, clone string, in func(func())) {
	t.Helper()
	bin := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(bin, "initdb"), []byte(initdb), 0o755))
	self := &runner{credential: &syscall.Credential{Uid: uint32(os.Geteuid()), Gid: uint32(os.Getegid()), NoSetGroups: true}}
	clone = filepath.Join(t.TempDir(), "clone")
	p = &postgres{place: place{dir: filepath.Join(clone, "postgres"), ports: []int{5432}}, bin: bin, find: as(self)}
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(elsewhere(p.dir))) })
	return p, clone, func(do func()) {
		require.NoError(t, os.MkdirAll(p.dir, 0o700))
		require.NoError(t, os.Chmod(clone, 0o600)) // nobody gets through, not even its owner
		defer func() { require.NoError(t, os.Chmod(clone, 0o700)) }()
		require.Equal(t, elsewhere(p.dir), p.home())
		do()
	}
}

// asRoot is for what concerns root alone, whom no folder stops and whose Postgres runs as another user.
func asRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("root's stack only")
	}
}

func TestDataOutsideLivesAsLongAsTheFolder(t *testing.T) {
	t.Parallel()
	asRoot(t)
	p, clone, in := outside(t)
	for range 2 { // a clone, and the same clone made again
		in(func() {
			require.NoError(t, p.prepare(t.Context(), true))
			password, err := p.password(false)
			require.NoError(t, err)
			require.Equal(t, password, read(t, p.data(), "seen"), "made by this stack")
			require.NoError(t, os.WriteFile(filepath.Join(p.data(), "row"), nil, 0o600))
			require.NoError(t, p.prepare(t.Context(), true))
			require.FileExists(t, filepath.Join(p.data(), "row"), "started again, it has its data")
		})
		require.NoError(t, os.RemoveAll(clone))
	}
	in(func() {
		require.NoError(t, p.prepare(t.Context(), true))
		require.NoFileExists(t, filepath.Join(p.data(), "row"), "of the clone that was removed")
	})
}

// A server that somebody started by hand is not bereft of its data.
func TestDataOutsideThatIsInUse(t *testing.T) {
	t.Parallel()
	asRoot(t)
	p, clone, in := outside(t)
	in(func() {
		require.NoError(t, p.prepare(t.Context(), true))
		require.NoError(t, os.WriteFile(p.lock(), []byte(strconv.Itoa(serverAt(t, p.data()).Process.Pid)+"\n"), 0o600))
	})
	require.NoError(t, os.RemoveAll(clone))
	in(func() {
		require.ErrorContains(t, p.prepare(t.Context(), true), p.lock())
		require.DirExists(t, p.data())
	})
}

func TestDataWithoutItsPassword(t *testing.T) {
	t.Parallel()
	p := &postgres{place: place{dir: t.TempDir(), ports: []int{5432}}, find: as(&runner{})}
	require.NoError(t, os.Mkdir(p.data(), 0o700))
	err := p.prepare(t.Context(), true)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, p.home(), "what to remove")
	require.DirExists(t, p.data(), "it is the user's")
}

// serverAt stands for a server: a process at work in the folder, which ends with the test.
func serverAt(t *testing.T, data string) *exec.Cmd {
	t.Helper()
	server := exec.Command("/bin/sleep", "1000")
	server.Dir = data
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Kill() // it may have ended
		_ = server.Wait()
	})
	return server
}

func TestLockOfAnEarlierServer(t *testing.T) {
	t.Parallel()
	p := &postgres{place: place{dir: t.TempDir(), ports: []int{5432}}, find: as(&runner{})}
	require.NoError(t, os.Mkdir(p.data(), 0o700))
	_, err := p.password(true)
	require.NoError(t, err)
	lock := filepath.Join(p.data(), "postmaster.pid")
	locked := func(text string) bool {
		require.NoError(t, os.WriteFile(lock, []byte(text), 0o600))
		require.NoError(t, p.prepare(t.Context(), true))
		_, err := os.Stat(lock)
		return err == nil
	}
	server := serverAt(t, p.data())
	pid := strconv.Itoa(server.Process.Pid) + "\n" + p.data() + "\n"
	require.True(t, locked(pid), "somebody works there")
	require.False(t, locked(strconv.Itoa(os.Getpid())+"\n"), "the number belongs to somebody else by now")
	require.False(t, locked(""), "half written")

	require.NoError(t, server.Process.Kill())
	require.Eventually(t, func() bool {
		_, alive := supervise.Find(server.Process.Pid)
		return !alive
	}, 10*time.Second, 10*time.Millisecond)
	require.False(t, locked(pid), "a zombie, which kill(2) still finds")
	require.Error(t, server.Wait())
	require.False(t, locked(pid), "gone")
	require.NoError(t, p.prepare(t.Context(), true), "no lock")
}

func TestRunnerReaches(t *testing.T) {
	t.Parallel()
	open := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(open), 0o755)) // the test's folders are private at first
	closed := filepath.Join(open, "closed")
	require.NoError(t, os.MkdirAll(filepath.Join(closed, "in"), 0o755))
	require.NoError(t, os.Chmod(closed, 0o700))
	stranger := &runner{credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	require.True(t, stranger.reaches(filepath.Join(open, "data")), open)
	require.True(t, stranger.reaches(filepath.Join(open, "later", "data")), "what is not there yet will be made passable")
	require.False(t, stranger.reaches(filepath.Join(closed, "in", "data")))
	require.True(t, (&runner{}).reaches(filepath.Join(closed, "in", "data")), "this user")
	owner := &runner{credential: &syscall.Credential{Uid: uint32(os.Geteuid()), Gid: 65534}}
	require.True(t, owner.reaches(filepath.Join(closed, "in", "data")))
	group := &runner{credential: &syscall.Credential{Uid: 65534, Gid: uint32(os.Getegid())}}
	require.False(t, group.reaches(filepath.Join(closed, "in", "data")))

	require.Equal(t, elsewhere("/a"), elsewhere("/a"))
	require.NotEqual(t, elsewhere("/a"), elsewhere("/b"))
	p := &postgres{place: place{dir: filepath.Join(closed, "in"), ports: []int{1}}, find: as(stranger)}
	require.Equal(t, elsewhere(p.dir), p.home())
	require.Equal(t, []string{p.home()}, p.outside(), "wiping must find it")
}

func TestProbes(t *testing.T) {
	t.Parallel()
	leads := "true"
	status, vector := http.StatusOK, strings.Repeat("0.5,", EmbeddingDimensions-1)+"0.5"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		switch r.Method + " " + r.URL.Path {
		case "GET /admin/v2/clusters", "GET /admin/v3/functions/public/default":
			_, _ = w.Write([]byte(`["standalone"]`))
		case "GET /admin/v2/worker/cluster/leader/ready":
			_, _ = w.Write([]byte(leads))
		case "POST /v1/embeddings":
			_, _ = w.Write([]byte(`{"data":[{"embedding":[` + vector + `]}]}`))
		case "GET /api/v2/heartbeat":
		default:
			t.Errorf("%s %s", r.Method, r.URL)
		}
	}))
	defer server.Close()
	parsed, err := url.Parse(server.URL)
	require.NoError(t, err)
	port, err := strconv.Atoi(parsed.Port())
	require.NoError(t, err)
	at := place{dir: t.TempDir(), ports: []int{port, port, port}}
	parts := []service{newPulsar(at, nil), newChroma(at), newEmbedding(at)}
	for _, part := range parts {
		require.NoError(t, part.ready(t.Context()), "%T", part)
	}
	vector = "0.5"
	require.ErrorContains(t, newEmbedding(at).ready(t.Context()), "384 numbers")
	leads = "false"
	require.ErrorContains(t, newPulsar(at, nil).ready(t.Context()), "does not lead yet")
	status = http.StatusServiceUnavailable
	for _, part := range parts {
		require.ErrorContains(t, part.ready(t.Context()), "503", "%T", part)
	}
}
