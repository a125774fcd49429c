package supervise

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

const statTail = " 0 0 0 0 0 0 0 0 0 0 0 20 0 1 0 4711 0 0"

func TestParseStat(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		raw  string
		want entry
		ok   bool
	}{
		"plain":      {"7 (sleep) S 3 5 5" + statTail, entry{7, 3, 5, 4711, false}, true},
		"zombie":     {"7 (sleep) Z 3 5 5" + statTail, entry{7, 3, 5, 4711, true}, true},
		"nasty name": {"7 (a) Z 1 (b)) S 3 5 5" + statTail, entry{7, 3, 5, 4711, false}, true},
		"cut":        {"7 (sleep) S 3 5", entry{}, false},
		"empty":      {"", entry{}, false},
		"no numbers": {"7 (sleep) S x 5 5" + statTail, entry{pid: 7, group: 5, started: 4711}, false},
	}
	for name, test := range tests {
		got, ok := parseStat(7, test.raw)
		require.Equal(t, test.ok, ok, name)
		require.Equal(t, test.want, got, name)
	}
}

func TestThisProcessIsThere(t *testing.T) {
	t.Parallel()
	self, ok := lookup(os.Getpid())
	require.True(t, ok)
	require.Equal(t, os.Getppid(), self.parent)
	require.True(t, self.id().alive())
	require.Contains(t, processes(), self)
	require.False(t, ID{PID: self.pid, Started: self.started + 1}.alive(), "the same number at another time is another process")
}

// A number that was given to somebody else meanwhile must not lead to their processes.
func TestFamilyOfAReusedNumberIsEmpty(t *testing.T) {
	t.Parallel()
	p := script(t, "sleep 1000 & echo up; wait", nil)
	require.Len(t, members(t, p, 2), 2)
	require.Empty(t, family(ID{PID: p.id.PID, Started: p.id.Started - 1}, "no such mark", nil))
	require.Empty(t, family(ID{}, "", nil))
	require.Empty(t, family(ID{PID: 1, Started: 0}, "", nil))
}

func TestMarkIsMatchedAsAWhole(t *testing.T) {
	t.Parallel()
	p := script(t, "echo up; sleep 1000; :", nil)
	require.True(t, marked(p.id.PID, p.mark))
	require.False(t, marked(p.id.PID, p.mark[:len(p.mark)-1]))
	require.False(t, marked(p.id.PID, p.mark+"x"))
}
