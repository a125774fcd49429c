//go:build e2e

package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/rowvec/rowvec/e2e/chaos/report"
	"github.com/rowvec/rowvec/e2e/chaos/schedule"
	"github.com/rowvec/rowvec/e2e/observer"
)

const (
	canaries  = 8               // rows that tell of a recovery: enough for both instances to have some
	patience  = 4 * time.Minute // with one recovery, on a machine that does other work as well
	breath    = time.Second     // between two faults, at least
	giveBacks = 6 * time.Minute // bounds hurting and healing: Pulsar may take five minutes to start
)

// run takes a world through a schedule.
type run struct {
	*testing.T
	world                    *world
	rng                      *rand.Rand
	functionFile, sourceFile string
	verifyFile               string // the function's, with Postgres
	watch                    *observer.Observer
	planter                  *planter
	begun                    time.Time
	victim                   int     // process of an instance that was hurt
	canary                   int     // rows inserted so far
	lost                     bool    // the source's offset, once: with its slot, or with the server
	ghosts                   int     // of rows that were deleted while the source was away, and removed by `rowvec verify --repair`
	rebuilt                  int     // rows that `rowvec verify --repair` wrote into an index that had lost all
	position                 float64 // in the log of the last server that was replaced
	byHand                   int     // restarts of Pulsar after which the function had to be restarted, too
}

// suffer has the faults happen, one after the other.
func (r *run) suffer(ctx context.Context, faults []schedule.Fault) ([]report.Fault, error) {
	injuries := r.injuries()
	var done []report.Fault
	for n, f := range faults {
		i, known := injuries[f.Name]
		if !known {
			return done, fmt.Errorf("nobody knows how %q is done", f.Name)
		}
		if !rest(ctx, max(breath, time.Until(r.begun.Add(f.At)))) {
			return done, ctx.Err()
		}
		told, err := r.happen(ctx, f, i)
		if err != nil {
			told.Name += " (no recovery)"
			return append(done, told), fmt.Errorf("fault %d, %s, at %v: %w", n+1, f.Name, told.At.Round(time.Second), err)
		}
		back, _ := r.watch.Result()
		r.Logf("fault %2d of %d at %6.1fs: %-36s held %5.1fs, recovered after %5.1fs; %d rows went back so far",
			n+1, len(faults), told.At.Seconds(), f.Name, told.Held.Seconds(), told.Recovery.Seconds(), len(back))
		done = append(done, told)
	}
	return done, nil
}

// happen has one fault happen, and waits until a fresh change arrives in the index again.
func (r *run) happen(ctx context.Context, f schedule.Fault, i injury) (report.Fault, error) {
	limited, cancel := context.WithTimeout(ctx, giveBacks)
	defer cancel()
	told := report.Fault{Name: f.Name, Component: f.Component, At: time.Since(r.begun)}
	start := time.Now()
	if err := i.hurt(limited); err != nil {
		return told, fmt.Errorf("have it happen: %w", err)
	}
	rest(ctx, f.Hold)
	if i.heal != nil {
		if err := i.heal(limited); err != nil {
			return told, fmt.Errorf("give it back: %w", err)
		}
	}
	told.Held = time.Since(start)
	ended := time.Now()
	err := r.settles(ctx)
	told.Recovery = time.Since(ended)
	if err != nil {
		err = fmt.Errorf("no recovery: %w; %s", err, r.world.complaint(ctx))
	}
	return told, err
}

// settles inserts fresh rows and waits until the index has them.
func (r *run) settles(ctx context.Context) error {
	first := firstCanary + r.canary
	r.canary += canaries
	ids := make([]string, 0, canaries)
	for n := range canaries {
		ids = append(ids, strconv.Itoa(first+n))
	}
	if err := until(ctx, patience, func(ctx context.Context) error {
		_, err := r.world.db.Exec(ctx, `INSERT INTO app.chaos (id, title, body, price)
			SELECT i, 'Canary ' || i, 'It sings when all is well.', 1 FROM generate_series($1::bigint, $2::bigint) AS i ON CONFLICT DO NOTHING`, first, first+canaries-1)
		return err
	}); err != nil {
		return err
	}
	return until(ctx, patience, func(ctx context.Context) error {
		c, err := r.world.chroma.Collection(ctx, collection)
		if err != nil {
			return err
		}
		found, err := c.Get(ctx, ids)
		if err == nil && len(found) < len(ids) {
			err = fmt.Errorf("%d of %d fresh rows are in the index", len(found), len(ids))
		}
		return err
	})
}
