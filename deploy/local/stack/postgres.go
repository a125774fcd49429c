package stack

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rowvec/rowvec/deploy/local/install"
	"github.com/rowvec/rowvec/deploy/local/progress"
	"github.com/rowvec/rowvec/deploy/local/supervise"
)

// superuser is the role that initdb makes.
const superuser = "postgres"

type postgres struct {
	place
	bin  string // folder of initdb and postgres
	find func() (*runner, error)
}

// newPostgres looks for the runner only when it is needed: the package that makes it may have to be installed first.
func newPostgres(at place) service { return &postgres{place: at, find: sync.OnceValues(findRunner)} }

// runner is the user that runs Postgres; where there is none, install has said so.
func (p *postgres) runner() *runner {
	if found, err := p.find(); err == nil {
		return found
	}
	return &runner{}
}

func (p *postgres) install(ctx context.Context, _ *install.Cache, _ *progress.Task) (err error) {
	if p.bin, err = install.PostgresBin(ctx); err != nil {
		return fmt.Errorf("find PostgreSQL: %w", err)
	}
	_, err = p.find()
	return err
}

// home is the folder of the data: the stack's own, unless the user that runs Postgres cannot get there (below root's home, or a test's folder).
func (p *postgres) home() string {
	if p.runner().reaches(p.dir) {
		return p.dir
	}
	return elsewhere(p.dir)
}

func (p *postgres) data() string { return filepath.Join(p.home(), "data") }

// prepare makes the data folder once.
func (p *postgres) prepare(ctx context.Context, _ bool) error {
	if err := p.disown(); err != nil {
		return err
	}
	if _, err := os.Stat(p.data()); err != nil {
		return p.initdb(ctx)
	}
	if _, err := p.password(false); err != nil { // else nobody could log in, and the start would end with its time
		return fmt.Errorf("read the password that belongs to the data in %s (put the file back, or remove the folder to begin without data): %w", p.dir, err)
	}
	return p.unlock()
}

// disown removes data outside that belongs to an earlier stack in the same folder: whoever removes the folder, as with a clone, means all that was in it,
// and the password was.
func (p *postgres) disown() error {
	if _, err := os.Stat(p.secret()); p.home() == p.dir || !errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err := p.unlock(); err != nil {
		return err
	}
	if _, err := os.Stat(p.lock()); err == nil {
		return fmt.Errorf("a PostgreSQL server that this stack did not start works on %s, of a stack whose folder is gone (see %s for its process): end it", p.data(), p.lock())
	}
	if err := os.RemoveAll(p.home()); err != nil {
		return fmt.Errorf("remove the data of a stack whose folder is gone: %w", err)
	}
	return nil
}

func (p *postgres) lock() string { return filepath.Join(p.data(), "postmaster.pid") }

// unlock removes the lock file that a killed server leaves, when its number is a zombie's or somebody else's by now: Postgres asks only whether the number is
// in use, and would not start. Whatever of an earlier run was still alive has been killed before; a server that somebody started by hand keeps its lock.
func (p *postgres) unlock() error {
	raw, err := os.ReadFile(p.lock())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the lock of an earlier server: %w", err)
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	if pid, err := strconv.Atoi(line); err == nil && p.inUse(pid) {
		return nil
	}
	if err := os.Remove(p.lock()); err != nil {
		return fmt.Errorf("remove the lock of an earlier server: %w", err)
	}
	return nil
}

// inUse reports whether the process works on the data, or may do so: a server's working directory is its data folder.
func (p *postgres) inUse(pid int) bool {
	if _, alive := supervise.Find(pid); !alive {
		return false
	}
	where, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	return err != nil || where == p.data()
}

// initdb makes the data folder beside its place, and then renames it: when it is interrupted it leaves nothing that looks like data.
func (p *postgres) initdb(ctx context.Context) error {
	if err := p.runner().own(p.home()); err != nil {
		return err
	}
	password, err := p.password(true)
	if err != nil {
		return err
	}
	fresh, secret := filepath.Join(p.home(), "data.new"), filepath.Join(p.home(), "password.initdb")
	if err := os.RemoveAll(fresh); err != nil {
		return fmt.Errorf("remove an unfinished data folder: %w", err)
	}
	if err := os.WriteFile(secret, []byte(password), 0o600); err != nil {
		return fmt.Errorf("hand the password to initdb: %w", err)
	}
	defer func() { _ = os.Remove(secret) }() // the folder is private anyway
	if err := p.runner().own(secret); err != nil {
		return err
	}
	if err := supervise.Run(ctx, supervise.Spec{
		Args: []string{
			filepath.Join(p.bin, "initdb"), "--pgdata", fresh, "--username", superuser,
			"--auth", "scram-sha-256", "--pwfile", secret, "--encoding", "UTF8", "--no-locale", "--no-sync",
		},
		Env: environ([]string{"PG*"}), Dir: p.home(), User: p.runner().credential,
	}, p.mark()); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	if err := os.Rename(fresh, p.data()); err != nil {
		return fmt.Errorf("put the data folder in place: %w", err)
	}
	return nil
}

func (p *postgres) secret() string { return filepath.Join(p.dir, "password") }

// password is drawn once. It is kept in the stack's folder, wherever the data is: data outside without it is of another stack, see disown.
func (p *postgres) password(create bool) (string, error) {
	raw, err := os.ReadFile(p.secret())
	if err == nil || !create || !errors.Is(err, os.ErrNotExist) {
		return string(raw), err
	}
	drawn := rand.Text()
	return drawn, writeFile(p.secret(), drawn, 0o600)
}

func (p *postgres) spec() supervise.Spec {
	settings := []string{
		"listen_addresses=127.0.0.1",
		"port=" + strconv.Itoa(p.ports[0]),
		"unix_socket_directories=", // several stacks side by side, and no folder that another user must write to
		"wal_level=logical",
		"max_wal_senders=32",
		"max_replication_slots=32",
		"logging_collector=off",
	}
	args := make([]string, 0, 3+2*len(settings))
	args = append(args, filepath.Join(p.bin, "postgres"), "-D", p.data())
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	return supervise.Spec{
		Args: args, Env: environ([]string{"PG*"}), Dir: "/", User: p.runner().credential,
		Interrupt: syscall.SIGINT,  // "fast shutdown": does not wait for clients to go
		Abandon:   syscall.SIGQUIT, // the server processes have left its group: it must end them itself
	}
}

func (p *postgres) ready(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, p.url())
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

func (p *postgres) url() string {
	password, err := p.password(false)
	if err != nil { // before the first start
		password = ""
	}
	address := url.URL{
		Scheme: "postgres", User: url.UserPassword(superuser, password),
		Host: "127.0.0.1:" + strconv.Itoa(p.ports[0]), Path: "/" + superuser, RawQuery: "sslmode=disable",
	}
	return address.String()
}

func (p *postgres) outside() []string { return []string{elsewhere(p.dir)} }

func (p *postgres) limits() (start, stop time.Duration) { return 2 * time.Minute, 30 * time.Second }
