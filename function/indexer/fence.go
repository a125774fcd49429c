package indexer

import (
	"context"
	"slices"
	"time"

	"github.com/rowvec/rowvec/function/document"
)

// fenceAge is how old the state that a write stands on may be. Chroma has no conditional write, so the fence is read, compare, write:
// whoever spent time between reading and writing, at the endpoint or suspended, while another instance took over its rows, reads
// again. Key_Shared hands rows over whenever a connection goes, so this is short: what an idle system needs from look-up to write. A
// second look-up costs about a tenth of the write (design §4).
const fenceAge = 100 * time.Millisecond

// aged reports whether what was read at the given time must be read again.
func aged(readAt, now time.Time) bool {
	return older(readAt, now, fenceAge)
}

// fence reads the state of the jobs that stand on an old one again, in one call, and answers those that need no write any more. After
// a failed attempt every job is read again, because there is no telling how long it took and how much of it was done.
func (g *group) fence(ctx context.Context, s Store) error {
	now := time.Now()
	var check []*job
	for _, j := range g.open() {
		j.midway, j.left = j.base, len(j.writes)
		if j.attempts > 0 || j.dead || aged(j.readAt, now) {
			check = append(check, j)
		}
	}
	return g.readAgain(ctx, s, check, now)
}

// fenceMarks does the same before a phase that puts down marks, for the rows that are written in this phase alone: the phases before it
// took their time, and nothing of theirs has been touched yet. And for new rows before they are committed, however lately they were read:
// somebody may have taken over what was announced, or removed it, and an update of what is not there is lost without a word.
func (g *group) fenceMarks(ctx context.Context, s Store, p phase) error {
	now := time.Now()
	var check []*job
	for _, j := range g.open() {
		if j.writesIn(p) && (p == commitFirst || len(j.writes) == 1 && aged(j.readAt, now)) {
			check = append(check, j)
		}
	}
	return g.readAgain(ctx, s, check, now)
}

func (j *job) writesIn(p phase) bool {
	return slices.ContainsFunc(j.writes, func(w write) bool { return w.phase == p })
}

// readAgain compares what the jobs stand on with what is there.
func (g *group) readAgain(ctx context.Context, s Store, check []*job, now time.Time) error {
	if len(check) == 0 {
		return nil
	}
	rows := make([]target, len(check))
	for i, j := range check {
		rows[i] = j.target()
	}
	found, err := g.writer.look(ctx, s, rows)
	if err != nil {
		return err
	}
	for _, j := range check {
		j.compare(found[j.id], now)
	}
	return nil
}

// writeLimit is how long a group goes on writing on one look at the index. A sweep takes the record of a row that is announced for what
// it was before, if its truncate is newer than that, and waits for sweepGrace only: a row of thousands of chunks may take longer.
const writeLimit = 3 * time.Second

// fenceMidway reads the rows again that have been in writing for long, and are not written yet. Those that are not as the group left them are
// planned again.
func (g *group) fenceMidway(ctx context.Context, s Store) error {
	now := time.Now()
	var check []*job
	for _, j := range g.open() {
		if j.left > 0 && older(j.readAt, now, writeLimit) {
			check = append(check, j)
		}
	}
	return g.readAgain(ctx, s, check, now)
}

// passed notes a write that was made.
func (j *job) passed(w write) {
	j.left--
	switch w.phase {
	case bury:
		if !j.midway.committed() {
			j.midway.stone = &j.version
		}
	case announce, announceFirst:
		stored := document.State{}
		if j.midway.stored != nil {
			stored = *j.midway.stored
		}
		if told, err := document.ParseState(w.record.Metadata); err == nil && w.record.Metadata[document.KeyLSN] != nil {
			stored.Version, stored.TextVersion = told.Version, told.TextVersion
		}
		count, _ := w.record.Metadata[document.KeyChunks].(int64)
		stored.Fingerprint, stored.Chunks = "", int(count)
		stored.By, _ = w.record.Metadata[document.KeyBy].(int64)
		if j.midway.stored = &stored; j.midway.committed() {
			j.midway.stone = nil
		}
	default: // the last of a row's, or of its later records
	}
}

// compare holds what is known now against what the write was planned on.
func (j *job) compare(l looked, now time.Time) {
	switch {
	case j.dead:
		j.compareDead(l, now)
	case l.err != nil && (!l.damaged || !j.base.damaged):
		j.reply(false, l.err)
	case l.same(j.midway):
		j.readAt = now
	case j.attempts > 0 && j.holds(l.known):
		j.reply(false, nil) // an earlier attempt did it all: the commit mark, which says so, is written last
	default:
		j.reply(true, nil)
	}
}

// holds reports whether the index is as the job was to leave it.
func (j *job) holds(k known) bool {
	if j.added.sent {
		return j.began(addFirst, k)
	}
	if j.want == nil {
		return k.stored == nil && (j.table.writer.tombstones == nil || k.gone(j.version))
	}
	return k.stored != nil && k.stored.Version.SameChange(j.want.Version) && k.stored.TextVersion.SameChange(j.want.TextVersion) &&
		k.stored.Fingerprint == j.want.Fingerprint && k.stored.Chunks == j.want.Chunks && k.stored.Open.Equal(j.want.Open)
}
