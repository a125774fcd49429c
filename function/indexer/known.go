package indexer

import (
	"context"
	"fmt"
	"slices"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// known is what the index knows of a row.
type known struct {
	stored *document.State    // of its first record; nil: there is none
	stone  *connector.Version // of its tombstone, where the record tells no version; nil: there is none
}

// committed reports whether the row's record tells a version. One that rowvec did not write, or that was announced and never finished
// where no row was, does not.
func (k known) committed() bool {
	return k.stored != nil && (k.stored.Version.LSN != 0 || !k.stored.Version.CommitTime.IsZero())
}

// version is that of the newest change of the row that the index knows; false if it knows of none.
func (k known) version() (v connector.Version, has bool) {
	switch {
	case k.committed():
		return k.stored.Version, true
	case k.stone != nil:
		return *k.stone, true
	default:
		return v, false
	}
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
		a.Chunks == b.Chunks && a.Open.Equal(b.Open) && slices.Equal(a.Keys, b.Keys)
}

// looked is the answer to one row of a look: what is known, or why that cannot be read.
type looked struct {
	known
	err error
}

// look makes one attempt of reading what the index knows of rows. Tombstones are asked for only where the record does not tell.
func (w *Writer) look(ctx context.Context, s Store, ids []string) (map[string]looked, error) {
	records, err := s.Get(ctx, ids)
	if err != nil {
		return nil, err
	}
	found := make(map[string]looked, len(ids))
	var untold []string
	for _, id := range ids {
		var l looked
		l.stored, l.err = stateOf(records, id)
		if found[id] = l; l.err == nil && !l.committed() {
			untold = append(untold, id)
		}
	}
	if w.tombstones == nil || len(untold) == 0 {
		return found, nil
	}
	stones, err := w.tombstones.get(ctx, untold)
	if err != nil {
		return nil, fmt.Errorf("read tombstones: %w", err)
	}
	for id, meta := range stones {
		l := found[id]
		v, err := document.ParseVersion(meta)
		if err != nil {
			l.err = fmt.Errorf("tombstone of row %s: %w", id, err)
		} else {
			l.stone = &v
		}
		found[id] = l
	}
	return found, nil
}

// stateOf reads a row's state from an answer of Store.Get, nil for a row that the index does not hold.
func stateOf(stored map[string]map[string]any, id string) (*document.State, error) {
	meta, has := stored[id]
	if !has {
		return nil, nil //nolint:nilnil // the pair says that there is nothing to read
	}
	state, err := document.ParseState(meta)
	if err != nil {
		return nil, fmt.Errorf("row %s: %w", id, err)
	}
	return &state, nil
}
