package stack

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// runner is the user that Postgres runs as: this one, unless this one is root, whom Postgres refuses.
type runner struct {
	credential *syscall.Credential // nil: this user
}

// findRunner picks, for root, the user that Debian's package makes, or else the one that owns nothing.
func findRunner() (*runner, error) {
	if os.Geteuid() != 0 {
		return &runner{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(found.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(found.Gid, 10, 32)
		if err := errors.Join(uidErr, gidErr); err != nil {
			return nil, fmt.Errorf("read the ids of the user %s: %w", name, err)
		}
		return &runner{credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as: add one, or start the stack as another user")
}

// own makes the path the runner's, and private; a folder is made when it is missing.
func (r *runner) own(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // the runner must get through
		return fmt.Errorf("make a folder: %w", err)
	}
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		if err := os.Mkdir(path, 0o700); err != nil {
			return fmt.Errorf("make a folder: %w", err)
		}
	}
	if r.credential == nil {
		return nil
	}
	if err := os.Chown(path, int(r.credential.Uid), int(r.credential.Gid)); err != nil {
		return fmt.Errorf("give %s to the user that runs Postgres: %w", path, err)
	}
	return nil
}

// reaches reports whether the runner can get to the path: every folder on the way must let it through.
func (r *runner) reaches(path string) bool {
	if r.credential == nil {
		return true
	}
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err == nil && !r.passes(info) {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}

func (r *runner) passes(info os.FileInfo) bool {
	owner, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok:
		return false
	case owner.Uid == r.credential.Uid:
		return info.Mode()&0o100 != 0
	case owner.Gid == r.credential.Gid:
		return info.Mode()&0o010 != 0
	}
	return info.Mode()&0o001 != 0
}

// elsewhere is a folder outside that stands for a folder which the runner cannot get to: always the same for the same one. It lies where every user has
// access, and survives a reboot.
func elsewhere(dir string) string {
	sum := sha256.Sum256([]byte(dir))
	return filepath.Join("/var/tmp", "rowvec-postgres-"+hex.EncodeToString(sum[:6]))
}
