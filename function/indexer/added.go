package indexer

import (
	"context"
	"time"
)

// A row that the index does not hold begins with an add, which leaves what somebody else has put there since the look. Nothing in the
// answer tells, so the rows are looked up once more: those that begin with another record than was sent are planned again, before
// anything else of theirs is written. Between two instances the newer change wins so, however long the group took; and a write that
// is carried out late, when its client has given it up, does nothing to what came after it.

// confirm looks up the rows that a phase has added.
func (g *group) confirm(ctx context.Context, s Store, p phase, part []jobWrite) error {
	if p != announceFirst && p != addFirst {
		return nil
	}
	now := time.Now()
	rows := make([]target, 0, len(part))
	for _, w := range part {
		if !w.job.answered {
			rows = append(rows, target{w.job.id, w.job.table.mark})
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
		switch l := found[w.job.id]; {
		case w.job.answered:
		case l.err == nil && w.job.began(p, l.known):
			w.job.readAt = now
		default:
			w.job.reply(true, nil)
		}
	}
	return nil
}

// began reports whether the row's first record is the one that was added, or no other than that. A row that is announced must stand as
// the group has left it in all respects, because more is to be written. Of one that is done only the record counts: the mark of a truncate
// that came since is the sweeper's.
func (j *job) began(p phase, k known) bool {
	if p == announceFirst {
		return k.same(j.midway)
	}
	return sameState(k.stored, j.want) && sameMark(j.want, k.stored)
}
