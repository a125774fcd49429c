// Package await waits for what other processes do, by asking again and again.
package await

import (
	"context"
	"fmt"
	"time"
)

// pause is between two looks.
const pause = 100 * time.Millisecond

// Until polls until check returns nil. Its last error tells what was missing.
func Until(ctx context.Context, within time.Duration, check func(ctx context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	var last error
	for {
		err := check(limited)
		if err == nil {
			return nil
		}
		if limited.Err() == nil || last == nil {
			last = err // not that of the deadline, which says nothing
		}
		select {
		case <-ticker.C:
		case <-limited.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("not within %v: %w", within, last)
		}
	}
}

// Rest waits, and reports whether the run goes on.
func Rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
