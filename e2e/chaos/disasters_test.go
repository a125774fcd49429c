//go:build e2e

package chaos

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/rowvec/rowvec/function/verify"
)

// loseChroma has Chroma crash, and its disk with it.
func (r *run) loseChroma(ctx context.Context) error {
	if err := r.world.stack.Chroma.Kill(ctx); err != nil {
		return err
	}
	data := filepath.Join(r.world.out, "chaos-stack", "chroma", "data")
	if _, err := os.Stat(data); err != nil {
		return fmt.Errorf("find what Chroma would lose: %w", err)
	}
	r.watch.Forget()
	return os.RemoveAll(data)
}

// rebuildIndex starts an empty Chroma and has `rowvec verify --repair` fill it beside the running function, as the README says. Rows that cannot be indexed
// are not counted against it: the planter has some.
func (r *run) rebuildIndex(ctx context.Context) error {
	if err := r.world.stack.Chroma.Start(ctx); err != nil {
		return err
	}
	return until(ctx, patience, func(ctx context.Context) error {
		found, err := r.world.verify(ctx, r.verifyFile, "--repair")
		if err != nil {
			return err
		}
		if found.Repair != nil {
			r.rebuilt += found.Repair.Mended[verify.Missing]
		}
		if left := found.Total(); left > len(r.planter.planted()) {
			return fmt.Errorf("after the repair %d rows differ: %v, for example %v", left, found.Faults, found.Examples)
		}
		return nil
	})
}

// failOver replaces the database by a copy of itself on a new server, whose log begins anew, at lower positions. What was committed after the copy is lost.
func (r *run) failOver(ctx context.Context) (err error) {
	r.planter.mu.Lock() // its rows would be lost, too, and with them the reason of their letters
	defer func() {
		if err != nil {
			r.planter.mu.Unlock()
		}
	}()
	w, copied := r.world, filepath.Join(r.world.out, "chaos-copy.sql")
	var data string
	if err := w.db.QueryRow(ctx, "SHOW data_directory").Scan(&data); err != nil {
		return err
	}
	for range 20 { // far ahead of where a new server begins
		if _, err := w.db.Exec(ctx, "SELECT pg_logical_emit_message(false, 'rowvec', ''), pg_switch_wal()"); err != nil {
			return err
		}
	}
	if err := w.copyDatabase(ctx, copied); err != nil {
		return err
	}
	if err := w.db.QueryRow(ctx, "SELECT pg_current_wal_lsn() - '0/0'").Scan(&r.position); err != nil {
		return err
	}
	rest(ctx, breath) // for changes that the copy does not have
	if err := w.stack.Postgres.Stop(ctx); err != nil {
		return err
	}
	return os.RemoveAll(data)
}

// takeOver starts the copy, and makes the source again, which knows nothing of the new server.
func (r *run) takeOver(ctx context.Context) error {
	defer r.planter.mu.Unlock()
	w := r.world
	if err := w.stack.Postgres.Start(ctx); err != nil {
		return err
	}
	if err := w.restore(ctx, filepath.Join(w.out, "chaos-copy.sql")); err != nil {
		return err
	}
	var position float64
	if err := until(ctx, patience, func(ctx context.Context) error {
		return w.db.QueryRow(ctx, "SELECT pg_current_wal_lsn() - '0/0'").Scan(&position)
	}); err != nil {
		return err
	}
	if position >= r.position {
		return fmt.Errorf("the copy's log is at %.0f, which is not before %.0f", position, r.position)
	}
	if err := r.forgetOffset(ctx); err != nil {
		return err
	}
	if err := w.admin("sources", "create", "--source-config-file", r.sourceFile)(ctx); err != nil {
		return err
	}
	return until(ctx, patience, w.streams)
}

// copyDatabase writes the statements that make the server's databases and roles again.
func (w *world) copyDatabase(ctx context.Context, file string) error {
	at, err := url.Parse(w.env.PostgresURL)
	if err != nil {
		return err
	}
	password, _ := at.User.Password()
	c := exec.CommandContext(ctx, "pg_dumpall", "--dbname", w.env.PostgresURL, "--file", file)
	c.Env = append(os.Environ(), "PGPASSWORD="+password) // for the program that it starts for each database
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("copy the database: %w: %s", err, out)
	}
	return nil
}

// restore runs a copy's statements. The one that makes the superuser fails, as he is there; what matters is looked at afterwards.
func (w *world) restore(ctx context.Context, copied string) error {
	out, err := exec.CommandContext(ctx, "psql", w.env.PostgresURL, "--quiet", "--file", copied).CombinedOutput()
	if err != nil {
		return fmt.Errorf("restore the copy: %w: %s", err, out)
	}
	return until(ctx, patience, func(ctx context.Context) error {
		var rows, published int
		err := w.db.QueryRow(ctx, "SELECT (SELECT count(*) FROM app.chaos), (SELECT count(*) FROM pg_publication_tables WHERE pubname = 'rowvec')").Scan(&rows, &published)
		if err == nil && (rows == 0 || published == 0) {
			err = fmt.Errorf("the copy has %d rows and publishes %d tables: %s", rows, published, out)
		}
		return err
	})
}
