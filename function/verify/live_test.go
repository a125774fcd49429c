package verify

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma/chromatest"
	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/function/indexer"
	"github.com/rowvec/rowvec/function/wire"
)

// live is the function at work beside a repair: before each part of it is mended, it writes newer states of some of the part's rows. In the
// middle of the mending the repair may be killed.
type live struct {
	Applier

	pipeline *Pipeline // the same

	r       *rig
	rng     *rand.Rand
	quiet   bool           // writes nothing
	kill    int            // the write of the repair at which it is killed; -1: never
	written map[string]int // rows that are there, by id, with the number of their records
	err     error
	lsn     uint64
}

var errKilled = errors.New("killed")

func (l *live) Apply(ctx context.Context, changes []indexer.Record) ([]indexer.Outcome, error) {
	if l.err = l.interfere(ctx, changes); l.err != nil {
		return nil, l.err
	}
	if l.kill < 0 {
		return l.Applier.Apply(ctx, changes)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var writes atomic.Int32
	l.r.server.Control(func(q chromatest.Request) *chromatest.Response {
		if slices.Contains([]string{"add", "upsert", "update", "delete"}, q.Op) && int(writes.Add(1)) > l.kill {
			cancel(errKilled)
			return &chromatest.Response{Status: 503}
		}
		return nil
	})
	outcomes, err := l.Applier.Apply(ctx, changes)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		l.pipeline.Close() // its writer with it, while nothing can be written
		return nil, cause
	}
	l.r.server.Control(nil) // the function's own writes are not refused
	return outcomes, err
}

// interfere changes or deletes about half of the rows.
func (l *live) interfere(ctx context.Context, changes []indexer.Record) error {
	if l.quiet {
		return nil
	}
	for _, c := range changes {
		id, err := l.r.config.Builder.ID(c.Change)
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(id)
		if err != nil || l.rng.IntN(2) == 0 {
			continue
		}
		if l.rng.IntN(4) == 0 {
			err = l.delete(ctx, n)
		} else {
			err = l.write(ctx, n)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *live) version() connector.Version {
	l.lsn++
	return connector.Version{LSN: 1<<50 + l.lsn, CommitTime: fenceEpoch.AddDate(1, 0, int(l.lsn))}
}

func (l *live) write(ctx context.Context, id int) error {
	table, err := l.r.table.Describe(ctx, "", nil, nil)
	if err != nil {
		return err
	}
	row := long(id, 1+l.rng.IntN(14))
	c, err := table.change(row, wire.Form{})
	if err != nil {
		return err
	}
	c.Version = l.version()
	l.r.table.put(row)
	doc, err := l.r.config.Builder.Build(c)
	if err != nil {
		return err
	}
	l.written[strconv.Itoa(id)] = len(doc.Chunks)
	return l.apply(ctx, c)
}

func (l *live) delete(ctx context.Context, id int) error {
	l.r.table.remove(strconv.Itoa(id))
	delete(l.written, strconv.Itoa(id))
	return l.apply(ctx, &connector.Change{
		Op: connector.Delete, Table: l.r.table.name, Key: []connector.Column{{Name: "id", Value: int64(id)}}, Version: l.version(),
	})
}

func (l *live) apply(ctx context.Context, c *connector.Change) error {
	outcomes, err := l.r.pipeline.Apply(ctx, []indexer.Record{{Change: c}})
	if err == nil && outcomes[0].Kind == indexer.Poison {
		return fmt.Errorf("a live change is poison: %w", outcomes[0].Err)
	}
	return err
}

// TestARepairBesideTheLiveFunction has rows written and deleted between the look at them and their mending, and most repairs killed at one
// of their writes. What the function wrote it can delete afterwards to the last record: no mark counts too few. And in the end the
// collection is equal.
func TestARepairBesideTheLiveFunction(t *testing.T) {
	t.Parallel()
	killed := atomic.Int32{}
	t.Run("seeds", func(t *testing.T) {
		for seed := range uint64(40) {
			t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
				t.Parallel()
				if runBeside(t, seed) {
					killed.Add(1)
				}
			})
		}
	})
	require.Greater(t, killed.Load(), int32(15))
}

func runBeside(t *testing.T, seed uint64) (killed bool) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 7))
	r := newRig(t, chunked)
	var rows []Row
	for id := range 20 + rng.IntN(20) {
		rows = append(rows, long(id, 1+rng.IntN(14)))
	}
	r.table.put(rows...)
	r.index(wire.Form{}, rows...)
	r.plantRandomly(rng)
	p := r.newPipeline()
	l := &live{Applier: p, pipeline: p, r: r, rng: rng, kill: rng.IntN(10) - 2, written: map[string]int{}}
	r.config.Applier = l
	_, err := Run(t.Context(), r.config)
	require.NoError(t, l.err)
	if killed = err != nil; killed {
		require.ErrorIs(t, err, errKilled)
	}
	r.server.Control(nil)

	for id, n := range l.written {
		number, err := strconv.Atoi(id)
		require.NoError(t, err)
		require.NoError(t, l.delete(t.Context(), number))
		left, err := r.col.Records(t.Context(), document.ChunkIDs(id, 0, n))
		require.NoError(t, err)
		require.Empty(t, left, "of row %s with %d records", id, n)
	}
	r.config.Applier = &live{Applier: r.newPipeline(), r: r, rng: rng, quiet: true, kill: -1}
	report, err := Run(t.Context(), r.config)
	require.NoError(t, err)
	require.True(t, report.Equal, "%+v", report)
	return killed
}
