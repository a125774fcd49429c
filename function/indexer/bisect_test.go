package indexer

import (
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
	require.LessOrEqual(t, calls, 2*len(bad)*6+1)
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
		require.LessOrEqual(t, calls, 13, "both halves of each of six levels, and the whole")
		total += calls
	}
	require.LessOrEqual(t, total, 64*11, "half of the time the first half is good, and the second need not be tried as a whole")
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
