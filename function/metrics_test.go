package function

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/function/indexer"
)

// TestAProcessThatIndexedNothingHasNoLastSuccess: were its beginning taken for one, whoever crashes again and again would never stall.
func TestAProcessThatIndexedNothingHasNoLastSuccess(t *testing.T) {
	t.Parallel()
	m, err := newMetrics(prometheus.NewRegistry())
	require.NoError(t, err)
	const began, last = "rowvec_start_timestamp_seconds", "rowvec_last_success_timestamp_seconds"
	isNow := func(series string) {
		require.WithinDuration(t, time.Now(), time.Unix(int64(m.user()[series]), 0), time.Minute, series)
	}
	isNow(began)
	for _, kind := range []indexer.Kind{indexer.Ignored, indexer.Stale, indexer.Poison} {
		m.settled("app.a", kind, 0)
		require.NotContains(t, m.user(), last, kind)
	}
	m.settled("app.a", indexer.Indexed, time.Second)
	isNow(last)
}

func TestRequestsToChromaAreCountedByHowTheyEnd(t *testing.T) {
	t.Parallel()
	m, err := newMetrics(prometheus.NewRegistry())
	require.NoError(t, err)
	for _, code := range []string{"200", "503", "503", "timeout"} {
		m.indexed(chroma.Observation{Op: "upsert", Code: code, Duration: time.Second})
	}
	have := m.user()
	require.InDelta(t, 4, have["rowvec_chroma_duration_seconds_count{op=upsert}"], 0)
	for code, want := range map[string]float64{"200": 1, "503": 2, "timeout": 1} {
		require.InDelta(t, want, have["rowvec_chroma_requests_total{code="+code+",op=upsert}"], 0, code)
	}
}
