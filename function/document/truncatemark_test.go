package document_test

import (
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

func TestATruncateMarkKeepsTheNewest(t *testing.T) {
	t.Parallel()
	at := func(lsn uint64, s int64) connector.Version {
		return connector.Version{LSN: lsn, CommitTime: time.Unix(s, 0).UTC()}
	}
	older, newer := at(1<<63+5, -7), at(7, 100) // after a fail-over
	newer.Emitted = time.UnixMilli(123456).UTC()
	meta := map[string]any{document.TruncateKey(newer): 0.0, "_rv_later": "of a later release", document.KeyLeft: nil}
	m, err := document.ParseTruncateMark(meta)
	require.NoError(t, err)
	require.Equal(t, document.TruncateMark{
		Newest: newer, Over: true, Keys: map[string]connector.Version{document.TruncateKey(newer): newer}, Left: true,
	}, m)

	meta[document.TruncateKey(older)], meta[document.KeySweep] = int64(1), int64(77)
	m, err = document.ParseTruncateMark(meta)
	require.NoError(t, err)
	require.Equal(t, newer, m.Newest)
	require.True(t, m.Over, "whatever is said of the older one")
	require.Equal(t, older, m.Keys[document.TruncateKey(older)])
	require.Equal(t, int64(77), m.Lease)
	require.False(t, m.Left)

	for left, want := range map[int64]bool{77: true, 76: false} {
		meta[document.KeyLeft] = left
		m, err = document.ParseTruncateMark(meta)
		require.NoError(t, err)
		require.Equal(t, want, m.Left)
	}
}

func TestADamagedTruncateMark(t *testing.T) {
	t.Parallel()
	good := map[string]any{document.TruncateKey(connector.Version{LSN: 1}): int64(1)}
	_, err := document.ParseTruncateMark(good)
	require.NoError(t, err)
	for key, value := range map[string]any{
		"_rv_truncated_1":              int64(1),
		"_rv_truncated_1_2_x":          int64(1),
		"_rv_truncated_1_2_3_4":        int64(1),
		"_rv_truncated_1_2_3":          "open",
		document.KeySweep:              "mine",
		document.KeyLeft:               true,
		"_rv_truncated_99999999999_-_": int64(0),
	} {
		bad := maps.Clone(good)
		bad[key] = value
		_, err := document.ParseTruncateMark(bad)
		require.ErrorContains(t, err, key)
	}
	_, err = document.ParseTruncateMark(map[string]any{document.KeySweep: int64(1)})
	require.ErrorContains(t, err, "a truncate")
}
