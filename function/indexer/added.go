package indexer

import (
	"context"
	"time"

	"github.com/rowvec/rowvec/connector"
)

// A row that the index does not hold begins with an add, which leaves what somebody else has put there since the look. Nothing in the
// answer tells, so the rows are looked up once more: those that begin with another record than was sent are planned again, before
// anything else of theirs is written. Between two instances the newer change wins so, however long the group took; and a write that
// is carried out late, when its client has given it up, does nothing to what came after it.
//
// A deletion, or a truncate, that came since the look met no record and left none: only the tombstone or the mark tells. So these are asked
// for, too, and a record that was added and is older goes again before its change is done. A deletion that finds no record looks for one
// after its tombstone: of the two, one sees the other.

// addition is what a row's job has added.
type addition struct {
	sent  bool              // an add was sent, whatever became of it
	by    int64             // who announced the row; 0: it has one record
	floor connector.Version // of the announcement
}

// sends notes that a write of a phase is on its way.
func (j *job) sends(p phase) {
	if p == announceFirst || p == addFirst {
		j.added.sent = true
	} else {
		j.touched = true
	}
}

// confirm looks up the rows that a phase has added, or has left nothing but a tombstone of.
func (g *group) confirm(ctx context.Context, s Store, p phase, part []jobWrite) error {
	if p != announceFirst && p != addFirst && p != bury {
		return nil
	}
	now := time.Now()
	rows := make([]target, 0, len(part))
	for _, w := range part {
		if !w.job.answered && (p != bury || w.job.base.stored == nil) {
			rows = append(rows, w.job.target())
		}
	}
	if len(rows) == 0 {
		return nil
	}
	found, err := g.writer.look(ctx, s, rows)
	if err != nil {
		return err
	}
	for _, w := range part {
		switch l, asked := found[w.job.id]; {
		case !asked || w.job.answered:
		case l.err == nil && w.job.began(p, l.known):
			w.job.readAt = now
		default:
			w.job.reply(true, nil)
		}
	}
	return nil
}

// began reports whether the row's first record is the one that was added, or no other than that. A row that is announced must stand as
// the group has left it. Of one that is done the mark and the keys count, and not the values: Chroma 1.5.9 gives some floats back
// changed in the last bit, and -0 as 0. Of one that is deleted there is no record.
func (j *job) began(p phase, k known) bool {
	switch p {
	case bury:
		return k.stored == nil
	case announceFirst:
		return k.same(j.midway)
	default:
		return sameState(k.stored, j.want) && !k.dead()
	}
}

// announced reports whether the row's first record is what the addition announced, and nobody has taken it over. Builds from before there
// were additions do so and leave the number.
func (k known) announced(a addition) bool {
	return a.by != 0 && k.stored != nil && k.stored.By == a.by && k.stored.Fingerprint == "" && k.stored.Version.SameChange(a.floor)
}

// target is the job's row for a look.
func (j *job) target() target { return target{id: j.id, mark: j.table.mark, stone: j.added.sent} }
