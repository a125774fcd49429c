package stack

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rowvec/rowvec/deploy/local/install"
	"github.com/rowvec/rowvec/deploy/local/progress"
	"github.com/rowvec/rowvec/deploy/local/supervise"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a part that is a shell script. It is ready when its file "ready" exists.
type fake struct {
	place
	script        string
	start         time.Duration
	installFails  error
	mu            sync.Mutex
	preparedAfter []bool // what prepare was told of the run before
}

const (
	readyAtOnce = `trap 'rm ready; exit 0' TERM; : > ready; while :; do sleep 0.02; done`
	neverReady  = `echo thinking; while :; do sleep 0.02; done`
	exits       = `echo "cannot open the door"; exit 1`
)

func (f *fake) install(context.Context, *install.Cache, *progress.Task) error { return f.installFails }

func (f *fake) prepare(_ context.Context, unclean bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.preparedAfter = append(f.preparedAfter, unclean)
	return nil
}

func (f *fake) spec() supervise.Spec {
	return supervise.Spec{Args: []string{"/bin/sh", "-c", f.script}, Env: os.Environ(), Dir: f.dir}
}

var errNotReady = errors.New("not ready")

func (f *fake) ready(context.Context) error {
	if _, err := os.Stat(filepath.Join(f.dir, "ready")); err != nil {
		return errNotReady
	}
	return nil
}

func (f *fake) url() string { return "fake://user:secret@127.0.0.1:" + strconv.Itoa(f.ports[0]) }

func (f *fake) outside() []string { return nil }

func (f *fake) limits() (start, stop time.Duration) { return f.start, time.Minute }

// assembleFakes makes a stack of parts that are all scripts.
func assembleFakes(t *testing.T, dir, script string) (*Stack, []*fake) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "logs"), 0o755))
	state, err := openState(dir)
	require.NoError(t, err)
	s := &Stack{opts: Options{Dir: dir}, state: state, log: slog.New(slog.DiscardHandler)}
	into := []**Component{&s.Postgres, &s.Chroma, &s.Embedding, &s.Pulsar, &s.Debezium2, &s.Debezium3, &s.Gateway}
	fakes := make([]*fake, len(into))
	for i, name := range []string{"postgres", "chroma", "embedding", "pulsar", "debezium2", "debezium3", "gateway"} {
		ports, err := state.ports(name, 3)
		require.NoError(t, err)
		at := place{dir: filepath.Join(dir, name), log: filepath.Join(dir, "logs", name+".log"), ports: ports}
		fakes[i] = &fake{place: at, script: script, start: time.Minute}
		*into[i] = &Component{stack: s, name: name, at: at, service: fakes[i]}
	}
	t.Cleanup(func() {
		for _, c := range s.all() {
			require.NoError(t, c.Kill(context.Background()))
		}
	})
	return s, fakes
}

// bringUp does what Start does after the system's programs were found.
func bringUp(t *testing.T, s *Stack) error {
	t.Helper()
	board := progress.New(nil)
	defer board.Close()
	return s.bring(t.Context(), board)
}
