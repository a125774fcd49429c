package indexer

import (
	"maps"
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
	removeRest                 // Delete
	removeFirst                // Delete
	refreshRest                // Update
	refreshFirst               // Update
	announceFirst              // Upsert: a first record that is not there yet, without a mark
	writeRest                  // Upsert
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
	dead   bool // what is removed are records of before a truncate (dead.go)

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
}

// newJob makes the job of a row's decision.
func newJob(t *Table, r *row, answer chan<- written) *job {
	d := r.decision
	if d.action == clean {
		j := newRemoval(t, r.id, r.known, r.readAt, answer)
		j.row = r
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
	first := writeFirst
	if before == 0 && after > 1 {
		j.add(announceFirst, j.unmarked(d.records[0]), r.vectors[0])
		first = commitFirst
	}
	for i, record := range d.records {
		j.add(pick(i, first, writeRest), record, r.vectors[i])
	}
	return j
}

// announce says in a first record that is there that the row has up to count records and is being changed. A row of one record needs
// none of it: it changes in one call.
func (j *job) announce(count int) {
	if count == 1 || (j.base.stored.Fingerprint == "" && j.base.stored.Chunks >= count) {
		return
	}
	meta := map[string]any{document.KeyFingerprint: "", document.KeyChunks: int64(count)}
	if j.base.stored.Chunks == 0 { // not ours so far: make it a state that can be read
		j.setFloor(meta)
	}
	j.add(announce, document.Record{ID: j.id, Metadata: meta}, nil)
}

// unmarked returns a first record that says how many there will be and that the change is not in yet. It has no metadata of the row,
// which would be taken to be as of the floor, older than it is.
func (j *job) unmarked(first document.Record) document.Record {
	first.Metadata = maps.Clone(first.Metadata)
	for key := range document.UserMetadata(first.Metadata) {
		first.Metadata[key] = nil
	}
	first.Metadata[document.KeyFingerprint], first.Metadata[document.KeyOpen] = "", nil
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
	w.row, w.attempts = j.row, j.attempts
	j.answer <- w
}
