package embed_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/embed"
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
		"a head":                          {"retry", "malformed_answer", "incomplete answer"},
		"half a body":                     {"retry", "malformed_answer", "incomplete answer"},
		"another protocol":                {"retry", "network", "malformed HTTP"},
		"silence":                         {"retry", "timeout", "within 200ms"},
		"silence after a head":            {"retry", "timeout", "within 200ms"},
		"silence in a body":               {"retry", "timeout", "within 200ms"},
		"no such name":                    {"retry", "network", "no such host"}, // as a service has none while it is made anew
		"a name server down":              {"retry", "network", "server misbehaving"},
		"a slow name server":              {"retry", "timeout", "i/o timeout"},
		"no route":                        {"retry", "network", "no route"},
		"an unknown authority":            {"halt", "certificate", "unknown authority"},
		"another name":                    {"halt", "certificate", "not other.test"},
		"an expired certificate":          {"halt", "certificate", "expired"},
		"a certificate of ours is wanted": {"retry", "network", "certificate required"},
		"http behind https":               {"halt", "unsupported", "check embedding.baseURL"},
		"https behind http":               {"halt", "settings_refused", "HTTP request to an HTTPS server"},
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(faults)), slices.Collect(maps.Keys(table)))
	for name, want := range table {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, over := faults[name](t)
			client := newClient(t, func(c *embed.Config) { c.BaseURL, c.Transport, c.Timeout = address, over, 200*time.Millisecond })
			_, err := client.Embed(t.Context(), []string{"a"})
			require.Equal(t, []string{want.class, want.reason}, classAndReason(t, err), err)
			require.ErrorContains(t, err, want.says)
		})
	}
}
