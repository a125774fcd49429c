package verify

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/embed/embedtest"
	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/function/indexer"
	"github.com/rowvec/rowvec/function/wire"
)

func chunked(r *rig) {
	r.spec.Chunk = &document.ChunkSpec{Tokens: 8, Overlap: 2}
}

func long(id int, words int) Row {
	row := article(id)
	row[2].Text = strings.Repeat("some words that go on. ", words)
	return row
}

// TestRepairMendsEverything plants every fault that a row can have, some of them on top of each other.
func TestRepairMendsEverything(t *testing.T) {
	t.Parallel()
	r := newRig(t, chunked)
	r.fill(30)
	r.table.put(long(40, 12), long(41, 12), long(42, 12), long(43, 12), long(44, 12))
	r.index(wire.Form{}, r.table.sorted()[30:]...)
	requireFaults(t, nil, r.run())

	r.drop("7")
	r.drop("40")   // only the first: its chunks stay
	r.drop("41#1") // a hole
	r.forge("42#99", "a tail", mark())
	r.patch("43#1", map[string]any{document.KeyStart: int64(-5)})            // does not say where it stands
	r.patch("44#2", map[string]any{"title": "another", "extra": "too many"}) // in a later chunk only
	r.forge("8", "another text", nil)
	r.patch("9", map[string]any{document.KeyFingerprint: "0123456789abcdef"})
	r.patch("10", map[string]any{document.KeyLSN: "not a number"})
	r.forge("500", "of nobody", mark(map[string]any{"title": "x"}))
	r.forge("501#3", "a chunk of nobody", map[string]any{document.KeyRow: "501"})
	r.patch("11", map[string]any{"title": "another", "extra": true})
	r.forge("12#9", "a tail", mark())
	found := map[Kind][]string{
		Missing: {"7", "40"}, Stale: {"8", "9", "10"}, Ghost: {"500", "501"},
		Chunks: {"41", "42", "43", "12"}, Metadata: {"44", "11"},
	}
	requireFaults(t, found, r.run())

	report := r.repair()
	require.True(t, report.Equal, "%+v", report)
	require.Equal(t, map[Kind]int{Missing: 2, Stale: 3, Ghost: 2, Chunks: 4, Metadata: 2}, report.Repair.Mended)
	require.Empty(t, report.Repair.Failed)
	requireFaults(t, nil, r.run())
}

func TestNothingToMendChangesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(20)
	texts := r.endpoint.Stats().Texts
	report := r.repair()
	require.True(t, report.Equal)
	require.Nil(t, report.Repair)
	require.Equal(t, texts, r.endpoint.Stats().Texts)
	require.Zero(t, r.table.fences)
}

func TestMetadataIsMendedWithoutEmbedding(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(20)
	texts := r.endpoint.Stats().Texts
	r.patch("3", map[string]any{"title": "another"})
	report := r.repair()
	require.True(t, report.Equal)
	require.Equal(t, 1, report.Repair.Mended[Metadata])
	require.Equal(t, texts, r.endpoint.Stats().Texts)
}

// TestARepairYieldsToNewerChanges: a change that commits after the row was read wins, whichever reaches the index first.
func TestARepairYieldsToNewerChanges(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(5)
	r.drop("2")
	newer := article(2)
	newer[1].Text = "Newer"
	ahead := &overtaken{Applier: r.pipeline, r: r, row: newer}
	r.config.Applier = ahead
	report := r.run()
	require.True(t, report.Equal, "%+v", report)
	require.Equal(t, 1, ahead.n)
	got, err := r.col.Records(t.Context(), []string{"2"})
	require.NoError(t, err)
	require.Equal(t, "Newer: What is to be said of 2.", got["2"].Document)
}

// overtaken has the live function index a newer change right before the repair's.
type overtaken struct {
	Applier
	r   *rig
	row Row
	n   int
}

func (o *overtaken) Apply(ctx context.Context, changes []indexer.Record) ([]indexer.Outcome, error) {
	if o.n++; o.n == 1 {
		table, err := o.r.table.Describe(ctx, "", nil, nil)
		if err != nil {
			return nil, err
		}
		change, err := table.change(o.row, wire.Form{})
		if err != nil {
			return nil, err
		}
		change.Version = connector.Version{LSN: changes[0].Change.Version.LSN + 5, CommitTime: changes[0].Change.Version.CommitTime}
		o.r.table.put(o.row)
		if _, err := o.Applier.Apply(ctx, []indexer.Record{{Change: change}}); err != nil {
			return nil, err
		}
	}
	return o.Applier.Apply(ctx, changes)
}

func TestAnInsertMeanwhileIsNotTakenForAGhost(t *testing.T) {
	t.Parallel()
	r := newRig(t, chunked)
	r.fill(3)
	r.forge("9#1", "a chunk without a row", mark())
	r.config.Applier = r.pipeline
	fresh := long(9, 12)
	once := false
	r.table.onFind = func() {
		if r.table.fences > 0 && !once {
			once = true
			r.table.put(fresh)
			table, err := r.table.Describe(t.Context(), "", nil, nil)
			require.NoError(t, err)
			change, err := table.change(fresh, wire.Form{})
			require.NoError(t, err)
			change.Version = connector.Version{LSN: 1 << 50, CommitTime: fenceEpoch.AddDate(1, 0, 0)}
			_, err = r.pipeline.Apply(t.Context(), []indexer.Record{{Change: change}})
			require.NoError(t, err)
		}
	}
	report := r.run()
	require.True(t, once)
	require.True(t, report.Equal, "%+v", report)
}

func TestAHaltEndsTheRepair(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(5)
	r.drop("2")
	r.endpoint.Control(embedtest.Always(embedtest.Fail(401, "invalid_api_key", "wrong key")))
	r.config.Applier = r.pipeline
	_, err := Run(t.Context(), r.config)
	require.ErrorContains(t, err, "a setting must change first")
	require.ErrorContains(t, err, "401")
}

func TestARepairEndsWithItsContext(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(5)
	r.drop("2")
	ctx, cancel := context.WithCancelCause(t.Context())
	r.endpoint.Control(func(*embedtest.Request) *embedtest.Response {
		cancel(errors.New("enough"))
		return embedtest.Fail(503, "down", "down")
	})
	r.config.Applier = r.pipeline
	_, err := Run(ctx, r.config)
	require.ErrorIs(t, err, context.Canceled)
}
