package mailbox

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRangesAreReadAsTheBrokerWritesThem(t *testing.T) {
	t.Parallel()
	spans, err := parseSpans("[(12:3..12:5],(12:7..13:0]]")
	require.NoError(t, err)
	require.Equal(t, []span{{position{12, 3}, position{12, 5}}, {position{12, 7}, position{13, 0}}}, spans)
	spans, err = parseSpans("[]")
	require.NoError(t, err)
	require.Empty(t, spans)
	for _, text := range []string{"", "[", "[12:3]", "[(12:3..12:5)]", "[(12:3-12:5]]", "[(12..12:5]]", "[(12:3..x:5]]", "[(12:3..12:5],]"} {
		_, err := parseSpans(text)
		require.Error(t, err, text)
	}
}

func TestAcknowledged(t *testing.T) {
	t.Parallel()
	p := &place{mark: position{12, 1}, gone: []span{{position{12, 3}, position{12, 5}}, {position{12, 7}, position{13, 0}}}}
	for at, want := range map[position]bool{
		{11, 9}: true, {12, 1}: true, {12, 2}: false, {12, 3}: false, {12, 4}: true, {12, 5}: true, {12, 6}: false, {12, 7}: false,
		{12, 8}: true, {13, 0}: true, {13, 1}: false,
	} {
		require.Equal(t, want, p.acknowledged(at), at)
	}
}

func TestEntriesAreCountedOverLedgers(t *testing.T) {
	t.Parallel()
	state := &internals{}
	for id, n := range map[int64]int64{5: 10, 8: 100, 9: 0} {
		state.Ledgers = append(state.Ledgers, struct {
			ID      int64 `json:"ledgerId"`
			Entries int64 `json:"entries"`
		}{id, n})
	}
	require.Equal(t, 3+100+4, state.between(position{5, 6}, position{9, 3}))
	require.Equal(t, 2, state.between(position{9, 1}, position{9, 3}))
	require.Equal(t, 104, state.between(position{4, 7}, position{9, 3})-10, "a ledger that is gone counts nothing")
	require.Zero(t, state.between(position{9, 3}, position{9, 3}))
}

// FuzzFirstPart: whatever the client calls an id, there is a first part.
func FuzzFirstPart(f *testing.F) {
	f.Add([]byte{0x08, 7, 0x10, 9, 0x3a, 4, 0x08, 7, 0x10, 5})
	f.Add([]byte{0x3a, 0xff})
	f.Add([]byte{})
	f.Fuzz(func(_ *testing.T, id []byte) {
		_ = firstPart(id, position{1, 2})
	})
	require.Equal(f, position{7, 5}, firstPart([]byte{0x08, 7, 0x10, 9, 0x3a, 4, 0x08, 7, 0x10, 5}, position{7, 9}))
	require.Equal(f, position{7, 9}, firstPart([]byte{0x08, 7, 0x10, 9}, position{7, 9}))
}

// FuzzSpans: what can be read can be searched.
func FuzzSpans(f *testing.F) {
	f.Add("[(12:3..12:5],(12:7..13:0]]")
	f.Fuzz(func(_ *testing.T, text string) {
		if spans, err := parseSpans(text); err == nil {
			(&place{gone: spans}).acknowledged(position{12, 4})
		}
	})
}
