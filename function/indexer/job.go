package indexer

import (
	"maps"
	"time"

	"github.com/rowvec/rowvec/function/document"
)

// phase orders the writes of a group. Whoever reads the index at any moment in between, after a crash say, must be able to tell from
// a row's first record what else is stored of the row, and must not take for done what is not. So
//
//   - a row's first record goes after its others when they are removed, and its metadata after theirs when it is refreshed;
//   - a document that gets more records than the row has announces their number in the first record before it writes them, so that
//     whatever comes next knows what to clear away;
//   - the version and the fingerprint, the commit mark, come last of all.
type phase uint8

const (
	removeRest    phase = iota // Delete
	removeFirst                // Delete
	refreshRest                // Update
	refreshFirst               // Update
	announceMore               // Update: the new count beside the old mark
	announceFirst              // Upsert: the first record without a mark, with the count
	writeRest                  // Upsert
	writeFirst                 // Upsert: the first record with its mark
	commitFirst                // Update: the mark of a record that was announced
	phases
)

// write is one record's part in a phase; only the id counts for a removal.
type write struct {
	phase  phase
	record document.Record
	vector []float32
}

// job is one row's writes, as the writer sees them. The writer owns it and changes nothing that the row shares.
type job struct {
	table  *Table
	row    *row // handed back, never looked into
	id     string
	base   *document.State // what the index held when the write was planned
	readAt time.Time
	want   *document.State // what it holds once the write is done; nil: nothing
	writes []write

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

// newJob makes the job of a row's decision.
func newJob(t *Table, r *row, answer chan<- written) *job {
	d := r.decision
	j := &job{table: t, row: r, id: r.id, base: r.stored, readAt: r.readAt, answer: answer}
	before := 0
	if r.stored != nil {
		before = max(1, r.stored.Chunks) // a record that rowvec did not write says no count
	}
	if d.action == remove {
		j.writes = make([]write, 0, before)
		j.remove(0, before)
		return j
	}
	j.want = &document.State{
		Version: d.winner.Change.Version, Fingerprint: d.document.Fingerprint, Chunks: len(d.records),
	}
	j.writes = make([]write, 0, len(d.records)+1)
	if d.action == refresh {
		for i, record := range d.records {
			j.add(pick(i, refreshFirst, refreshRest), record, nil)
		}
		return j
	}
	j.remove(len(d.records), before) // the tail of a document that shrank
	j.index(d.records, r.vectors, before)
	return j
}

// index adds the writes of a whole document, for a row that has up to before records.
func (j *job) index(records []document.Record, vectors [][]float32, before int) {
	first := writeFirst
	switch {
	case len(records) <= max(1, before): // nothing to announce
	case before == 0:
		j.add(announceFirst, unmarked(records[0]), vectors[0])
		first = commitFirst
	default:
		j.add(announceMore, document.Record{ID: j.id, Metadata: map[string]any{document.KeyChunks: int64(len(records))}}, nil)
	}
	for i, record := range records {
		j.add(pick(i, first, writeRest), record, vectors[i])
	}
}

// unmarked returns a first record that says how many there are and that no change is in yet: a version older than any.
func unmarked(first document.Record) document.Record {
	first.Metadata = maps.Clone(first.Metadata)
	first.Metadata[document.KeyLSN] = int64(0)
	first.Metadata[document.KeyCommitTime] = int64(0)
	first.Metadata[document.KeyFingerprint] = ""
	return first
}

// remove adds the removal of a row's records [from, to).
func (j *job) remove(from, to int) {
	for i, id := range document.ChunkIDs(j.id, from, to) {
		j.add(pick(from+i, removeFirst, removeRest), document.Record{ID: id}, nil)
	}
}

func (j *job) add(p phase, r document.Record, vector []float32) {
	j.writes = append(j.writes, write{phase: p, record: r, vector: vector})
}

// pick returns first for a row's first record, rest for the others.
func pick(i int, first, rest phase) phase {
	if i == 0 {
		return first
	}
	return rest
}

// reply answers the job, once.
func (j *job) reply(changed bool, err error) {
	if j.answered {
		return
	}
	j.answered = true
	j.answer <- written{row: j.row, changed: changed, err: err, attempts: j.attempts}
}
