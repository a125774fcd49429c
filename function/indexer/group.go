package indexer

import (
	"context"
	"fmt"
	"slices"

	"github.com/rowvec/rowvec/function/document"
)

// group is the jobs that are written together. It belongs to the writer's goroutine.
type group struct {
	jobs     []*job
	troubles []*trouble // one per table, once something fails
}

// open returns the jobs that have no answer yet.
func (g *group) open() []*job {
	g.jobs = slices.DeleteFunc(g.jobs, func(j *job) bool { return j.answered })
	return g.jobs
}

// apply makes one attempt. Whatever it did may be done again: the calls are idempotent, and the order leaves at any moment an index
// that the next attempt, or another instance, understands (design §4): a row's first record, which tells what is stored of it, is
// written after its other records.
func (g *group) apply(ctx context.Context, s Store) error {
	if err := g.fence(ctx, s); err != nil {
		return fmt.Errorf("read %d rows again: %w", len(g.jobs), err)
	}
	jobs := g.open()
	if len(jobs) == 0 {
		return nil
	}
	for _, j := range jobs {
		j.attempts++
	}
	if err := g.delete(ctx, s, jobs); err != nil {
		return fmt.Errorf("delete records of %d rows: %w", len(jobs), err)
	}
	if err := g.update(ctx, s, jobs); err != nil {
		return fmt.Errorf("update metadata of %d rows: %w", len(jobs), err)
	}
	if err := g.upsert(ctx, s, jobs); err != nil {
		return fmt.Errorf("upsert records of %d rows: %w", len(jobs), err)
	}
	return nil
}

func (g *group) delete(ctx context.Context, s Store, jobs []*job) error {
	var early, late []string
	for _, j := range jobs {
		for _, id := range j.deletes {
			if id == j.id {
				late = append(late, id)
			} else {
				early = append(early, id)
			}
		}
	}
	for _, ids := range [][]string{early, late} {
		for part := range slices.Chunk(ids, groupRecords) {
			if err := s.Delete(ctx, part); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *group) update(ctx context.Context, s Store, jobs []*job) error {
	early, late := &records{}, &records{}
	for _, j := range jobs {
		for _, r := range j.updates {
			early.or(late, r.ID == j.id).add(r, nil)
		}
	}
	for _, all := range []*records{early, late} {
		for from, to := range all.parts() {
			if err := s.Update(ctx, all.ids[from:to], all.metadatas[from:to]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *group) upsert(ctx context.Context, s Store, jobs []*job) error {
	early, late := &records{}, &records{}
	for _, j := range jobs {
		for i, r := range j.upserts {
			early.or(late, r.ID == j.id).add(r, j.vectors[i])
		}
	}
	for _, all := range []*records{early, late} {
		for from, to := range all.parts() {
			if err := s.Upsert(ctx, all.ids[from:to], all.vectors[from:to], all.documents[from:to], all.metadatas[from:to]); err != nil {
				return err
			}
		}
	}
	return nil
}

// records are the columns of one kind of call.
type records struct {
	ids       []string
	vectors   [][]float32
	documents []string
	metadatas []map[string]any
}

// or returns other when pick is set.
func (r *records) or(other *records, pick bool) *records {
	if pick {
		return other
	}
	return r
}

func (r *records) add(record document.Record, vector []float32) {
	r.ids = append(r.ids, record.ID)
	r.vectors = append(r.vectors, vector)
	r.documents = append(r.documents, record.Document)
	r.metadatas = append(r.metadatas, record.Metadata)
}

// parts yields the bounds of calls of at most groupRecords records.
func (r *records) parts() func(yield func(from, to int) bool) {
	return func(yield func(from, to int) bool) {
		for from := 0; from < len(r.ids); from += groupRecords {
			if !yield(from, min(from+groupRecords, len(r.ids))) {
				return
			}
		}
	}
}

// report tells the tables whose rows are in the group that it does not get on.
func (g *group) report(s State, err error) {
	if g.troubles == nil {
		seen := make(map[*Table]bool)
		for _, j := range g.jobs {
			if !seen[j.table] {
				seen[j.table] = true
				g.troubles = append(g.troubles, j.table.cond.operation())
			}
		}
	}
	for _, t := range g.troubles {
		t.report(s, err)
	}
}

// clear ends what report told.
func (g *group) clear() {
	for _, t := range g.troubles {
		t.clear()
	}
}
