package monitor

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestQuantilesAreWithinOnePerCent(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var first, second durations
		exact := make([]float64, 1+random.IntN(20_000))
		for i := range exact {
			exact[i] = random.ExpFloat64() * float64(1+random.IntN(5_000)) / 10
			if i%2 == 0 {
				first.add(exact[i])
			} else {
				second.add(exact[i])
			}
		}
		slices.Sort(exact)
		first.merge(&second)
		got := first.quantiles()
		require.EqualValues(t, len(exact), got.Count)
		for q, have := range map[float64]float64{.5: got.P50, .95: got.P95, .99: got.P99} {
			want := exact[min(len(exact)-1, int(q*float64(len(exact))))]
			require.InDelta(t, want, have, max(.01*want, .002), "%v of %d", q, len(exact))
		}
	}
}

func TestOneDurationIsToldAsItIs(t *testing.T) {
	t.Parallel()
	for _, ms := range []float64{.001, 5, 123.456, 86_400_000} {
		var d durations
		d.add(ms)
		require.Equal(t, &Quantiles{Count: 1, P50: ms, P95: ms, P99: ms}, d.quantiles())
	}
	var none durations
	require.Nil(t, none.quantiles())
	some := durations{}
	some.add(3)
	some.merge(&none)
	none.merge(&some)
	require.Equal(t, some.quantiles(), none.quantiles())
}

// TestDurationsAreBounded: whatever they are, and however many.
func TestDurationsAreBounded(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var d durations
	for ms := 1e-9; ms < 1e18; ms *= 1.001 {
		d.add(ms)
		d.add(-random.Float64())
	}
	require.Less(t, len(d.buckets), 1_800)
	require.True(t, slices.IsSortedFunc(d.buckets, func(a, b bucket) int { return int(a.number) - int(b.number) }))
}

func BenchmarkDurations(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	var d durations
	b.ReportAllocs()
	for b.Loop() {
		d.add(random.ExpFloat64() * 100)
	}
}
