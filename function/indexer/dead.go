package indexer

import (
	"slices"
	"time"
)

// dead reports whether the row's records are of before a truncate of the table, or of before a deletion that did not meet them (added.go):
// nothing that builds on them is right, and they must go.
func (k known) dead() bool {
	if k.stored == nil || k.stored.Chunks == 0 {
		return false
	}
	return k.mark != nil && k.stored.Version.StaleAgainst(k.mark.version) ||
		k.stone != nil && k.committed() && k.stored.Version.StaleAgainst(*k.stone)
}

// clearDead works on a row whose records are dead. Changes that are older than the truncate are done with. For the others the records are
// removed first, unless another process is at it: then they wait until it is done. So does the change whose record may be what is dead,
// because the sweep may have passed it by.
func (p *pass) clearDead(r *row) {
	if !r.added.sent {
		p.stale(r, slices.DeleteFunc(slices.Clone(r.items), func(it *item) bool { return !it.Change.Version.StaleAgainst(r.mark.version) }))
	}
	if len(r.items) == 0 {
		p.table.forget(r)
		return
	}
	p.clean(r)
}

// clean has the row's records removed, once no other process is at it.
func (p *pass) clean(r *row) {
	if t := p.table; t.writer.tombstones != nil && t.writer.tombstones.marks.guarded(t.mark, time.Now()) {
		p.blocked = append(p.blocked, r)
		return
	}
	r.decision = decision{action: clean}
	p.write(r)
}

// cleaned takes the writer's answer about dead records: the row is looked up again.
func (p *pass) cleaned(w written) {
	r := w.row
	delete(p.open, r)
	if w.err != nil {
		p.failed([]*row{r}, w.err)
		return
	}
	p.again = append(p.again, r)
}

// newRemoval makes the job that removes a row's records, which are dead. It needs no announcement: nobody builds on them any more, and
// the first record, which counts them, goes last.
func newRemoval(t *Table, id string, k known, readAt time.Time, answer chan<- written) *job {
	j := &job{table: t, id: id, base: k, readAt: readAt, dead: true, answer: answer}
	j.remove(0, k.stored.Chunks)
	return j
}

// licensed reports whether nobody else may be deleting what the job is about to: a sweep's while it has the lease, a row's own while
// there is no other sweep. The look may have taken its time.
func (j *job) licensed() bool {
	if j.table.writer.tombstones == nil {
		return true
	}
	marks, now := j.table.writer.tombstones.marks, time.Now()
	if j.row == nil {
		return marks.licensed(j.table.mark, now)
	}
	return !marks.guarded(j.table.mark, now)
}

// compareDead is compare for such a job, which is always read again: its row may be in work in this very process.
func (j *job) compareDead(l looked, now time.Time) {
	switch {
	case l.err != nil:
		j.reply(false, l.err)
	case l.stored == nil:
		j.reply(false, nil)
	case (l.dead() || l.announced(j.added)) && sameState(l.stored, j.base.stored) && j.licensed():
		j.readAt = now
	default:
		j.reply(true, nil)
	}
}
