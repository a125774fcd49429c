//go:build e2e

package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/embed/embedtest"
)

// TestWrongSettingsHaltAndSayWhy: a wrong setting never dead-letters and never loses a record. `functions status` shows what to change,
// and a `functions update` with the right one brings the index up to date.
func TestWrongSettingsHaltAndSayWhy(t *testing.T) {
	endpoint := embedtest.New(embedtest.Options{Model: "the-model", APIKey: "right-key"})
	t.Cleanup(endpoint.Close)
	right := map[string]any{
		"userConfig/embedding/baseURL": endpoint.URL(), "userConfig/embedding/model": "the-model", "userConfig/embedding/apiKey": "right-key",
	}
	with := func(key string, value any) map[string]any {
		changed := map[string]any{key: value}
		for k, v := range right {
			if k != key {
				changed[k] = v
			}
		}
		return changed
	}
	d := deploy(t, "model", with("userConfig/embedding/modle", "x"))
	d.says(t, time.Minute, "halted", "userConfig.embedding.modle: unknown setting; did you mean model?")
	d.subscribed(t, 1) // what comes is held, although nothing can be done with it yet
	startSource(t)
	for id := range int64(20) {
		insert(t, "model", makeRow(id))
	}

	d.update(t, with("userConfig/embedding/model", "no-such-model"))
	d.says(t, time.Minute, "halted", "no-such-model")

	d.update(t, with("userConfig/embedding/apiKey", "planted-wrong-key"))
	d.says(t, time.Minute, "halted", "401")
	text, err := d.errorText(t.Context())
	require.NoError(t, err)
	require.NotContains(t, text, "planted-wrong-key")

	endpoint.Control(embedtest.Longer) // as an endpoint does that cannot give other dimensions than its own
	d.update(t, right)
	d.says(t, time.Minute, "halted", "dimension")
	endpoint.Control(nil)

	d.update(t, with("userConfig/tables/app.model/text", "{{.titel}}"))
	d.says(t, time.Minute, "halted", "titel", "title")

	d.requireNoDeadLetters(t)
	d.update(t, right)
	requireEqual(t, "model", d.collection, time.Minute)
	d.isWell(t, 30*time.Second, 1)
	d.requireNoDeadLetters(t)
}
