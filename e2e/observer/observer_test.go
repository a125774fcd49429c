package observer

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// at is the metadata of a row: its position, and the second of its commit.
func at(lsn uint64, second int64) map[string]any {
	meta := map[string]any{}
	document.SetVersion(meta, connector.Version{LSN: lsn, CommitTime: time.Unix(second, 0), Emitted: time.Unix(second, 0)})
	return meta
}

func TestObserverTellsWhatWentBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		seen []map[string]any
		back int
	}{
		"forward":                         {[]map[string]any{at(1, 1), at(1, 1), at(2, 2)}, 0},
		"an older version":                {[]map[string]any{at(2, 2), at(1, 1)}, 1},
		"absent at first":                 {[]map[string]any{nil, at(1, 1)}, 0},
		"deleted, and back as it was":     {[]map[string]any{at(2, 2), nil, at(2, 2)}, 1},
		"deleted, and back as older":      {[]map[string]any{at(2, 2), nil, nil, at(1, 1)}, 1},
		"deleted, and made again":         {[]map[string]any{at(2, 2), nil, at(3, 3)}, 0},
		"fail-over to lower positions":    {[]map[string]any{at(9, 2), at(1, 3)}, 0},
		"announced, which has no version": {[]map[string]any{at(2, 2), at(0, 0), {}, at(2, 2)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := New(nil, "c", 1)
			for _, meta := range c.seen {
				o.saw("1", meta)
			}
			back, _ := o.Result()
			require.Len(t, back, c.back)
			o.Forget()
			o.saw("1", at(1, 1))
			again, _ := o.Result()
			require.Len(t, again, c.back, "what was forgotten cannot be gone back to")
		})
	}
}

// A look that was under way when the index was lost tells of what it held.
func TestALookIsOfTheIndexThatItBeganWith(t *testing.T) {
	t.Parallel()
	o := New(nil, "c", 1)
	look := func(lsn uint64, losses int) {
		o.note(map[string]map[string]any{"1": at(lsn, int64(lsn))}, losses)
	}
	look(2, o.losses())
	before := o.losses()
	o.Forget()
	look(2, before)
	look(1, o.losses())
	back, looks := o.Result()
	require.Empty(t, back)
	require.Equal(t, 2, looks)
	look(0, o.losses())
	look(2, o.losses())
	look(1, o.losses())
	back, _ = o.Result()
	require.Len(t, back, 1)
}
