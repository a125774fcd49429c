package indexer

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBisectFindsTheCulprits(t *testing.T) {
	t.Parallel()
	items := make([]int, 64)
	for i := range items {
		items[i] = i
	}
	bad := []int{3, 4, 40}
	var done, failed []int
	calls := 0
	bisect(items, func(part []int) error {
		calls++
		if slices.ContainsFunc(part, func(n int) bool { return slices.Contains(bad, n) }) {
			return errRefuse
		}
		done = append(done, part...)
		return nil
	}, func(part []int, err error) {
		require.ErrorIs(t, err, errRefuse)
		failed = append(failed, part...)
	})
	require.Equal(t, bad, failed)
	require.Len(t, done, 61)
	require.LessOrEqual(t, calls, len(bad)*(6+2)+1, "for each of them one of each level, one alone, and the rest")
}

func TestBisectAsksNothingItKnows(t *testing.T) {
	t.Parallel()
	items := make([]int, 64)
	total := 0
	for bad := range items {
		for i := range items {
			items[i] = i
		}
		calls := 0
		bisect(items, func(part []int) error {
			calls++
			if slices.Contains(part, bad) {
				return errRefuse
			}
			return nil
		}, func(part []int, _ error) { require.Equal(t, []int{bad}, part) })
		require.LessOrEqual(t, calls, 9, "the whole, one half of each of six levels, the culprit alone, the rest")
		total += calls
	}
	require.LessOrEqual(t, total, 64*17/2, "half of the time the last half is the culprit")
}

// A hundred bad items among ten thousand cannot be found by fewer than log2(10,000 over 100) = 808 answers of yes or no.
func TestBisectIsNearToWhatIsPossible(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	items := make([]bool, 10_000)
	for _, bad := range rng.Perm(len(items))[:100] {
		items[bad] = true
	}
	calls, failed := 0, 0
	for request := range slices.Chunk(items, 64) {
		bisect(request, func(part []bool) error {
			calls++
			if slices.Contains(part, true) {
				return errRefuse
			}
			return nil
		}, func(part []bool, _ error) {
			require.Equal(t, []bool{true}, part)
			failed++
		})
	}
	require.Equal(t, 100, failed)
	require.LessOrEqual(t, calls, 808*115/100)
}

// However many of the items are bad, a search costs no more than two calls for each item.
func TestBisectHasABudget(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(2, 2))
	for share := 0.0; share <= 1; share += 0.01 {
		items := make([]bool, 64)
		for i := range items {
			items[i] = rng.Float64() < share
		}
		calls, failed := 0, 0
		bisect(items, func(part []bool) error {
			calls++
			if slices.Contains(part, true) {
				return errRefuse
			}
			return nil
		}, func(part []bool, _ error) { failed += len(part) })
		bad := 0
		for _, is := range items {
			if is {
				bad++
			}
		}
		require.Equal(t, bad, failed)
		require.LessOrEqual(t, calls, 2*len(items), "%d of %d are bad", bad, len(items))
	}
}

// What ends a part for other reasons ends that part alone.
func TestBisectGoesOnAfterWhatIsNobodysFault(t *testing.T) {
	t.Parallel()
	var done, failed []int
	bisect([]int{1, 2, 3, 4, 5, 6, 7, 8}, func(part []int) error {
		switch {
		case slices.Contains(part, 6) && len(part) > 1:
			return errRefuse
		case slices.Contains(part, 2):
			return interrupted(errOutage)
		}
		done = append(done, part...)
		return nil
	}, func(part []int, err error) {
		require.ErrorIs(t, err, errOutage)
		failed = append(failed, part...)
	})
	require.Equal(t, []int{1, 2, 3, 4}, failed)
	require.Equal(t, []int{5, 6, 7, 8}, done)
}

func TestASumThatIsTooLargeCondemnsNobody(t *testing.T) {
	t.Parallel()
	var done []int
	bisect([]int{1, 2, 3, 4, 5, 6, 7, 8}, func(part []int) error {
		sum := 0
		for _, n := range part {
			sum += n
		}
		if sum > 20 {
			return errRefuse
		}
		done = append(done, part...)
		return nil
	}, func([]int, error) { t.Fail() })
	require.Equal(t, []int{1, 2, 3, 4, 5, 6, 7, 8}, done)
}

func TestBisectDoesNotSplitWhatIsNobodysFault(t *testing.T) {
	t.Parallel()
	var failed []int
	bisect([]int{1, 2, 3}, func([]int) error { return interrupted(errOutage) }, func(part []int, _ error) { failed = part })
	require.Equal(t, []int{1, 2, 3}, failed)
}
