package chroma_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/embed/embedtest"
)

// TestEveryNetworkFault is the table of what may happen instead of an answer, or in the middle of one.
func TestEveryNetworkFault(t *testing.T) {
	t.Parallel()
	faults := embedtest.NetworkFaults()
	table := map[string]struct{ class, reason, says string }{
		"nobody listens":                  {"retry", "network", "connection refused"},
		"a reset":                         {"retry", "network", "reset"},
		"no word":                         {"retry", "network", "EOF"},
		"half a head":                     {"retry", "network", "connection broken"},
		"a head":                          {"retry", "network", "EOF"},
		"half a body":                     {"retry", "network", "EOF"},
		"another protocol":                {"retry", "network", "malformed HTTP"},
		"silence":                         {"retry", "timeout", "within 200ms"},
		"silence after a head":            {"retry", "timeout", "within 200ms"},
		"silence in a body":               {"retry", "timeout", "within 200ms"},
		"no such name":                    {"retry", "network", "no such host"}, // as a service has none while it is made anew
		"a name server down":              {"retry", "network", "server misbehaving"},
		"a slow name server":              {"retry", "network", "i/o timeout"},
		"no route":                        {"retry", "network", "no route"},
		"an unknown authority":            {"halt", "certificate", "unknown authority"},
		"another name":                    {"halt", "certificate", "not other.test"},
		"an expired certificate":          {"halt", "certificate", "expired"},
		"a certificate of ours is wanted": {"retry", "network", "certificate required"},
		"http behind https":               {"halt", "invalid_setting", "chroma.url says https"},
		"https behind http":               {"halt", "refused", "400"},
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(faults)), slices.Collect(maps.Keys(table)))
	for name, want := range table {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, over := faults[name](t)
			client, err := chroma.New(chroma.Config{URL: address, Transport: over, Timeout: 200 * time.Millisecond})
			require.NoError(t, err)
			t.Cleanup(func() { _ = client.Close() })
			err = client.Ping(t.Context())
			requireError(t, err, want.class, want.reason)
			require.ErrorContains(t, err, want.says)
			_, err = client.Ensure(t.Context(), chroma.CollectionSpec{Name: "articles"})
			requireError(t, err, want.class, want.reason)
		})
	}
}
