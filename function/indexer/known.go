package indexer

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// known is what the index knows of a row.
type known struct {
	stored *document.State    // of its first record; nil: there is none
	stone  *connector.Version // of its tombstone, where the record tells no version, or, if it was asked for, an older one; nil: there is none
	mark   *mark              // of the newest truncate of its table; nil: there was none

	damaged bool // the record's mark cannot be read: stored has nothing but the keys
}

// committed reports whether the row's record tells a version. One that rowvec did not write, or that was announced and never finished
// where no row was, does not.
func (k known) committed() bool {
	return k.stored != nil && (k.stored.Version.LSN != 0 || !k.stored.Version.CommitTime.IsZero())
}

// version is that of the newest change of the row that the index knows, a truncate of its table among them; false if it knows of none.
func (k known) version() (v connector.Version, has bool) {
	switch {
	case k.committed():
		v, has = k.stored.Version, true
	case k.stone != nil:
		v, has = *k.stone, true
	}
	if k.mark != nil && (!has || v.StaleAgainst(k.mark.version)) {
		return k.mark.version, true
	}
	return v, has
}

// gone reports whether all that a deletion of that version would do has been done.
func (k known) gone(v connector.Version) bool {
	return k.stored == nil && k.stone != nil && k.stone.SameChange(v)
}

// replaced reports whether a change is a deletion in the version that is stored: the row came again after it (item.compare).
func (k known) replaced(it *item) bool {
	return it.Change.Op == connector.Delete && k.committed() && it.Change.Version.SameChange(k.stored.Version)
}

// same reports whether nothing changed between two looks.
func (k known) same(other known) bool {
	if (k.mark == nil) != (other.mark == nil) || k.mark != nil && !k.mark.version.SameChange(other.mark.version) {
		return false
	}
	if k.stone == nil || other.stone == nil {
		if k.stone != other.stone {
			return false
		}
	} else if !k.stone.SameChange(*other.stone) {
		return false
	}
	return sameState(k.stored, other.stored)
}

func sameState(a, b *document.State) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Version.SameChange(b.Version) && a.TextVersion.SameChange(b.TextVersion) && a.Fingerprint == b.Fingerprint &&
		a.By == b.By && a.Chunks == b.Chunks && a.Open.Equal(b.Open) && slices.Equal(a.Keys, b.Keys)
}

// looked is the answer to one row of a look: what is known, or why that cannot be read.
type looked struct {
	known
	err error
}

// target is a row to be looked up.
type target struct {
	id, mark string // mark is the id of that of its table
	stone    bool   // its tombstone is asked for even if the record tells a version
}

// look makes one attempt of reading what the index knows of rows. Tombstones are asked for only where the record does not tell, or
// the target says so, and the tables' marks with them, or when what is known of them has aged.
func (w *Writer) look(ctx context.Context, s Store, rows []target) (map[string]looked, error) {
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.id
	}
	records, err := s.Get(ctx, ids)
	if err != nil {
		return nil, err
	}
	found := make(map[string]looked, len(rows))
	var untold []string
	for _, r := range rows {
		var l looked
		l.stored, l.err = stateOf(records, r.id)
		l.damaged = l.err != nil
		if found[r.id] = l; l.err == nil && (r.stone || !l.committed()) {
			untold = append(untold, r.id)
		}
	}
	if w.tombstones == nil {
		return found, nil
	}
	if err := w.tombstones.look(ctx, rows, untold, found); err != nil {
		return nil, fmt.Errorf("read tombstones: %w", err)
	}
	for _, r := range rows {
		l := found[r.id]
		l.mark = w.tombstones.marks.of(r.mark)
		found[r.id] = l
	}
	return found, nil
}

// look reads the tombstones of rows whose records do not tell, and the marks.
func (t *tombstones) look(ctx context.Context, rows []target, untold []string, found map[string]looked) error {
	now := time.Now()
	var due []string
	for i, r := range rows {
		if i > 0 && r.mark == rows[i-1].mark || slices.Contains(due, r.mark) {
			continue
		}
		if len(untold) > 0 || t.marks.aged(r.mark, now) {
			due = append(due, r.mark)
		}
	}
	if len(due) == 0 {
		return nil
	}
	stones, err := t.get(ctx, slices.Concat(untold, due))
	if err != nil {
		return err
	}
	for _, id := range due {
		k, err := parseMark(id, stones[id], now)
		if err != nil {
			return err
		}
		t.marks.note(id, k)
	}
	for _, id := range untold {
		meta, buried := stones[id]
		if !buried {
			continue
		}
		l := found[id]
		v, err := document.ParseVersion(meta)
		if err != nil {
			l.err = fmt.Errorf("tombstone of row %s: %w", id, err)
		} else if !l.committed() || l.stored.Version.StaleAgainst(v) { // beside a newer record it hides nothing
			l.stone = &v
		}
		found[id] = l
	}
	return nil
}

// stateOf reads a row's state from an answer of Store.Get, nil for a row that the index does not hold. Beside an error stand the keys.
func stateOf(stored map[string]map[string]any, id string) (*document.State, error) {
	meta, has := stored[id]
	if !has {
		return nil, nil //nolint:nilnil // the pair says that there is nothing to read
	}
	state, err := document.ParseState(meta)
	if err != nil {
		return &state, fmt.Errorf("row %s: %w", id, err)
	}
	return &state, nil
}

// buried reports whether a new record of that version would be dead.
func (k known) buried(v connector.Version) bool {
	return !k.committed() && (k.mark != nil && v.StaleAgainst(k.mark.version) || k.stone != nil && v.StaleAgainst(*k.stone))
}
