//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/postgres"
	"github.com/rowvec/rowvec/function/wire"
)

// typed is a column of function/wire/testdata/types.json.
type typed struct {
	Name, SQL, Type, Text string
	Array                 bool
	Modifier              int
}

// typedTable makes a table with one row of all types and returns its columns and the transaction that wrote the row.
func typedTable(t *testing.T) (columns []typed, txID uint64) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(world.root, "function", "wire", "testdata", "types.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &columns))
	for _, statement := range []string{
		`CREATE EXTENSION IF NOT EXISTS hstore`, `CREATE EXTENSION IF NOT EXISTS ltree`, `CREATE EXTENSION IF NOT EXISTS citext`,
		`CREATE SCHEMA IF NOT EXISTS fetching`, `DROP TABLE IF EXISTS fetching.types`, `CREATE TABLE fetching.types ()`,
	} {
		_, err := world.db.Exec(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	var names, values []string
	for _, c := range columns {
		_, err := world.db.Exec(t.Context(), "ALTER TABLE fetching.types ADD "+c.Name+" "+c.SQL)
		require.NoError(t, err)
		names, values = append(names, c.Name), append(values, "'"+c.Text+"'")
	}
	insert := "INSERT INTO fetching.types (" + strings.Join(names, ", ") + ") VALUES (" + strings.Join(values, ", ") + ") RETURNING txid_current()"
	err = world.db.QueryRow(t.Context(), insert).Scan(&txID)
	require.NoError(t, err)
	return columns, txID
}

// TestFetchTypes: a real server describes and prints every type as package wire's tests have it, which hold what is made of these texts
// against captured records of the real connector.
func TestFetchTypes(t *testing.T) {
	columns, txID := typedTable(t)
	described, err := wire.Describe(t.Context(), world.db, connector.Table{Schema: "fetching", Name: "types"})
	require.NoError(t, err)
	require.Len(t, described, len(columns))
	reader, err := postgres.New(world.env.PostgresURL)
	require.NoError(t, err)
	t.Cleanup(reader.Close)
	change := &connector.Change{
		Op: connector.Update, Table: connector.Table{Schema: "fetching", Name: "types"}, TxID: txID & 0xffffffff, After: connector.Row{},
		Writer: connector.Writer{Connector: "3.0.0.Final"},
	}
	key := []connector.Column{{Name: "id", Value: int64(1)}, {Name: "d", Value: int64(20455)}}
	read := 0
	for i, c := range columns {
		require.Equal(t, wire.Column{Name: c.Name, Type: c.Type, Array: c.Array, Modifier: c.Modifier, SQL: described[i].SQL}, described[i])
		want, unknown := wire.Send(&described[i], wire.Value{Text: c.Text}, change)
		row, found, err := reader.Fetch(t.Context(), change, key, []string{c.Name})
		if unknown != nil {
			require.ErrorContains(t, err, unknown.Error())
			continue
		}
		require.NoError(t, err, c.Name)
		require.True(t, found)
		require.Equal(t, connector.Row{c.Name: want}, row)
		read++
	}
	require.Greater(t, read, 35)
}

// TestFetchWaitsForTheChange: what another session does not see yet is not read, whether the row is there or not.
func TestFetchWaitsForTheChange(t *testing.T) {
	_, _ = typedTable(t)
	reader, err := postgres.New(world.env.PostgresURL)
	require.NoError(t, err)
	t.Cleanup(reader.Close)
	var txID uint64
	change := &connector.Change{Op: connector.Update, Table: connector.Table{Schema: "fetching", Name: "types"}, After: connector.Row{}}
	fetch := func(id int64) (connector.Row, bool, error) {
		change.TxID = txID & 0xffffffff
		return reader.Fetch(t.Context(), change, []connector.Column{{Name: "id", Value: id}}, []string{"body"})
	}
	require.NoError(t, pgx.BeginFunc(t.Context(), world.db, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), "UPDATE fetching.types SET body = 'another'; INSERT INTO fetching.types (id, body) VALUES (2, 'new')")
		require.NoError(t, err)
		require.NoError(t, tx.QueryRow(t.Context(), "SELECT txid_current()").Scan(&txID))
		for _, id := range []int64{1, 2} {
			_, _, err = fetch(id)
			var behind *postgres.Error
			require.ErrorAs(t, err, &behind)
			require.Equal(t, postgres.ReasonBehind, behind.Reason())
			require.Equal(t, "retry", behind.Class())
		}
		return nil
	}))
	for id, want := range map[int64]string{1: "another", 2: "new"} {
		row, found, err := fetch(id)
		require.NoError(t, err)
		require.True(t, found)
		require.Equal(t, connector.Row{"body": want}, row)
	}
	txID += 1_000_000 // of a database that this one was restored from
	_, found, err := fetch(3)
	require.NoError(t, err)
	require.False(t, found)
}
