package main

import (
	"context"
	"fmt"
	"time"
)

// poll asks until check has no objection. After the time limit it returns the last one; when ctx ends, ctx's error.
func poll(ctx context.Context, every, within time.Duration, check func(context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	tick := time.NewTicker(every)
	defer tick.Stop()
	var last error
	for {
		err := check(bounded)
		if err == nil {
			return nil
		}
		if bounded.Err() == nil || last == nil {
			last = err // not that of the deadline, which says nothing
		}
		select {
		case <-tick.C:
		case <-bounded.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("not within %s: %w", within, last)
		}
	}
}
