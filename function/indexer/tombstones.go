package indexer

import (
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math"
	"math/rand/v2"
	"time"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// A deleted row leaves a tombstone: a record of its id, with the version of the change that took it out of the index. An older change
// that comes later, or again, is stale against it (design §4).
//
// The tombstone is written before the row's records are removed. Whoever dies in between leaves both: the records tell an older
// version than the deletion's, so the deletion, which comes again, is done again; until then older changes meet the records' version
// and take the row nowhere but forward. Written after, there would be a moment without either, in which any old change brings the
// row back. A tombstone beside a newer record hides nothing, because it is read only where the record tells no version; so an insert
// leaves it alone, and it expires.
type tombstones struct {
	*opener[Tombstones]
	ttl    time.Duration
	log    *slog.Logger
	jitter func() float64 // in [0,1)
	marks  *marks
	proof  proof // whose fault it is when one is refused
}

// Sweeps remove expired tombstones in the background. They need not be in time: an expired tombstone is a tombstone all the same.
const (
	sweepInterval = time.Hour // and up to as much again, so that instances do not sweep together
	sweepPage     = 500       // records in a call, which the writes beside it must not wait for long
	sweepPages    = 200       // calls in a sweep
)

// WriterOption changes what a Writer does.
type WriterOption func(*Writer)

// WithTombstones has the writer remember deleted rows for ttl, in a companion collection that open opens, like NewWriter's. Without
// it an older change that arrives after a deletion brings the row back. log may be nil.
func WithTombstones(open func(ctx context.Context) (Tombstones, error), ttl time.Duration, log *slog.Logger) WriterOption {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return func(w *Writer) {
		w.tombstones = &tombstones{opener: newOpener(open), ttl: ttl, log: log, jitter: rand.Float64, marks: newMarks()}
	}
}

// get makes one attempt of reading tombstones.
func (t *tombstones) get(ctx context.Context, ids []string) (stones map[string]map[string]any, err error) {
	err = t.attempt(ctx, func(ctx context.Context, s Tombstones) error {
		stones, err = s.Get(ctx, ids)
		return err
	})
	return stones, err
}

// put makes one attempt of writing tombstones. A single one that is refused is written again if stands reports that it is still to be.
func (t *tombstones) put(ctx context.Context, r *records, stands func() (bool, error)) error {
	return t.attempt(ctx, func(ctx context.Context, s Tombstones) error {
		if err := t.proof.tidy(ctx, s); err != nil {
			return err
		}
		upsert := func() error { return s.Upsert(ctx, r.ids, r.vectors, r.documents, r.metadatas) }
		refusal := upsert()
		if len(r.ids) > 1 {
			return refusal
		}
		return t.proof.judge(ctx, s, opUpsert, len(r.vectors[0]), refusal, func() error {
			if still, err := stands(); err != nil || !still {
				return err
			}
			return upsert()
		})
	})
}

// tombstone is the record that a row leaves. Its vector says nothing; it is spread over the ids, because a graph of neighbours over
// points that are all the same one degenerates.
func tombstone(id string, v connector.Version) write {
	meta := map[string]any{document.KeyDeleted: time.Now().UnixMilli()}
	document.SetVersion(meta, v)
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	return write{phase: bury, record: document.Record{ID: id, Metadata: meta}, vector: []float32{float32(h.Sum32()) / math.MaxUint32}}
}

// keep sweeps until ctx ends.
func (t *tombstones) keep(ctx context.Context) {
	for {
		timer := time.NewTimer(sweepInterval + time.Duration(t.jitter()*float64(sweepInterval)))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		n, err := t.sweep(ctx)
		switch {
		case ctx.Err() != nil:
		case err != nil: // the next sweep is another chance, and nothing waits for this one
			t.log.WarnContext(ctx, "expired tombstones are left for the next sweep", "removed", n, "error", err)
		case n > 0:
			t.log.InfoContext(ctx, "expired tombstones removed", "removed", n)
		}
	}
}

// sweep removes tombstones older than the ttl, page by page.
func (t *tombstones) sweep(ctx context.Context) (removed int, err error) {
	bound := time.Now().Add(-t.ttl).UnixMilli()
	for range sweepPages {
		n := 0
		err = t.attempt(ctx, func(ctx context.Context, s Tombstones) error {
			n, err = s.Expire(ctx, document.KeyDeleted, bound, sweepPage)
			return err
		})
		if removed += n; err != nil {
			return removed, fmt.Errorf("expire tombstones: %w", err)
		}
		if n < sweepPage {
			break
		}
	}
	return removed, nil
}
