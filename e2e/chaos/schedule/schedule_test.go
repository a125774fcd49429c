package schedule_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/e2e/chaos/schedule"
)

func counts(faults []schedule.Fault) map[string]int {
	n := map[string]int{}
	for _, f := range faults {
		n[f.Name]++
	}
	return n
}

func TestTheSeedDecides(t *testing.T) {
	t.Parallel()
	for _, length := range []time.Duration{5 * time.Minute, 30 * time.Minute} {
		require.Equal(t, schedule.Draw(3, length), schedule.Draw(3, length))
		require.NotEqual(t, schedule.Draw(3, length), schedule.Draw(4, length))
	}
}

func TestTheLongFormHasEveryKind(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		faults := schedule.Draw(seed, 30*time.Minute)
		require.GreaterOrEqual(t, len(faults), 25)
		drawn := counts(faults)
		for _, k := range schedule.Kinds() {
			require.Positive(t, drawn[k.Name], "%s in the schedule of seed %d", k.Name, seed)
		}
	}
}

func TestTheShortFormIsAFixedMix(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		faults := schedule.Draw(seed, 5*time.Minute)
		drawn := counts(faults)
		components := map[string]bool{}
		for _, k := range schedule.Kinds() {
			want := 0
			if k.Short {
				want = 1
				components[k.Component] = true
			}
			require.Equal(t, want, drawn[k.Name], k.Name)
		}
		require.Len(t, components, len(schedule.Components()), "every part fails")
		var cost time.Duration
		for _, f := range faults {
			require.LessOrEqual(t, f.Hold, 5*time.Second)
			cost += f.Cost
		}
		require.Less(t, cost, 5*time.Minute, "what is drawn fits")
	}
}

func TestFaultsComeOneAfterTheOther(t *testing.T) {
	t.Parallel()
	for _, length := range []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour} {
		faults := schedule.Draw(1, length)
		last := time.Duration(0)
		for _, f := range faults {
			require.Greater(t, f.At, last)
			require.Less(t, f.At, length)
			if length >= 5*time.Minute {
				require.LessOrEqual(t, f.At+f.Hold, length)
			}
			last = f.At
		}
	}
}

func TestOnly(t *testing.T) {
	t.Parallel()
	drawn := counts(schedule.Only(1, time.Minute, regexp.MustCompile("^broker|killed$")))
	require.Equal(t, map[string]int{
		schedule.BrokerRestarted: 1, schedule.BrokerKilled: 1, schedule.ChromaKilled: 1, schedule.InstanceKilled: 1, schedule.PostgresKilled: 1, schedule.SourceKilled: 1,
	}, drawn)
	require.Empty(t, schedule.Only(1, time.Minute, regexp.MustCompile("no such fault")))
}

func TestALengthThatIsTooShortHasWhatFits(t *testing.T) {
	t.Parallel()
	few := schedule.Draw(1, time.Minute)
	require.Less(t, len(few), len(schedule.Draw(1, 5*time.Minute)))
	require.NotEmpty(t, few)
	require.Len(t, schedule.Draw(1, time.Second), 1, "one at least")
}

func TestKindsAreWhole(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, k := range schedule.Kinds() {
		require.NotEmpty(t, k.Name)
		require.False(t, seen[k.Name], "%s is there twice", k.Name)
		seen[k.Name] = true
		require.Contains(t, schedule.Components(), k.Component, k.Name)
		require.Greater(t, k.Cost, k.Hold, k.Name)
		require.LessOrEqual(t, k.Brief, k.Hold, k.Name)
	}
}
