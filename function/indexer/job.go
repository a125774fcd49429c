package indexer

import (
	"maps"
	"math/rand/v2"
	"time"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// phase orders the writes of a group. Whoever reads the index at any moment in between, after a crash say, must be able to tell from
// a row's first record what else may be stored of the row, and must not take for done what is not. So a change that touches several
// records of a row is announced in the first one before anything else: how many records there are or will be, so that whatever comes
// next knows what to clear away, and no fingerprint, so that it does not take the others for what they were. The new version and
// fingerprint, the commit mark, come last of all; until then the old version stays, for the fence. A first record is removed after its
// others, and refreshed after them. A tombstone is there before anything of the row is gone (tombstones.go).
type phase uint8

const (
	bury          phase = iota // Upsert of a tombstone
	announce                   // Update
	announceFirst              // Add: a first record that is not there yet, without a mark
	removeRest                 // Delete
	removeFirst                // Delete
	refreshRest                // Update
	refreshFirst               // Update
	writeRest                  // Upsert
	addFirst                   // Add: a first record that is not there yet, with its mark; the only one of its row
	writeFirst                 // Upsert: the first record with its mark
	commitFirst                // Update: the mark of a record that announceFirst put there
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
	base   known // what the index knew when the write was planned
	readAt time.Time
	writes []write
	dead   bool // what is removed are records that nothing builds on (dead.go)
	added  addition

	touched bool // a write other than an add of the first record was sent, whatever became of it

	// What it knows once the write is done.
	want    *document.State   // nil: nothing is stored
	version connector.Version // of the tombstone, if nothing is

	midway   known // what the attempt at hand has left the index with so far, as far as a look tells
	left     int   // writes that it has not made yet
	attempts int
	answered bool
	answer   chan<- written // has room for it
}

// written is the writer's answer to a job: it is durable, or the index changed since it was planned, or it failed.
type written struct {
	row      *row
	changed  bool
	misfit   int   // the size of vectors that the index does not take, where it changed so; else 0
	err      error // poison or interrupted
	attempts int
	added    addition
	touched  bool
}

// newJob makes the job of a row's decision.
func newJob(t *Table, r *row, answer chan<- written) *job {
	d := r.decision
	if d.action == clean {
		j := newRemoval(t, r.id, r.known, r.readAt, answer)
		j.row, j.added = r, r.added
		return j
	}
	j := &job{table: t, row: r, id: r.id, base: r.known, readAt: r.readAt, version: d.version, want: d.want, answer: answer}
	before, most := r.extent()
	after := len(d.records)
	j.writes = make([]write, 0, max(most, after)+1)
	if d.action == remove && t.writer.tombstones != nil {
		j.writes = append(j.writes, tombstone(j.id, d.version))
	}
	if d.action == refresh {
		for i, record := range d.records {
			j.add(pick(i, refreshFirst, refreshRest), record, nil)
		}
		return j
	}
	if before > 0 {
		j.announce(max(most, after))
	}
	j.remove(after, most) // the row, or the tail of a document that shrank
	first := j.begin(before, max(most, after))
	for i, record := range d.records {
		j.add(pick(i, first, writeRest), record, r.vectors[i])
	}
	return j
}

// begin announces a row that is not there, if there are up to count records to write or to clear away, and returns the phase that writes
// its first record. What is not there is added, so that nothing is written over that somebody else puts there meanwhile (added.go).
func (j *job) begin(before, count int) (first phase) {
	records := j.row.decision.records
	switch {
	case before > 0 || len(records) == 0:
		return writeFirst
	case count == 1:
		return addFirst
	}
	j.added.by = 1 + rand.Int64N(1<<53-1) //nolint:gosec // no secret
	j.added.floor, _ = j.base.version()
	j.add(announceFirst, j.unmarked(records[0], count), j.row.vectors[0])
	records[0].Metadata[document.KeyBy] = nil
	return commitFirst
}

// announce says in a first record that is there that the row has up to count records and is being changed. A row of one record needs
// none of it: it changes in one call.
func (j *job) announce(count int) {
	if count == 1 || (j.base.stored.Fingerprint == "" && j.base.stored.By == 0 && j.base.stored.Chunks >= count) {
		return
	}
	meta := map[string]any{document.KeyFingerprint: "", document.KeyChunks: int64(count)}
	if j.base.stored.By != 0 {
		meta[document.KeyBy] = nil // who announced it knows by this that the row is no longer his
	}
	if j.base.stored.Chunks == 0 { // not ours so far: make it a state that can be read
		j.setFloor(meta)
	}
	j.add(announce, document.Record{ID: j.id, Metadata: meta}, nil)
}

// unmarked returns a first record that says how many there may be and that the change is not in yet. It has no metadata of the row,
// which would be taken to be as of the floor, older than it is.
func (j *job) unmarked(first document.Record, count int) document.Record {
	first.Metadata = maps.Clone(first.Metadata)
	for key := range document.UserMetadata(first.Metadata) {
		first.Metadata[key] = nil
	}
	first.Metadata[document.KeyFingerprint], first.Metadata[document.KeyOpen] = "", nil
	first.Metadata[document.KeyChunks] = int64(count)
	first.Metadata[document.KeyBy] = j.added.by
	j.setFloor(first.Metadata)
	return first
}

// setFloor gives a record that is no row yet the version of the tombstone, which it hides from whoever looks: what is older stays
// stale. Where there is none the version is older than any.
func (j *job) setFloor(meta map[string]any) {
	floor, _ := j.base.version()
	document.SetVersion(meta, floor)
	document.SetTextVersion(meta, floor)
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
func (j *job) reply(changed bool, err error) { j.send(written{changed: changed, err: err}) }

func (j *job) send(w written) {
	if j.answered {
		return
	}
	j.answered = true
	w.row, w.attempts, w.added, w.touched = j.row, j.attempts, j.added, j.touched
	j.answer <- w
}
