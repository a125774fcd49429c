package stack

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
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
	bin    string // folder of initdb and postgres
	runner *runner
}

func newPostgres(at place) service { return &postgres{place: at, runner: &runner{}} }

func (p *postgres) install(ctx context.Context, _ *install.Cache, _ *progress.Task) (err error) {
	if p.bin, err = install.PostgresBin(ctx); err != nil {
		return fmt.Errorf("find PostgreSQL: %w", err)
	}
	p.runner, err = findRunner()
	return err
}

// home is the folder of the data: the stack's own, unless the user that runs Postgres cannot get there (below root's home, or a test's folder).
func (p *postgres) home() string {
	if p.runner.reaches(p.dir) {
		return p.dir
	}
	return elsewhere(p.dir)
}

func (p *postgres) data() string { return filepath.Join(p.home(), "data") }

// prepare makes the data folder once.
func (p *postgres) prepare(ctx context.Context, _ bool) error {
	if _, err := os.Stat(p.data()); err == nil {
		return p.evict(ctx)
	}
	return p.initdb(ctx)
}

// evict ends a server that still works on the data though nobody remembers it: the state file was lost. Postgres overwrites its environment, and with it the mark by
// which the other parts are found, but it keeps its number in the data folder, and works there.
func (p *postgres) evict(ctx context.Context) error {
	raw, err := os.ReadFile(filepath.Join(p.data(), "postmaster.pid"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for a server that is still running: %w", err)
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil || pid <= 0 {
		return nil //nolint:nilerr // half written: Postgres itself will say what it thinks of it
	}
	if where, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid)); err != nil || where != p.data() {
		return nil //nolint:nilerr // gone, or the number is somebody else's by now
	}
	id, ok := supervise.Find(pid)
	if !ok {
		return nil
	}
	if err := supervise.KillFamily(ctx, id, ""); err != nil {
		return fmt.Errorf("end a server that is still running: %w", err)
	}
	return nil
}

// initdb makes the data folder beside its place, and then renames it: when it is interrupted it leaves nothing that looks like data.
func (p *postgres) initdb(ctx context.Context) error {
	if err := p.runner.own(p.home()); err != nil {
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
	if err := p.runner.own(secret); err != nil {
		return err
	}
	initdb := exec.CommandContext(ctx, filepath.Join(p.bin, "initdb"), "--pgdata", fresh, "--username", superuser,
		"--auth", "scram-sha-256", "--pwfile", secret, "--encoding", "UTF8", "--no-locale", "--no-sync")
	initdb.Dir, initdb.Env = p.home(), environ([]string{"PG*"})
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: p.runner.credential}
	if printed, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, strings.TrimSpace(string(printed)))
	}
	if err := os.Rename(fresh, p.data()); err != nil {
		return fmt.Errorf("put the data folder in place: %w", err)
	}
	return nil
}

// password is drawn once. It is kept in a file of its own, so that a lost state file does not lock anybody out of the data.
func (p *postgres) password(create bool) (string, error) {
	path := filepath.Join(p.dir, "password")
	raw, err := os.ReadFile(path)
	if err == nil || !create || !errors.Is(err, os.ErrNotExist) {
		return string(raw), err
	}
	drawn := rand.Text()
	return drawn, writeFile(path, drawn, 0o600)
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
		Args: args, Env: environ([]string{"PG*"}), Dir: "/", User: p.runner.credential,
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
