package instance

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"
)

func TestWindowsTumbleEveryMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := newStats()
		var timer sync.WaitGroup
		timer.Go(func() { s.turnWindows(ctx) })

		advance(59 * time.Second)
		s.received()
		s.processed(8 * time.Millisecond)
		require.EqualValues(t, 1, s.snapshot().Minute.Received)
		require.EqualValues(t, 1, minuteObservations(t, s))

		advance(2 * time.Second)
		require.Equal(t, Counts{}, s.snapshot().Minute, "a new minute begins at zero, it does not slide")
		require.Zero(t, minuteObservations(t, s))
		require.EqualValues(t, 1, s.snapshot().Total.Received, "totals stay")

		s.received()
		advance(58 * time.Second)
		require.EqualValues(t, 1, s.snapshot().Minute.Received)
		advance(time.Second)
		synctest.Wait()
		require.Zero(t, s.snapshot().Minute.Received)

		cancel()
		timer.Wait()
	})
}

func minuteObservations(t *testing.T, s *stats) uint64 {
	t.Helper()
	_, minute := s.seriesState()
	var m dto.Metric
	require.NoError(t, minute.Write(&m))
	return m.GetSummary().GetSampleCount()
}
