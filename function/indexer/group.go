package indexer

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// group is the jobs that are written together. It belongs to the writer's goroutine.
type group struct {
	writer   *Writer
	jobs     []*job
	taken    []*job              // with them: where the index refuses some, these are a part, and the others wait behind it
	troubles map[*Table]*trouble // once something fails
	state    State               // what was reported last
	cause    error
	misfit   *misfit // what the attempt at hand was refused for; nil: not for that
}

// open returns the jobs that have no answer yet.
func (g *group) open() []*job {
	g.jobs = slices.DeleteFunc(g.jobs, func(j *job) bool { return j.answered })
	return g.jobs
}

// apply makes one attempt, phase by phase. Whatever it did may be done again: the calls are idempotent.
func (g *group) apply(ctx context.Context, s Store) error {
	if err := g.writer.proof.tidy(ctx, s); err != nil {
		return err
	}
	if err := g.fence(ctx, s); err != nil {
		return fmt.Errorf("read %d rows again: %w", len(g.jobs), err)
	}
	for _, j := range g.open() {
		j.attempts++
	}
	for p := range phases {
		if p == refreshFirst || p == addFirst || p == writeFirst || p == commitFirst {
			if err := g.fenceMarks(ctx, s, p); err != nil {
				return fmt.Errorf("read rows again: %w", err)
			}
		}
		if err := g.run(ctx, s, p); err != nil {
			return err
		}
	}
	return nil
}

// run makes the calls of a phase.
func (g *group) run(ctx context.Context, s Store, p phase) error {
	for writes := g.phase(p); len(writes) > 0; {
		if err := g.fenceMidway(ctx, s); err != nil {
			return fmt.Errorf("read rows again: %w", err)
		}
		writes = slices.DeleteFunc(writes, func(w jobWrite) bool { return w.job.answered })
		if len(writes) == 0 {
			return nil
		}
		part := writes[:min(groupRecords, len(writes))]
		if err := g.send(ctx, s, p, part); err != nil {
			return err
		}
		if err := g.confirm(ctx, s, p, part); err != nil {
			return fmt.Errorf("see what is there of %d rows: %w", len(part), err)
		}
		writes = writes[len(part):]
	}
	return nil
}

// jobWrite is a write, and whose.
type jobWrite struct {
	write
	job *job
}

// phase lists the writes of a phase.
func (g *group) phase(p phase) (writes []jobWrite) {
	for _, j := range g.open() {
		for _, w := range j.writes {
			if w.phase == p {
				writes = append(writes, jobWrite{w, j})
			}
		}
	}
	return writes
}

// records are the columns of a call.
type records struct {
	ids       []string
	vectors   [][]float32
	documents []string
	metadatas []map[string]any
}

func (r *records) add(w write) {
	r.ids = append(r.ids, w.record.ID)
	r.vectors = append(r.vectors, w.vector)
	r.documents = append(r.documents, w.record.Document)
	r.metadatas = append(r.metadatas, w.record.Metadata)
}

// The calls that carry what a store may refuse.
const (
	opAdd    = "add"
	opUpsert = "upsert"
	opUpdate = "update"
)

// send makes a call of a phase. One that is refused and is of a single row is halved down to a record, so that no row is condemned for a
// sum: whether it fits into what is left of a quota, say.
func (g *group) send(ctx context.Context, s Store, p phase, part []jobWrite) error {
	op, err := g.try(ctx, s, p, part)
	switch {
	case len(part) > 1 && len(g.open()) == 1 && refused(err):
		return g.halve(ctx, s, p, part)
	case len(part) == 1 && (op == opAdd || op == opUpsert || op == opUpdate):
		return g.writer.proof.judge(ctx, s, op, len(part[0].vector), err, func() error { return g.again(ctx, s, p, part) })
	default:
		return err
	}
}

// again sends a record once more, if the row is still to be written: the refusal may have taken long.
func (g *group) again(ctx context.Context, s Store, p phase, part []jobWrite) error {
	if stands, err := g.stands(ctx, s, part[0].job); err != nil || !stands {
		return err
	}
	_, err := g.try(ctx, s, p, part)
	return err
}

// stands reads a row again, however lately it was read, and reports whether it is still to be written. If not, it has its answer.
func (g *group) stands(ctx context.Context, s Store, j *job) (bool, error) {
	if err := g.readAgain(ctx, s, []*job{j}, time.Now()); err != nil {
		return false, fmt.Errorf("read the row again: %w", err)
	}
	return !j.answered, nil
}

// halve sends the writes of one row in two calls.
func (g *group) halve(ctx context.Context, s Store, p phase, part []jobWrite) error {
	if err := g.send(ctx, s, p, part[:len(part)/2]); err != nil {
		return err
	}
	if err := g.fenceMidway(ctx, s); err != nil {
		return fmt.Errorf("read the row again: %w", err)
	}
	if part[0].job.answered {
		return nil
	}
	return g.send(ctx, s, p, part[len(part)/2:])
}

// try makes a call, says which, and notes what has passed.
func (g *group) try(ctx context.Context, s Store, p phase, part []jobWrite) (op string, err error) {
	op, err = g.call(ctx, s, p, part)
	if err != nil {
		g.noteMisfit(op, part, err)
		return op, fmt.Errorf("%s %d records: %w", op, len(part), err)
	}
	for _, w := range part {
		w.job.passed(w.write)
	}
	return op, nil
}

// call makes a call and says which.
func (g *group) call(ctx context.Context, s Store, p phase, part []jobWrite) (op string, err error) {
	var r records
	for _, w := range part {
		r.add(w.write)
		w.job.sends(p)
	}
	switch p {
	case bury:
		return "bury", g.writer.tombstones.put(ctx, &r, func() (bool, error) { return g.stands(ctx, s, part[0].job) })
	case removeRest, removeFirst:
		return "delete", s.Delete(ctx, r.ids)
	case announce, refreshRest, refreshFirst, commitFirst:
		return opUpdate, s.Update(ctx, r.ids, r.metadatas)
	case announceFirst, addFirst:
		return opAdd, s.Add(ctx, r.ids, r.vectors, r.documents, r.metadatas)
	default:
		return opUpsert, s.Upsert(ctx, r.ids, r.vectors, r.documents, r.metadatas)
	}
}

// report tells the tables whose rows are in the group that it does not get on.
func (g *group) report(s State, err error) {
	g.state, g.cause = s, err
	for _, t := range g.troubles {
		t.report(s, err)
	}
	g.involve(g.jobs)
}

// involve tells the tables of these jobs, too: of the group, and of those that wait behind it.
func (g *group) involve(jobs []*job) {
	for _, j := range jobs {
		if g.troubles[j.table] != nil {
			continue
		}
		if g.troubles == nil {
			g.troubles = make(map[*Table]*trouble)
		}
		g.troubles[j.table] = j.table.cond.operation()
		g.troubles[j.table].report(g.state, g.cause)
	}
}

// clear ends what report told.
func (g *group) clear() {
	for _, t := range g.troubles {
		t.clear()
	}
}
