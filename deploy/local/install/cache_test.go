package install

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func newCache(t *testing.T) *Cache {
	t.Helper()
	cache, err := NewCache(filepath.Join(t.TempDir(), "cache"))
	require.NoError(t, err)
	return cache
}

// entry writes one file and counts how often it was built.
func entry(builds *atomic.Int32) Entry {
	return Entry{Name: "thing-1", Build: func(_ context.Context, dir string) error {
		builds.Add(1)
		return os.WriteFile(filepath.Join(dir, "file"), []byte("whole"), 0o600)
	}}
}

func content(t *testing.T, dir string) []string {
	t.Helper()
	found, err := os.ReadDir(dir)
	require.NoError(t, err)
	names := make([]string, 0, len(found))
	for _, f := range found {
		names = append(names, f.Name())
	}
	return names
}

func TestEnsureBuildsOnce(t *testing.T) {
	t.Parallel()
	cache, builds := newCache(t), &atomic.Int32{}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			dir, err := cache.Ensure(t.Context(), entry(builds), nil)
			if err != nil || dir != filepath.Join(cache.dir, "thing-1") {
				t.Errorf("%q, %v", dir, err)
			}
		})
	}
	group.Wait()
	require.EqualValues(t, 1, builds.Load())
	require.Equal(t, []string{"file"}, content(t, filepath.Join(cache.dir, "thing-1")))
	require.Equal(t, []string{"thing-1", "thing-1.lock"}, content(t, cache.dir))
}

func TestFailedBuildLeavesNothing(t *testing.T) {
	t.Parallel()
	cache, wrong := newCache(t), errors.New("no network")
	failing := Entry{Name: "thing-1", Build: func(_ context.Context, dir string) error {
		return errors.Join(os.WriteFile(filepath.Join(dir, "half"), nil, 0o600), wrong)
	}}
	_, err := cache.Ensure(t.Context(), failing, nil)
	require.ErrorIs(t, err, wrong)
	require.ErrorContains(t, err, "install thing-1")
	require.Equal(t, []string{"thing-1.lock"}, content(t, cache.dir))
	_, err = cache.Ensure(t.Context(), entry(&atomic.Int32{}), nil)
	require.NoError(t, err)
}

// A run that was killed while it built leaves a folder of another name.
func TestInterruptedBuildIsNotTakenForDone(t *testing.T) {
	t.Parallel()
	cache, builds := newCache(t), &atomic.Int32{}
	left, other := filepath.Join(cache.dir, partial("thing-1")+"123"), filepath.Join(cache.dir, partial("thing-2")+"123")
	require.NoError(t, os.Mkdir(left, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(left, "half"), nil, 0o600))
	require.NoError(t, os.Mkdir(other, 0o755))
	dir, err := cache.Ensure(t.Context(), entry(builds), nil)
	require.NoError(t, err)
	require.EqualValues(t, 1, builds.Load())
	require.Equal(t, []string{"file"}, content(t, dir))
	require.NoDirExists(t, left)
	require.DirExists(t, other, "another thing may be under way")
}

func TestBrokenEntryIsBuiltAgain(t *testing.T) {
	t.Parallel()
	cache, builds := newCache(t), &atomic.Int32{}
	checked := entry(builds)
	checked.Check = func(_ context.Context, dir string) error {
		_, err := os.Stat(filepath.Join(dir, "file"))
		return err
	}
	dir, err := cache.Ensure(t.Context(), checked, nil)
	require.NoError(t, err)
	require.NoError(t, os.Remove(filepath.Join(dir, "file")))
	_, err = cache.Ensure(t.Context(), checked, nil)
	require.NoError(t, err)
	require.EqualValues(t, 2, builds.Load())
	require.FileExists(t, filepath.Join(dir, "file"))
}

// Checking takes a moment, and the user may press Ctrl-C in it: that is no reason to remove a folder that other runs use.
func TestInterruptedCheckLeavesTheFolder(t *testing.T) {
	t.Parallel()
	cache, builds := newCache(t), &atomic.Int32{}
	ctx, cancel := context.WithCancel(t.Context())
	checked := entry(builds)
	dir, err := cache.Ensure(ctx, checked, nil)
	require.NoError(t, err)
	checked.Check = func(ctx context.Context, _ string) error {
		cancel()
		return ctx.Err()
	}
	_, err = cache.Ensure(ctx, checked, nil)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, []string{"file"}, content(t, dir))
	require.EqualValues(t, 1, builds.Load())
}

func TestLock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := Lock(t.Context(), path, nil)
	require.NoError(t, err)

	ctx, cancel := context.WithCancel(t.Context())
	_, err = Lock(ctx, path, cancel) // whoever waits says so, once; here it also gives up
	require.ErrorIs(t, err, context.Canceled)

	waiting, taken := make(chan struct{}), make(chan error)
	go func() {
		release, err := Lock(t.Context(), path, func() { close(waiting) })
		if err == nil {
			release()
		}
		taken <- err
	}()
	<-waiting
	unlock()
	require.NoError(t, <-taken)

	_, err = Lock(t.Context(), filepath.Join(path, "below a file"), nil)
	require.ErrorContains(t, err, "open the lock")
}

func TestNewCacheTakesTheUsersFolder(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", home)
	cache, err := NewCache("")
	require.NoError(t, err)
	require.Equal(t, filepath.Join(home, "rowvec"), cache.dir)
	require.DirExists(t, cache.dir)
}
