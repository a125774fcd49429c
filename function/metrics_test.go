package function

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
)

// TestTheLastSuccessBeginsWithTheProcess: a gauge of 0 is a stall of 56 years to whoever subtracts it from now.
func TestTheLastSuccessBeginsWithTheProcess(t *testing.T) {
	t.Parallel()
	m, err := newMetrics(prometheus.NewRegistry())
	require.NoError(t, err)
	at := time.Unix(int64(m.user()["rowvec_last_success_timestamp_seconds"]), 0)
	require.WithinDuration(t, time.Now(), at, time.Minute)
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
