//go:build e2e

package secure

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestNobodyIsTrusted takes rows from Postgres to Chroma where everything wants a secret and speaks TLS, each role with the rights that README.md names and no more;
// services fail and repeat every secret that they were sent; and none of them is found anywhere.
func TestNobodyIsTrusted(t *testing.T) {
	grantAsDocumented(t)
	file := functionYAML(t, function, nil)
	deployer(t, "functions", "create", "--function-config-file", file)
	says(t, function)
	insert(t, "articles", 1, 2, 3)
	insert(t, "reviews", 1)
	deployer(t, "sources", "create", "--source-config-file", sourceYAML(t))
	verified(t, file, 90*time.Second)

	t.Run("insert, update, delete", func(t *testing.T) {
		insert(t, "articles", 4)
		insert(t, "reviews", 2)
		execute(t, `UPDATE app.articles SET title = 'changed' WHERE id = 2`)
		execute(t, `DELETE FROM app.articles WHERE id = 3`)
		verified(t, file, time.Minute)
	})
	t.Run("a key that is refused halts", func(t *testing.T) { halts(t, file) })
	t.Run("what is refused goes to the dead letters", func(t *testing.T) { refused(t, file) })
	t.Run("the dead letter is sent again", func(t *testing.T) {
		world.endpoint.poison.Store(nil)
		require.Equal(t, 1, dlq(t, file, "redrive").Done)
		verified(t, file, time.Minute)
	})
	t.Run("gateway", func(t *testing.T) { gateway(t, file) })
	t.Run("listeners", narrowListeners)
	t.Run("a source in a role of its own", func(t *testing.T) { ownSource(t, file) })
	t.Run("who is not let in is told", notLetIn)
	t.Run("secrets", func(t *testing.T) { leaksNothing(t) })
}

// refused inserts a row that the endpoint refuses, with an answer that repeats the key.
func refused(t *testing.T, file string) {
	t.Helper()
	execute(t, `INSERT INTO app.articles (id, title, body) VALUES (13, 'Thirteen', $1)`, poisonText)
	eventually(t, time.Minute, func(context.Context) error {
		if found := dlq(t, file, "list"); found.Total != 1 {
			return fmt.Errorf("%d dead letters, not 1", found.Total)
		}
		return nil
	})
	shown, err := rowvec(t, "dlq", "show", dlq(t, file, "list").Letters[0].ID, "-f", file)
	require.NoError(t, err, shown)
	require.Contains(t, shown, "bad_request")
	requireNoSecret(t, "rowvec dlq show", shown)
}

// halts has the endpoint and Chroma refuse what they took before, each for a table of its own, in answers that repeat every secret.
func halts(t *testing.T, file string) {
	t.Helper()
	world.endpoint.locked.Store(true)
	insert(t, "articles", 5)
	says(t, function, "halted", "401", "embedding.apiKey")
	world.chroma.locked.Store(true)
	insert(t, "reviews", 5)
	says(t, function, "halted", "401", "embedding.apiKey", "chroma.token")
	answer, err := rowvec(t, "verify", "-f", file)
	require.Error(t, err)
	require.Contains(t, answer, "chroma.token")
	requireNoSecret(t, "rowvec verify", answer)
	world.chroma.locked.Store(false)
	world.endpoint.locked.Store(false)
	verified(t, file, time.Minute) // by itself: a probe looks every 30 s
	says(t, function)
}

// verified waits until the operator's CLI finds the index equal to the tables.
func verified(t *testing.T, file string, within time.Duration) {
	t.Helper()
	eventually(t, within, func(context.Context) error {
		if out, err := rowvec(t, "verify", "-f", file); err != nil {
			return fmt.Errorf("rowvec verify: %w: %s", err, out)
		}
		return nil
	})
}

// letters is what rowvec dlq prints.
type letters struct {
	Total, Done int
	Letters     []struct{ ID, Reason string }
}

func dlq(t *testing.T, file string, args ...string) letters {
	t.Helper()
	out, err := rowvec(t, append(append([]string{"dlq"}, args...), "-f", file, "--json")...)
	require.NoError(t, err, out)
	var found letters
	require.NoError(t, json.NewDecoder(strings.NewReader(out[strings.IndexByte(out, '{'):])).Decode(&found), out)
	return found
}
