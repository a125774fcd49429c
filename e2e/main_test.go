//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/deploy/local/admin"
	"github.com/rowvec/rowvec/deploy/local/stack"
)

// world is the real stack that all tests share, with what they reach it by.
var world struct {
	stack  *stack.Stack
	env    stack.Env
	pulsar admin.Pulsar
	db     *pgxpool.Pool
	chroma *chroma.Client
	root   string // of the project
}

// otherTables are captured by sources of their own.
var otherTables = []string{"served2", "served3", "typed"}

// tables are the tables that the source captures; each test has its own, so that none waits for another.
var tables = []string{
	"articles", "bulk", "outage", "refused", "model", "pattern_a", "pattern_b", "pattern_c", "spare", "verify", "verify_types", "history",
	"unchanged", "replayed", "redriven", "events", "dashboard", "gateway", "letters",
	"products", "reviews", "quota", "stalled",
}

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	if world.root, err = filepath.Abs(".."); err != nil {
		return 1, err
	}
	if err := sweep(ctx); err != nil {
		return 1, err
	}
	world.stack, err = stack.Start(ctx, stack.Options{Dir: stackDir(), Out: os.Stderr})
	if err != nil {
		return 1, err
	}
	defer func() {
		stop, done := context.WithTimeout(context.Background(), time.Minute)
		defer done()
		if e := world.stack.Stop(stop); e != nil && err == nil {
			code, err = 1, e
		}
	}()
	if err := connect(ctx); err != nil {
		return 1, err
	}
	defer world.db.Close()
	if err := prepareDatabase(ctx); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

func stackDir() string { return filepath.Join(world.root, "e2e", "out", "stack") }

// sweep removes what an earlier run has left: these tests begin with an empty stack.
func sweep(ctx context.Context) error {
	old, err := stack.Attach(stackDir())
	if errors.Is(err, stack.ErrNotUp) {
		return nil
	}
	if err == nil {
		err = old.Wipe(ctx)
	}
	return err
}

func connect(ctx context.Context) (err error) {
	world.env = world.stack.Env()
	world.pulsar = admin.Pulsar{Program: world.env.PulsarAdmin, URL: world.env.PulsarAdminURL}
	if world.db, err = pgxpool.New(ctx, world.env.PostgresURL); err != nil {
		return fmt.Errorf("reach Postgres: %w", err)
	}
	world.chroma, err = chroma.New(chroma.Config{URL: world.env.ChromaURL, Timeout: time.Minute})
	return err
}
