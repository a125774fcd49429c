package embed

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAnswerLimit(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ configured, texts, least, most int }{
		"a short configured dimension does not shorten it": {384, 64, 64 * 8192 * 40, 64 << 20},
		"nothing known yet":                {0, 64, 64 * 8192 * 40, 64 << 20},
		"long vectors":                     {16384, 64, 64 * 16384 * 40, 128 << 20},
		"a single text":                    {384, 1, 8192 * 40, 1 << 20},
		"the largest request there can be": {4096, 10_000, 10_000 * 4096 * 21, 1 << 30},
		"more than there can be":           {65_536, 10_000, 1 << 30, 1 << 30},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			limit := dimension(test.configured).answerLimit(test.texts)
			require.GreaterOrEqual(t, limit, int64(test.least))
			require.LessOrEqual(t, limit, int64(test.most))
		})
	}
}
