package indexer

import (
	"slices"
	"time"

	"github.com/rowvec/rowvec/function/document"
)

// job is one row's write, ready to be done, as the writer sees it. The writer owns it and changes nothing that the row shares.
type job struct {
	table  *Table
	row    *row // handed back, never looked into
	id     string
	base   *document.State // what the index held when the write was planned
	readAt time.Time
	want   *document.State // what it holds once the write is done; nil: nothing

	deletes []string // ids; a row's first record last, here and below
	updates []document.Record
	upserts []document.Record
	vectors [][]float32 // one per upsert

	attempts int
	answered bool
	answer   chan<- written // has room for it
}

// written is the writer's answer to a job: it is durable, or the index changed since it was planned, or it failed.
type written struct {
	row      *row
	changed  bool
	err      error // poison or interrupted
	attempts int
}

// newJob makes the job of a row's decision and notes in the row how far its records may reach from now on.
func newJob(t *Table, r *row, answer chan<- written) *job {
	d := r.decision
	j := &job{table: t, row: r, id: r.id, base: r.stored, readAt: r.readAt, answer: answer}
	before := 0
	if r.stored != nil {
		before = max(1, r.stored.Chunks) // a record that rowvec did not write says no count
	}
	before = max(before, r.touched)
	if d.action == remove {
		j.deletes = firstLast(document.ChunkIDs(r.id, 0, before))
		return j
	}
	j.want = &document.State{
		Version: d.winner.Change.Version, Fingerprint: d.document.Fingerprint, Chunks: len(d.records),
	}
	if d.action == refresh {
		j.updates = firstLast(d.records)
		return j
	}
	j.deletes = document.ChunkIDs(r.id, len(d.records), before) // the tail of a document that shrank
	j.upserts, j.vectors = firstLast(d.records), firstLast(r.vectors)
	r.touched = max(r.touched, len(j.upserts))
	return j
}

// firstLast returns s with its first element moved to the end: a row's first record is its commit mark.
func firstLast[T any](s []T) []T {
	if len(s) < 2 {
		return s
	}
	return append(slices.Clone(s[1:]), s[0])
}

// records is how many records of the index the job touches.
func (j *job) records() int { return len(j.deletes) + len(j.updates) + len(j.upserts) }

// reply answers the job, once.
func (j *job) reply(changed bool, err error) {
	if j.answered {
		return
	}
	j.answered = true
	j.answer <- written{row: j.row, changed: changed, err: err, attempts: j.attempts}
}
