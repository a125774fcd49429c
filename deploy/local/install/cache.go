// Package install puts the programs of the local stack onto the machine: system packages with apt-get, Java archives through Maven, Python
// packages into environments of their own. What it installs is kept in the user's cache, one folder for each version.
package install

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/rowvec/rowvec/deploy/local/progress"
)

// lockPoll is how often a lock that another run holds is tried again.
const lockPoll = 200 * time.Millisecond

// Cache is a folder of installed versions. Several programs may use it at the same time.
type Cache struct{ dir string }

// NewCache uses dir, or the user's cache folder when dir is empty.
func NewCache(dir string) (*Cache, error) {
	if dir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("find the cache folder (set XDG_CACHE_HOME or HOME): %w", err)
		}
		dir = filepath.Join(base, "rowvec")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find the cache folder: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // another user runs Postgres; nothing secret is kept here
		return nil, fmt.Errorf("make the cache folder: %w", err)
	}
	return &Cache{dir: dir}, nil
}

// Entry is one thing to have in the cache.
type Entry struct {
	// Name is the folder's name and says the version: another version is another folder.
	Name string
	// Build fills dir, which is empty. The folder is moved afterwards, so nothing in it may name its own place.
	Build func(ctx context.Context, dir string) error
	// Check says what is wrong with a folder that was complete once; such a folder is built again. May be nil.
	Check func(ctx context.Context, dir string) error
}

// Ensure returns the folder of the entry and builds it when it is missing. A folder is put in place only when it is complete, by a rename:
// an interrupted build is never taken for a finished one, and the next run removes what it left.
func (c *Cache) Ensure(ctx context.Context, e Entry, task *progress.Task) (string, error) {
	final := filepath.Join(c.dir, e.Name)
	if ok, err := e.usable(ctx, final); ok || err != nil {
		return final, err
	}
	unlock, err := Lock(ctx, final+".lock", func() { task.Phase("waiting for another installation of %s", e.Name) })
	if err != nil {
		return "", err
	}
	defer unlock()
	if ok, err := e.usable(ctx, final); ok || err != nil {
		return final, err
	}
	if err := c.clear(e.Name); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(c.dir, partial(e.Name))
	if err != nil {
		return "", fmt.Errorf("install %s: %w", e.Name, err)
	}
	if err := c.build(ctx, e, dir, final); err != nil {
		return "", errors.Join(fmt.Errorf("install %s: %w", e.Name, err), os.RemoveAll(dir))
	}
	return final, nil
}

func (c *Cache) build(ctx context.Context, e Entry, dir, final string) error {
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // as above
		return err
	}
	if err := e.Build(ctx, dir); err != nil {
		return err
	}
	return os.Rename(dir, final)
}

// usable looks at the folder. A check that was interrupted says nothing about it: the error then is the context's.
func (e Entry) usable(ctx context.Context, dir string) (bool, error) {
	if _, err := os.Stat(dir); err != nil {
		return false, ctx.Err()
	}
	if e.Check == nil || e.Check(ctx, dir) == nil {
		return true, nil
	}
	return false, ctx.Err()
}

// partial is the beginning of the names of folders that are being built.
func partial(name string) string { return ".partial-" + name + "-" }

// clear removes a broken folder and what interrupted builds left. The lock is held, so no build is under way.
func (c *Cache) clear(name string) error {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return fmt.Errorf("read the cache folder: %w", err)
	}
	for _, found := range entries {
		if found.Name() != name && !strings.HasPrefix(found.Name(), partial(name)) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(c.dir, found.Name())); err != nil {
			return fmt.Errorf("clear the cache folder: %w", err)
		}
	}
	return nil
}

// Lock takes an advisory lock on the file, which the system gives back when the holder dies. busy is called once when somebody else holds it.
func Lock(ctx context.Context, path string, busy func()) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock: %w", err)
	}
	release := func() { _ = f.Close() } // closing gives the lock back
	tick := time.NewTicker(lockPoll)
	defer tick.Stop()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return release, nil
		case !errors.Is(err, syscall.EWOULDBLOCK):
			release()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		if busy != nil {
			busy()
			busy = nil
		}
		select {
		case <-ctx.Done():
			release()
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}
