package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/rowvec/rowvec/chroma"
)

const (
	seenEvery = 5 * time.Millisecond // how exactly an arrival is timed
	seenLimit = 30 * time.Second
)

// change makes changes, one by one, and times each from its commit until Chroma shows it.
func (d *demo) change(ctx context.Context) error {
	if err := poll(ctx, pollEvery, startLimit, d.streams); err != nil {
		return advise(fmt.Errorf("the source does not stream changes: %w%s", err, d.complaints(ctx)), "look at %s", d.sourceLog())
	}
	rows, err := d.articles(ctx)
	if err != nil {
		return err
	}
	changes, rewrites, err := plan(rows)
	if err != nil {
		return err
	}
	d.rewrites = rewrites
	index, err := d.chroma.Collection(ctx, collection)
	if err != nil {
		return fmt.Errorf("open the collection: %w", err)
	}
	for _, c := range changes {
		took, err := d.timed(ctx, index, c)
		if err != nil {
			return err
		}
		d.screen.line("  %-9s  row %-4d %5d ms   %s", c.kind, c.id, took.Milliseconds(), c.what)
	}
	d.screen.line("Nothing is embedded for a new price: the vector depends on the text alone.")
	return nil
}

// timed makes a change and waits until it can be seen.
func (d *demo) timed(ctx context.Context, index *chroma.Collection, c change) (time.Duration, error) {
	tag, err := d.db.Exec(ctx, c.statement, c.args...)
	committed := time.Now()
	if err == nil && tag.RowsAffected() != 1 {
		err = fmt.Errorf("%d rows were affected, not 1", tag.RowsAffected())
	}
	if err != nil {
		return 0, fmt.Errorf("%s of row %d: %w", c.kind, c.id, err)
	}
	id := strconv.FormatInt(c.id, 10)
	err = poll(ctx, seenEvery, seenLimit, func(ctx context.Context) error {
		found, err := index.Get(ctx, []string{id})
		if err == nil && !c.arrived(found[id]) {
			err = errors.New("it does not show in Chroma")
		}
		return err
	})
	if err != nil {
		return 0, advise(fmt.Errorf("%s of row %d (%s): %w%s", c.kind, c.id, c.what, err, d.complaints(ctx)),
			"the function logs to %s, the source to %s", d.stack.Pulsar.Log(), d.sourceLog())
	}
	return time.Since(committed), nil
}
