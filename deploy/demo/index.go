package main

import (
	"context"
	"fmt"
	"time"

	"github.com/rowvec/rowvec/deploy/local/progress"
)

const (
	pollEvery  = 100 * time.Millisecond
	indexLimit = 3 * time.Minute
)

// index waits until the collection holds every row, and shows how it fills.
func (d *demo) index(ctx context.Context) error {
	received, embedded := int64(0), 0.0
	if !d.filled {
		var err error
		if received, embedded, err = d.counts(ctx); err != nil {
			return err
		}
		n, err := d.refill(ctx)
		if err != nil {
			return err
		}
		d.screen.line("%s is set back to the %d rows of the catalogue: every row gets a new created_at, some get their text back.", table, n)
	}
	rows, err := d.articles(ctx)
	if err != nil {
		return err
	}
	if err := d.follow(ctx, rows, received); err != nil {
		return err
	}
	if _, total, err := d.counts(ctx); err == nil {
		d.screen.line("%.0f texts were embedded: a row is embedded when its text is new, not when something else of it changed.", total-embedded)
	}
	return nil
}

// follow shows a bar until the collection equals the rows. received is what the function had received before the rows came.
func (d *demo) follow(ctx context.Context, rows map[string]article, received int64) error {
	board := progress.New(d.screen.out)
	defer board.Close()
	task := board.Task(collection)
	task.Phase("waiting for the first row")
	w := &watch{demo: d, rows: rows, task: task, before: received}
	if err := poll(ctx, pollEvery, indexLimit, w.look); err != nil {
		task.Fail(err)
		return advise(fmt.Errorf("the rows do not arrive in Chroma: %w%s", err, d.complaints(ctx)),
			"function and embedding endpoint log to %s and %s, the source to %s; to start from nothing: go run ./deploy/local down --wipe && make demo",
			d.stack.Pulsar.Log(), d.stack.Embedding.Log(), d.sourceLog())
	}
	took := time.Since(w.begun)
	task.Done("%d rows in %s, %.0f rows/s, from the first row at the function to the last in Chroma",
		len(rows), round(took), float64(len(rows))/took.Seconds())
	return nil
}

// watch follows the filling of the collection.
type watch struct {
	*demo
	rows   map[string]article
	task   *progress.Task
	before int64     // records that the function had received when the watch began
	begun  time.Time // when the function was seen to receive
}

// look has an objection until the collection equals the rows.
func (w *watch) look(ctx context.Context) error {
	now := time.Now()
	received, _, err := w.counts(ctx)
	if err != nil {
		return err
	}
	records, err := w.records(ctx)
	if err != nil {
		return err
	}
	diff := compare(w.rows, records)
	if w.begun.IsZero() && (received > w.before || diff.right > 0) {
		w.begun = now
		w.task.Phase("indexing")
	}
	w.task.Amount(int64(diff.right), int64(len(w.rows)), "rows")
	if err := diff.err(); err != nil {
		return fmt.Errorf("%d of %d rows are in Chroma:\n%w", diff.right, len(w.rows), err)
	}
	return nil
}

// counts are how many records the function has taken, and how many texts it had embedded, since it started.
func (d *demo) counts(ctx context.Context) (received int64, embedded float64, err error) {
	s, err := d.pulsar.FunctionStats(ctx, functionName)
	if err != nil {
		return 0, 0, err
	}
	return s.Received, s.UserMetric("rowvec_embed_texts_total"), nil
}
