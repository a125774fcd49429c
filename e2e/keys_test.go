//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rowvec/rowvec/function/document"
)

// keyTables makes a table with a key of two columns and one without a key, and rows that are hard to name.
func keyTables(t *testing.T, version string) []string {
	t.Helper()
	keyed, keyless := "keyed"+version, "keyless"+version
	for _, statement := range []string{
		"DROP TABLE IF EXISTS app." + keyed + ", app." + keyless,
		"CREATE TABLE app." + keyed + " (k text, n int, t text, PRIMARY KEY (k, n))",
		"CREATE TABLE app." + keyless + " (a int, b text, t text)",
		"INSERT INTO app." + keyed + " VALUES ('a/b', 1, 't'), ('', 2, 't'), ('Köln #%', 3, 't'), (repeat('long ', 40), 4, 't'), ('%null', 5, 't')",
		"INSERT INTO app." + keyless + " VALUES (1, NULL, 't'), (2, 'x/y', 't'), (3, '', 't')",
	} {
		execute(t, statement)
	}
	return []string{keyed, keyless}
}

// keyRows is how many rows keyTables puts into the tables.
const keyRows = 8

// withKeys are changes to the settings of a function of another table, so that it has the tables of keyTables, too, in a collection of
// their own.
func withKeys(d *deployment, version string) (keys *deployment, changes map[string]any) {
	keyed, keyless := "keyed"+version, "keyless"+version
	keys = &deployment{name: d.name, source: d.source, collection: "e2e-keys" + version, table: keyless}
	topic := "persistent://public/default/" + d.source + ".app."
	return keys, map[string]any{
		"inputs": []string{topic + d.table, topic + keyed, topic + keyless},
		"userConfig/tables": map[string]any{
			"app." + keyed:   map[string]any{"collection": keys.collection, "text": "{{.t}}"},
			"app." + keyless: map[string]any{"collection": keys.collection, "text": "{{.t}}", "key": []string{"a", "b"}},
			"app." + d.table: map[string]any{
				"collection": d.collection, "text": "{{.title}}: {{.body}}", "metadata": []string{"title", "price", "tags", "created_at"},
			},
		},
	}
}

// requireKeys asserts the ids of the rows of keyTables.
func (d *deployment) requireKeys(t *testing.T, version string) {
	t.Helper()
	keyed, keyless := "app.keyed"+version+"/", "app.keyless"+version+"/"
	long := keyed + strings.Repeat("long%20", 40) + "/4"
	d.requireIDs(t, time.Minute, keyed+"a%2Fb/1", keyed+"%empty/2", keyed+"K%C3%B6ln%20%23%25/3", long, keyed+"%25null/5",
		keyless+"1/%null", keyless+"2/x%2Fy", keyless+"3/%empty")
}

// requireKeyChanges changes keys and deletes rows, and asserts the ids that are left.
func (d *deployment) requireKeyChanges(t *testing.T, version string) {
	t.Helper()
	keyed, keyless := "app.keyed"+version+"/", "app.keyless"+version+"/"
	for _, statement := range []string{
		"UPDATE app.keyed" + version + " SET k = 'c#1' WHERE n = 1", "DELETE FROM app.keyed" + version + " WHERE n IN (2, 4)",
		"UPDATE app.keyless" + version + " SET b = NULL WHERE a = 2", "DELETE FROM app.keyless" + version + " WHERE a = 1",
	} {
		execute(t, statement)
	}
	d.requireIDs(t, 20*time.Second, keyed+"c%231/1", keyed+"K%C3%B6ln%20%23%25/3", keyed+"%25null/5", keyless+"2/%null", keyless+"3/%empty")
	d.requireNoDeadLetters(t)
}

// requireIDs waits until the collection has these rows and no others. Of a hash the key that it stands for is looked at.
func (d *deployment) requireIDs(t *testing.T, within time.Duration, want ...string) {
	t.Helper()
	slices.Sort(want)
	eventually(t, within, func(ctx context.Context) error {
		have, err := records(ctx, d.collection)
		if err != nil {
			return err
		}
		var ids []string
		for _, id := range slices.Sorted(maps.Keys(have)) {
			if full, hashed := have[id].Metadata[document.KeyFullKey].(string); hashed {
				id = full
			}
			ids = append(ids, id)
		}
		slices.Sort(ids)
		if !slices.Equal(want, ids) {
			return fmt.Errorf("expected the rows %q, found %q", want, ids)
		}
		return nil
	})
}
