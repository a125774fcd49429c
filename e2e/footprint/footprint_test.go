package footprint_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/e2e/footprint"
)

func TestThisProcess(t *testing.T) {
	t.Parallel()
	found, err := footprint.Find(filepath.Base(os.Args[0]), "-test.")
	require.NoError(t, err)
	require.Contains(t, found, os.Getpid())
	ballast := make([]byte, 64<<20)
	for i := range ballast {
		ballast[i] = 1
	}
	use, err := footprint.Of(os.Getpid())
	require.NoError(t, err)
	require.Greater(t, use.Resident, int64(len(ballast)))
	require.Less(t, use.Resident, int64(1<<30))
	require.Positive(t, use.Threads)
	require.Equal(t, byte(1), ballast[len(ballast)-1])
}

func TestNoSuchProcess(t *testing.T) {
	t.Parallel()
	_, err := footprint.Find(filepath.Base(os.Args[0]), "no process\x00has this")
	require.ErrorContains(t, err, "no process has this")
	_, err = footprint.Of(-1)
	require.ErrorIs(t, err, os.ErrNotExist)
}
