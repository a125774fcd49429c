package connector_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

// Stale takes both: a lower position and a commit time that is not newer (design §4).
func TestStaleAgainst(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	stored := connector.Version{LSN: 100, CommitTime: noon}
	for name, c := range map[string]struct {
		lsn  uint64
		at   time.Time
		want bool
	}{
		"the same change":                   {100, noon, false},
		"earlier in both":                   {99, noon.Add(-time.Second), true},
		"earlier position, same time":       {99, noon, true},
		"after a fail-over: lower, later":   {5, noon.Add(time.Millisecond), false},
		"later position, clock turned back": {101, noon.Add(-time.Hour), false},
		"same position, earlier time":       {100, noon.Add(-time.Second), false},
	} {
		require.Equal(t, c.want, connector.Version{LSN: c.lsn, CommitTime: c.at}.StaleAgainst(stored), name)
	}
}

func TestOpNames(t *testing.T) {
	t.Parallel()
	for op, want := range map[connector.Op]string{
		connector.Insert: "insert", connector.Update: "update", connector.Delete: "delete", connector.Read: "read",
		connector.Truncate: "truncate", 0: "unknown",
	} {
		require.Equal(t, want, op.String())
	}
}
