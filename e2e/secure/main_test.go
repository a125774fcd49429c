//go:build e2e

package secure

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowvec/rowvec/deploy/local/admin"
	"github.com/rowvec/rowvec/deploy/local/stack"
)

// The roles of README.md, "Security".
const (
	deployRole   = "rowvec-deploy"
	functionRole = "rowvec-function"
	sourceRole   = "rowvec-source"
	operatorRole = "rowvec-operator"
)

// The names under which the secrets of a planted value are found in the environment: the functions worker's, and so the function's.
const (
	keyName    = "OPENAI_API_KEY"
	chromaName = "CHROMA_TOKEN"
	pulsarName = "ROWVEC_PULSAR_TOKEN"
)

// planted are secrets that nothing else looks like.
var planted = map[string]string{
	keyName: "sk-planted-embedding-key-7f3a91", chromaName: "planted-chroma-token-c4d2e8",
	"reader's password": "planted-reader-password-91be5d", "source's password": "planted-source-password-2ac07f",
}

var world struct {
	stack            *stack.Stack
	env              stack.Env
	pulsar           admin.Pulsar
	db               *pgxpool.Pool
	root             string // of the project
	out              string // what the test writes
	chroma, endpoint *front
}

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e/secure:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	if world.root, err = filepath.Abs("../.."); err != nil {
		return 1, err
	}
	world.out = filepath.Join(world.root, "e2e", "out", "secure")
	opts := stack.Options{Dir: filepath.Join(world.out, "stack"), Out: os.Stderr, Secure: true}
	if err := sweep(ctx, opts.Dir); err != nil {
		return 1, err
	}
	if err := plant(opts); err != nil {
		return 1, err
	}
	if world.stack, err = stack.Start(ctx, opts); err != nil {
		return 1, err
	}
	defer func() {
		stop, done := context.WithTimeout(context.Background(), time.Minute)
		defer done()
		err = errors.Join(err, world.stack.Stop(stop))
	}()
	world.env, world.pulsar = world.stack.Env(), world.stack.Admin()
	if err := prepareDatabase(ctx); err != nil {
		return 1, err
	}
	defer world.db.Close()
	if err := openFronts(); err != nil {
		return 1, err
	}
	defer closeFronts()
	return m.Run(), nil
}

// sweep removes what an earlier run has left.
func sweep(ctx context.Context, dir string) error {
	old, err := stack.Attach(dir)
	if errors.Is(err, stack.ErrNotUp) {
		return nil
	}
	if err == nil {
		err = old.Wipe(ctx)
	}
	return err
}

// plant puts the secrets where README.md says that they are safe: into the environment that the functions worker will have, and into files.
func plant(opts stack.Options) error {
	if err := os.MkdirAll(world.out, 0o750); err != nil {
		return err
	}
	s, err := stack.Open(opts) // draws the ports, and makes the authority
	if err != nil {
		return err
	}
	for _, role := range []string{deployRole, functionRole, sourceRole, operatorRole} {
		path, err := s.Authority.Token(role)
		if err != nil {
			return err
		}
		token, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		planted["token of "+role] = string(token)
	}
	passwords := filepath.Join(world.out, "pgpass")
	if err := os.WriteFile(passwords, []byte("127.0.0.1:*:*:rowvec_source:"+planted["source's password"]+"\n"), 0o600); err != nil {
		return err
	}
	return errors.Join(
		os.Setenv(keyName, planted[keyName]), os.Setenv(chromaName, planted[chromaName]),
		os.Setenv(pulsarName, planted["token of "+functionRole]), os.Setenv("PGPASSFILE", passwords),
	)
}

// readerFile writes the address of Postgres, with the password of the role that only reads, to a file, and returns its path.
func readerFile() (string, error) {
	db, err := url.Parse(world.env.PostgresURL)
	if err != nil {
		return "", err
	}
	db.User = url.UserPassword("rowvec_reader", planted["reader's password"])
	path := filepath.Join(world.out, "reader-url")
	return path, os.WriteFile(path, []byte(db.String()+"\n"), 0o600)
}

// prepareDatabase makes the tables, and the roles by the very script that README.md names.
func prepareDatabase(ctx context.Context) (err error) {
	if world.db, err = pgxpool.New(ctx, world.env.PostgresURL); err != nil {
		return fmt.Errorf("reach Postgres: %w", err)
	}
	for _, t := range []string{"articles", "reviews"} {
		if _, err := world.db.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS app; CREATE TABLE app.`+t+` (
			id bigint PRIMARY KEY, title text NOT NULL, body text, price numeric(10,2), tags text[], created_at timestamptz NOT NULL DEFAULT now())`); err != nil {
			return fmt.Errorf("make table app.%s: %w", t, err)
		}
	}
	out, err := exec.CommandContext(ctx, "psql", world.env.PostgresURL, "-f", filepath.Join(world.root, "connector", "setup.sql"),
		"-v", "tables=app.articles,app.reviews", "-v", "password="+planted["source's password"],
		"-v", "reader=rowvec_reader", "-v", "reader_password="+planted["reader's password"]).CombinedOutput()
	if err != nil {
		return fmt.Errorf("run setup.sql: %w: %s", err, out)
	}
	return nil
}
