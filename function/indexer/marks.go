package indexer

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// A table that was truncated leaves a mark beside the tombstones: the version of its newest truncate, which is a tombstone of every
// row that the table had before. What is older than the mark is stale. Records that are older are dead: a sweep deletes them (sweep.go),
// and until it has, nobody but the sweep touches them, because Chroma cannot delete on a condition and the record of another instance's
// newer change must not be what it hits. A mark never expires: there is one per table.
//
// An instance learns of a mark with the tombstones that it reads for rows that the index does not hold, and else by a look of its own,
// at most once in markAge. A sweep therefore waits before it deletes anything (sweepGrace).
//
// A truncate is noted under a metadata key of its own (document.TruncateMark), so that who writes late, because he stood still between
// reading and writing or because Chroma was late, cannot put an older truncate in the place of a newer one.
type mark struct {
	version connector.Version            // of the newest truncate
	keys    map[string]connector.Version // of all truncates that are noted
	lease   int64                        // of the sweep (newLease); 0: the sweep is over
	written int64                        // the lease as it was written, alive or not
	meta    map[string]any               // as read
	readAt  time.Time                    // before the answer
	since   time.Time                    // since when this lease is the same
	none    bool                         // there is no mark
}

const (
	// markAge is how old an instance's knowledge of a table's mark may be when it looks at rows.
	markAge = 2 * time.Second
	// leaseLife is how long a lease stands that nobody renews. Then its sweep is taken for dead, until its truncate is delivered again.
	leaseLife = time.Minute
	// leaseFree stands for a sweep that is not over and that nobody sees to.
	leaseFree = 1
	// leaseGap is how long one may look away and still call a lease the same: who could not look knows nothing.
	leaseGap = 10 * time.Second
)

// marks is what a writer knows of the marks of its tables, by their ids.
type marks struct {
	mu    sync.Mutex
	known map[string]*mark
	own   map[string]held // leases of the sweeps that run in this process, and in no other
}

// held is a lease of this process's own.
type held struct {
	leases  []int64   // each that it wrote, as any of them may be what is read
	renewed time.Time // zero: somebody may not know of it yet
}

func newMarks() *marks { return &marks{known: make(map[string]*mark), own: make(map[string]held)} }

// of returns what is known of a mark, nil if there is none.
func (m *marks) of(id string) *mark {
	m.mu.Lock()
	defer m.mu.Unlock()
	if k := m.known[id]; k != nil && !k.none {
		return k
	}
	return nil
}

// aged reports whether a mark must be read before rows are looked at.
func (m *marks) aged(id string, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.known[id]
	return k == nil || older(k.readAt, now, markAge)
}

// note takes what was read, unless something later is known.
func (m *marks) note(id string, k *mark) {
	m.mu.Lock()
	defer m.mu.Unlock()
	last := m.known[id]
	k.since = k.readAt
	if last != nil {
		if last.readAt.After(k.readAt) {
			return
		}
		if last.lease == k.lease && !older(last.readAt, k.readAt, leaseGap) {
			k.since = last.since
		}
	}
	m.known[id] = k
}

// hold says that leases of a mark are this process's own, and when they were renewed, zero while not everybody knows of it; nil that none is.
func (m *marks) hold(id string, leases []int64, renewed time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(leases) == 0 {
		delete(m.own, id)
		return
	}
	m.own[id] = held{leases: leases, renewed: renewed}
}

// licensed reports whether a sweep of this process may delete what is older than the mark.
func (m *marks) licensed(id string, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	own, has := m.own[id] // one that somebody may not know of is as old as can be
	return has && !older(own.renewed, now, leaseTrust)
}

// guarded reports whether another process may be deleting what is older than the mark. This process's own sweep and its other writes
// are of one goroutine and cannot meet.
func (m *marks) guarded(id string, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.known[id]
	return k != nil && k.lease > leaseFree && !slices.Contains(m.own[id].leases, k.lease) && now.Sub(k.since) < leaseLife
}

// older reports whether a time lies further back than a span, by the monotonic or the wall clock: the one stands still while a machine
// sleeps, the other may be set back.
func older(at, now time.Time, span time.Duration) bool {
	return max(now.Sub(at), now.Round(0).Sub(at.Round(0))) > span
}

// parseMark reads a mark. One that is damaged halts its table: who passed it over would bring old rows back.
func parseMark(id string, meta map[string]any, readAt time.Time) (*mark, error) {
	if meta == nil {
		return &mark{none: true, readAt: readAt}, nil
	}
	told, err := document.ParseTruncateMark(meta)
	if err != nil {
		return nil, &fault{
			class: ClassHalt, reason: "bad_mark", err: err, own: true,
			text: fmt.Sprintf("record %q among the tombstones, which remembers the table's newest truncate, is damaged; delete it and truncate again, or run rowvec verify", id),
		}
	}
	k := &mark{version: told.Newest, keys: told.Keys, lease: told.Lease, written: told.Lease, meta: meta, readAt: readAt}
	switch {
	case told.Over:
		k.lease = 0
	case told.Left:
		k.lease = leaseFree
	}
	return k, nil
}

// readMark makes one attempt of reading a mark; mark.none if there is none.
func (t *tombstones) readMark(ctx context.Context, id string) (*mark, error) {
	readAt := time.Now()
	found, err := t.get(ctx, []string{id})
	if err != nil {
		return nil, fmt.Errorf("read the mark of the newest truncate: %w", err)
	}
	k, err := parseMark(id, found[id], readAt)
	if err == nil {
		t.marks.note(id, k)
	}
	return k, err
}

// writeMark makes one attempt of changing keys of a mark that was read before; nil removes one. What is known then is no newer than that
// reading. A change that is refused is sent once more if the mark is still as it was read.
func (t *tombstones) writeMark(ctx context.Context, id string, read *mark, change map[string]any) error {
	w := tombstone(id, connector.Version{})
	w.record.Metadata = change // without document.KeyDeleted it does not expire
	var r records
	r.add(w)
	stands := func() (bool, error) { // another instance may have written it meanwhile
		again, err := t.readMark(ctx, id)
		switch {
		case err != nil:
			return false, err
		case !reflect.DeepEqual(again.meta, read.meta):
			return false, &fault{class: ClassRetry, reason: "mark_changed", text: "the mark changed while its write was refused, and is planned again", own: true}
		}
		read = again
		return true, nil
	}
	if err := t.put(ctx, &r, stands); err != nil {
		return fmt.Errorf("write the mark of a truncate: %w", err)
	}
	meta := make(map[string]any, len(read.meta)+len(change))
	maps.Copy(meta, read.meta)
	maps.Copy(meta, change)
	k, err := parseMark(id, meta, read.readAt)
	if err == nil {
		t.marks.note(id, k)
	}
	return err
}
