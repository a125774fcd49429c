package instance

import (
	"context"
	"time"
)

// Counts is what happened since the start, or in the minute in progress.
type Counts struct {
	Received   int64
	Processed  int64 // successfully
	Exceptions [exceptionKinds]int64
	Busy       time.Duration // sum of the latencies of the processed records
}

// System is the number of system, source and sink exceptions together: the worker adds them up so for the status, and Java counts them
// so for the metrics (contract §2.2).
func (c Counts) System() int64 {
	return c.Exceptions[SystemException] + c.Exceptions[SourceException] + c.Exceptions[SinkException]
}

// AverageLatency of the processed records, in milliseconds; 0 when there are none.
func (c Counts) AverageLatency() float64 {
	if c.Processed == 0 {
		return 0
	}
	return milliseconds(c.Busy) / float64(c.Processed)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// windowLength is that of the tumbling windows behind the "1min" figures (contract §2.2).
const windowLength = time.Minute

// turnWindows starts a new window every minute until ctx ends. A timer does it, because nobody calls ResetMetrics.
func (s *stats) turnWindows(ctx context.Context) {
	ticker := time.NewTicker(windowLength)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.newWindow()
		case <-ctx.Done():
			return
		}
	}
}

func (s *stats) newWindow() {
	fresh := newLatency("pulsar_function_process_latency_ms_1min")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.minute = Counts{}
	s.minuteLatency = fresh
}
