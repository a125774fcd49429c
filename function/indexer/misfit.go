package indexer

import (
	"context"
	"errors"
	"slices"
)

// Vectors may be of another size than those in the collection: the endpoint serves another model. Only the collection says which size is
// right, so it is asked, with every attempt; and what was embedded meanwhile is of no use once the endpoint serves the right model again. So
// after a back-off step the writer asks it for the vector of one word, and has the rows embedded anew when that is of the size that the
// collection takes. Until then nothing is embedded again.
type misfit struct {
	size int        // of the vectors that were refused
	want int        // of those in the collection; 0: it did not say
	pool *EmbedPool // where they came from
}

// reasonMisfit is the reason by which a store says that vectors are of another size than its own.
const reasonMisfit = "dimension_mismatch"

// noteMisfit notes that a call was refused for the size of its vectors. Those of tombstones are not the endpoint's.
func (g *group) noteMisfit(op string, part []jobWrite, err error) {
	if op != opAdd && op != opUpsert || Classify(err) != ClassHalt || Reason(err) != reasonMisfit {
		return
	}
	g.misfit = &misfit{size: len(part[0].vector), pool: part[0].job.table.pool}
	var told interface{ Dimensions() int }
	if errors.As(err, &told) {
		g.misfit.want = told.Dimensions()
	}
}

// attempt makes one attempt at the group. Rows whose vectors were refused for their size in the attempt before, too, are embedded anew if the
// endpoint gives others by now.
func (g *group) attempt(ctx context.Context) error {
	before := g.misfit
	g.misfit = nil
	err := g.writer.attempt(ctx, g.apply)
	if before == nil || g.misfit == nil || !g.misfit.over(ctx, g.writer.backoff) {
		return err
	}
	g.writer.embedAnew(g, g.misfit.size)
	g.misfit = nil
	if len(g.open()) == 0 {
		return nil
	}
	return g.writer.attempt(ctx, g.apply)
}

// over asks the endpoint for one vector and reports whether the collection takes its size. While the endpoint is left alone, it is not asked.
func (m *misfit) over(ctx context.Context, b backoff) bool {
	through, pause, _ := m.pool.gate.try(&caller{})
	if pause > 0 {
		return false
	}
	size := 0
	err := b.attempt(ctx, through, func(ctx context.Context) error {
		vectors, err := m.pool.embed(ctx, []string{plainText})
		if err == nil {
			size = len(vectors[0])
		}
		return err
	})
	if err != nil || size == 0 {
		return false
	}
	return size == m.want || m.want == 0 && size != m.size
}

// embedAnew hands back the rows with vectors of a size that the index does not take, in the group and behind it.
func (w *Writer) embedAnew(g *group, size int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, j := range slices.Concat(g.jobs, g.taken, w.jobs) {
		if j.bears(size) {
			j.send(written{changed: true, misfit: size})
		}
	}
	w.jobs = slices.DeleteFunc(w.jobs, func(j *job) bool { return j.answered })
}

// bears reports whether the job writes vectors of that size.
func (j *job) bears(size int) bool {
	return slices.ContainsFunc(j.writes, func(w write) bool { return w.vector != nil && len(w.vector) == size })
}
