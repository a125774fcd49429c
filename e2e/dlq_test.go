//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/embed/embedtest"
)

// letterCount is how many rows of TestDeadLetters have no place in the index at first.
const letterCount = 1000

// TestDeadLetters: a thousand letters of rows that are too long for the settings. Redriven as things are, they come back with their
// history, and one that keeps coming back is left. Half of the rows get newer versions; then the settings are mended, everything is
// redriven, and the index equals the table.
func TestDeadLetters(t *testing.T) {
	endpoint := embedtest.New(embedtest.Options{Model: "fake", Dimensions: 32})
	t.Cleanup(endpoint.Close)
	table := map[string]any{"collection": "e2e-letters", "text": "{{.title}}: {{.body}}", "metadata": []string{"title", "price", "tags", "created_at"}}
	settings := map[string]any{
		"userConfig/embedding/baseURL": endpoint.URL(), "userConfig/embedding/model": "fake", "userConfig/embedding/dimensions": 32,
		"userConfig/embedding/maxTextTokens": 40, "userConfig/tables": map[string]any{"app.letters": table},
		"userConfig/pulsar": map[string]any{"serviceURL": world.env.PulsarURL, "adminURL": world.env.PulsarAdminURL},
	}
	d := deploy(t, "letters", settings)
	startSource(t)
	d.subscribed(t, 1)
	require.Zero(t, d.dlq(t, "list").Total, "a function that has dead-lettered nothing")
	execute(t, `INSERT INTO app.letters (id, title, body) SELECT i, 'Article ' || i, repeat('What is to be said takes long. ', 20) FROM generate_series(1, $1::int) AS i`, letterCount)
	require.Equal(t, map[string]int{"poison": letterCount}, d.settles(t, letterCount))
	began := time.Now()

	settled := letterCount + d.redriveInVain(t)
	execute(t, `UPDATE app.letters SET body = 'Short.' WHERE id % 4 = 0`)
	execute(t, `DELETE FROM app.letters WHERE id % 8 = 2`)
	execute(t, `UPDATE app.letters SET price = 9.99 WHERE id % 8 = 6`) // letters themselves
	newer, again := letterCount/4+letterCount/8, letterCount/8
	counts := d.settles(t, settled+newer+again)
	require.Equal(t, settled+again, counts["poison"])
	d.lettersStand(t, letterCount+again)

	table["overflow"] = "truncate"
	d.update(t, settings)
	d.startsAnew(t, 1)
	would := d.dlq(t, "redrive", "--dry-run")
	require.Equal(t, []int{letterCount + again, letterCount + again - 1, 1}, []int{would.Matched, would.Done, would.InVain})
	at := time.Now()
	did := d.dlq(t, "redrive")
	t.Logf("%d letters redriven in %.1f s", did.Done, time.Since(at).Seconds())
	require.Equal(t, would.Done, did.Done)
	require.Equal(t, 1, d.dlq(t, "redrive", "--again").Done)
	outcomes := d.settles(t, letterCount+again)
	t.Logf("they became %v", outcomes)
	require.Zero(t, outcomes["poison"])
	require.GreaterOrEqual(t, outcomes["stale"]+outcomes["superseded"], newer)
	require.Zero(t, d.dlq(t, "list").Total)
	v := newVerifying(t, d)
	eventually(t, time.Minute, func(ctx context.Context) error { return v.equal(ctx) })
	t.Logf("%.1f s since the letters were there", time.Since(began).Seconds())
}

// redriveInVain redrives letters whose cause is not mended, and returns how many it sent.
func (d *deployment) redriveInVain(t *testing.T) int {
	t.Helper()
	before := d.lettersStand(t, letterCount)
	require.Len(t, before.Counts, 1)
	require.Equal(t, "text_too_long", before.Counts[0].Reason)
	require.Equal(t, letterCount, before.Counts[0].Letters)
	first := make(map[string]letterJSON)
	for _, l := range before.Letters {
		first[l.Row] = l
	}
	require.Len(t, first, letterCount)

	const some = 20
	require.Equal(t, some, d.dlq(t, "redrive", "--limit", "20").Done)
	d.settles(t, letterCount+some)
	after := d.lettersStand(t, letterCount)
	again := 0
	for _, l := range after.Letters {
		require.Equal(t, first[l.Row].FirstAttempt, l.FirstAttempt, "row %s", l.Row)
		if l.Redriven == 1 {
			again++
			require.True(t, l.Time.After(first[l.Row].Time), "row %s", l.Row)
		}
	}
	require.Equal(t, some, again)

	sent := some
	for range 3 {
		if r := d.dlq(t, "redrive", "--row", "999"); r.Done == 1 {
			sent++
		}
		d.settles(t, letterCount+sent)
		d.lettersStand(t, letterCount)
	}
	r := d.dlq(t, "redrive", "--row", "999")
	require.Equal(t, []int{1, 0, 1}, []int{r.Matched, r.Done, r.InVain})
	l := d.dlq(t, "list", "--row", "999").Letters[0]
	require.Equal(t, 3, l.Redriven)
	var shown struct {
		History []struct {
			Reason string `json:"reason"`
			Times  int    `json:"times"`
		} `json:"history"`
		Payload struct {
			After map[string]any `json:"after"`
		} `json:"payload"`
		Advice string `json:"advice"`
	}
	d.dlqInto(t, &shown, "show", l.ID)
	require.Len(t, shown.History, 1)
	require.Equal(t, "text_too_long", shown.History[0].Reason)
	require.Equal(t, 3, shown.History[0].Times)
	require.Equal(t, "Article 999", shown.Payload.After["title"])
	require.Contains(t, shown.Advice, "overflow: truncate")
	return sent
}

// lettersStand waits until so many letters stand in the topic: an instance counts a record when it has given it up, before its letter is there.
func (d *deployment) lettersStand(t *testing.T, n int) dlqJSON {
	t.Helper()
	var list dlqJSON
	eventually(t, 20*time.Second, func(context.Context) error {
		if list = d.dlq(t, "list", "--limit", "0"); list.Total != n {
			return fmt.Errorf("%d letters stand there, not %d", list.Total, n)
		}
		return nil
	})
	return list
}

type letterJSON struct {
	ID, Row            string
	Time, FirstAttempt time.Time
	Redriven           int
}

// dlqJSON is what list, redrive and drop print.
type dlqJSON struct {
	Total, Matched, Done, InVain int
	Counts                       []struct {
		Reason  string
		Letters int
	}
	Letters []letterJSON
}

func (d *deployment) dlq(t *testing.T, args ...string) dlqJSON {
	t.Helper()
	var out dlqJSON
	d.dlqInto(t, &out, args...)
	return out
}

// dlqInto runs `rowvec dlq`.
func (d *deployment) dlqInto(t *testing.T, into any, args ...string) {
	t.Helper()
	args = append(append([]string{"dlq"}, args...), "-f", d.file, "--json")
	c := exec.CommandContext(t.Context(), filepath.Join(world.root, "bin", "rowvec"), args...)
	var stderr strings.Builder
	c.Stderr = &stderr
	text, err := c.Output()
	require.NoError(t, err, stderr.String())
	require.NoError(t, json.Unmarshal(text, into), string(text))
}
