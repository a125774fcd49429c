//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/rowvec/rowvec/deploy/local/admin"
	"github.com/rowvec/rowvec/embed/embedtest"
	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/function/verify"
)

// unsure is the exit code of `rowvec verify` when no fault was found and not everything could be compared.
const unsure = 3

// TestVerifyTypes: what the real source makes of every type, and what verify expects of it, are the same; where verify cannot know, it
// says so and raises no alarm.
func TestVerifyTypes(t *testing.T) {
	endpoint := embedtest.New(embedtest.Options{Model: "fake", Dimensions: 32})
	t.Cleanup(endpoint.Close)
	execute(t, `CREATE EXTENSION IF NOT EXISTS citext; DROP TYPE IF EXISTS app.mood CASCADE; DROP DOMAIN IF EXISTS app.positive CASCADE;
		CREATE TYPE app.mood AS ENUM ('happy', 'not so happy'); CREATE DOMAIN app.positive AS numeric(12,4) CHECK (value > 0);
		ALTER TABLE app.verify_types ADD n numeric, ADD day date, ADD at timestamp, ADD at3 timestamp(3), ADD tz3 timestamptz(3), ADD clock time,
		ADD clock3 time(3), ADD r real, ADD f float8, ADD u uuid, ADD j jsonb, ADD js json, ADD b bytea, ADD flag boolean, ADD nums integer[],
		ADD prices numeric[], ADD flags boolean[], ADD doubles float8[], ADD uuids uuid[], ADD ch char(5), ADD vc varchar(10), ADD ci citext,
		ADD net inet, ADD cid cidr, ADD mac macaddr, ADD rng int4range, ADD one bit(1), ADD bits bit(3), ADD mood app.mood, ADD dom app.positive,
		ADD small smallint, ADD o oid, ADD span interval, ADD timez timetz, ADD mon money, ADD trange tstzrange, ADD days date[], ADD pt point`)
	columns := []string{
		"title", "price", "tags", "created_at", "n", "day", "at", "at3", "tz3", "clock", "clock3", "r", "f", "u", "j", "js", "b", "flag", "nums",
		"prices", "flags", "doubles", "uuids", "ch", "vc", "ci", "net", "cid", "mac", "rng", "one", "bits", "mood", "dom", "small", "o", "span",
		"timez", "mon", "trange", "days", "pt",
	}
	settings := verifySettings("verify_types", endpoint.URL())
	settings["userConfig/tables"] = map[string]any{"app.verify_types": map[string]any{
		"collection": "e2e-verify_types", "text": "{{.title}}: {{.body}} {{.day}} {{.n}}", "metadata": columns,
	}}
	d := deploy(t, "verify_types", settings)
	startSource(t)
	d.subscribed(t, 1)
	execute(t, `INSERT INTO app.verify_types (id, title, n, day, at, at3, tz3, clock, clock3, r, f, u, j, js, b, flag, nums, prices, flags, doubles,
		uuids, ch, vc, ci, net, cid, mac, rng, one, bits, mood, dom, small, o, span, timez, mon, trange, days, pt, price, tags)
		SELECT i, 'Typed ' || i, i / 7.0, '2026-01-02'::date + i, '2026-01-02 03:04:05.678901'::timestamp + i * interval '1.1 s',
		'2026-01-02 03:04:05.6', '2026-01-02 03:04:05.1+02', '03:04:05.5', '23:59:59.999', i / 3.0::real, i / 3.0::float8,
		md5(i::text)::uuid, jsonb_build_object('b', i, 'a', '[1, 2.50]'::jsonb), '{"z": 1,  "a":null}', decode(md5(i::text), 'hex'), i % 2 = 0,
		ARRAY[i, -i], ARRAY[i / 4.0, 1], ARRAY[true, false], ARRAY[i / 3.0::float8, 2], ARRAY[md5(i::text)::uuid], 'ab', 'vc' || i, 'CiText',
		'10.0.0.1', '10.1.0.0/16', '08:00:2b:01:02:03', int4range(i, i + 5), '1', '101', 'not so happy', i + 0.25, -i, 4000000000, '1 day 2 hours',
		'03:04:05+02', 12.34, tstzrange('2026-01-02', NULL), ARRAY['2026-01-02'::date], '(1,2)', i + 0.5, ARRAY['a,"b', 'c\d', NULL, '']
		FROM generate_series(1, 30) AS i`)
	execute(t, `INSERT INTO app.verify_types (id, title) VALUES (101, 'all null')`)
	execute(t, `INSERT INTO app.verify_types (id, title, n, r, f, day, at, created_at, nums, tags, vc, b, clock, doubles) VALUES
		(102, 'specials', 'NaN', 'NaN', '-Infinity', 'infinity', '-infinity', 'infinity', '{}', '{}', '', '', '24:00', '{NaN,1}'),
		(103, 'old', 0.000000012, 1e-10, 1e300, '0044-03-15 BC', '0044-03-15 01:02:03 BC', '0044-03-15 00:00:00+00 BC', '{1,NULL}', '{NULL}', ' ', '\x00', '00:00', '{}'),
		(104, 'far', 0, 3e38, 5e-324, '12026-01-01', '12026-01-01', '12026-01-01 00:00+00', NULL, '{x}', E'a\tb', NULL, '00:00:00.000001', NULL),
		(105, 'big', 123456789012345678901234567890.5, 16777217, 123456789012345680000, '1900-02-28', '1969-12-31 23:59:59.999999', '1582-10-20 00:00+00', NULL, '{x}', E'a\tb', NULL, '00:00:00.000001', NULL)`)
	execute(t, `UPDATE app.verify_types SET n = n * 2, title = title || '!' WHERE id <= 10`)
	v := newVerifying(t, d)
	var found *verify.Report
	eventually(t, 2*time.Minute, func(ctx context.Context) (err error) {
		if err = counted(ctx, d.collection, 35); err != nil {
			return err
		}
		var code int
		if code, found, err = v.try(ctx); err == nil && code != unsure {
			err = fmt.Errorf("exit code %d: %v, for example %v", code, found.Faults, found.Examples)
		}
		return err
	})
	var unchecked []string
	for _, u := range found.Unchecked {
		unchecked = append(unchecked, u.What)
	}
	require.Subset(t, []string{
		"metadata bits", "metadata span", "metadata timez", "metadata mon", "metadata trange", "metadata days", "metadata pt",
	}, unchecked)
	require.Contains(t, unchecked, "metadata span")
	d.requireNoDeadLetters(t)
}

// requireVerifiedTypes: verify finds out by itself that the source sends decimals as base64 and dates as days, whose meaning the function
// takes from a schema; what it cannot know it says; and a repair writes what the function would.
func (d *deployment) requireVerifiedTypes(t *testing.T) {
	t.Helper()
	v := newVerifying(t, d)
	code, found := v.run(t.Context(), t)
	require.Equal(t, unsure, code, "%+v", found)
	var unchecked []string
	for _, u := range found.Unchecked {
		unchecked = append(unchecked, u.What)
	}
	require.Subset(t, []string{"metadata days", "metadata span"}, unchecked)
	require.Contains(t, unchecked, "metadata span")
	before, err := records(t.Context(), d.collection)
	require.NoError(t, err)
	c, err := world.chroma.Collection(t.Context(), d.collection)
	require.NoError(t, err)
	require.NoError(t, c.Update(t.Context(), []string{"1", "2", "100"}, []map[string]any{{"price": "Ix4="}, {"price": int64(2)}, {"at": "2026-01-02"}}))
	code, found = v.run(t.Context(), t)
	require.Equal(t, 1, code)
	require.Equal(t, 3, found.Faults[verify.Metadata], "%+v", found)
	require.Equal(t, 3, found.Total())
	code, found = v.run(t.Context(), t, "--repair")
	require.Equal(t, unsure, code, "%+v", found)
	after, err := records(t.Context(), d.collection)
	require.NoError(t, err)
	for _, id := range []string{"1", "2", "100"} {
		require.Equal(t, document.UserMetadata(before[id].Metadata), document.UserMetadata(after[id].Metadata), id)
	}
}

// TestVerifyKeys: tables with keys of all kinds are filled by a repair, are equal then, and lose a ghost and gain a missing row by the next.
func TestVerifyKeys(t *testing.T) {
	endpoint := embedtest.New(embedtest.Options{Model: "fake", Dimensions: 32})
	t.Cleanup(endpoint.Close)
	for _, statement := range []string{
		`DROP TABLE IF EXISTS app.key_composite, app.key_none, app.key_parts, app.key_dates, app.key_long, app.key_unique CASCADE`,
		`CREATE TABLE app.key_composite (a int, t text, b text COLLATE "C", c uuid, PRIMARY KEY (b, a, c))`,
		`INSERT INTO app.key_composite SELECT i, 'text ' || i, (ARRAY['x/y', '', 'ü #%', 'plain', 'it''s "q" \'])[1 + i % 5], md5(i::text)::uuid FROM generate_series(1, 3000) i`,
		`CREATE TABLE app.key_none (a int, b text, t text)`,
		`INSERT INTO app.key_none SELECT i, CASE WHEN i % 3 > 0 THEN 'b' || i END, 'text ' || i FROM generate_series(1, 300) i`,
		`CREATE TABLE app.key_parts (id bigint PRIMARY KEY, t text) PARTITION BY RANGE (id)`,
		`CREATE TABLE app.key_parts_1 PARTITION OF app.key_parts FOR VALUES FROM (0) TO (100)`,
		`CREATE TABLE app.key_parts_2 PARTITION OF app.key_parts FOR VALUES FROM (100) TO (10000)`,
		`INSERT INTO app.key_parts SELECT i, 'text ' || i FROM generate_series(1, 300) i`,
		`CREATE TABLE app.key_dates (d date, n numeric(6,2), x timestamptz, f boolean, t text, PRIMARY KEY (d, n, x, f))`,
		`INSERT INTO app.key_dates SELECT '2026-01-01'::date + i, i / 4.0, '2026-01-01'::timestamptz + i * interval '1.5 s', i % 2 = 0, 'text ' || i FROM generate_series(1, 300) i`,
		`INSERT INTO app.key_dates VALUES ('infinity', 0, '-infinity', true, 't'), ('0044-03-15 BC', 1, '0044-03-15 00:00+00 BC', false, 't')`,
		`CREATE TABLE app.key_long (k text, t text, PRIMARY KEY (k))`,
		`INSERT INTO app.key_long SELECT repeat('long ', 40) || i, 'text ' || i FROM generate_series(1, 300) i`,
		`CREATE TABLE app.key_unique (k char(4) NOT NULL UNIQUE, t text)`,
		`INSERT INTO app.key_unique SELECT 'k' || i, 'text ' || i FROM generate_series(1, 300) i`,
	} {
		execute(t, statement)
	}
	tables := map[string]any{}
	for _, name := range []string{"composite", "none", "parts", "dates", "long", "unique"} {
		table := map[string]any{"collection": "e2e-key_" + name, "text": "{{.t}}"}
		switch name {
		case "none":
			table["key"] = []string{"a", "b"}
		case "parts", "dates":
			table["collection"] = "e2e-key_shared"
		}
		tables["app.key_"+name] = table
	}
	v := keysYAML(t, tables, endpoint.URL())
	all := func(args ...string) map[string]*verify.Report {
		reports, err := v.all(t.Context(), args...)
		require.NoError(t, err)
		return reports
	}
	each := func(args ...string) map[string]*verify.Report { // what takes the time is waiting, so all of them wait at once
		reports, err := v.each(t.Context(), slices.Collect(maps.Keys(tables)), args...)
		require.NoError(t, err)
		return reports
	}
	for name, r := range each("--repair") {
		require.True(t, r.Equal, "%s: %+v", name, r)
		require.Equal(t, r.Rows, r.Repair.Mended[verify.Missing], name)
		if name != "app.key_parts" && name != "app.key_dates" { // these two share a collection
			require.Equal(t, r.Rows, r.Records, name)
		}
		require.Empty(t, r.Unchecked, name)
	}
	for _, statement := range []string{
		`DELETE FROM app.key_composite WHERE a = 2`, `INSERT INTO app.key_composite VALUES (9999, 't', '/', md5('x')::uuid)`,
		`DELETE FROM app.key_none WHERE a = 3`, `INSERT INTO app.key_none VALUES (9999, NULL, 't')`,
		`DELETE FROM app.key_parts WHERE id = 200`, `INSERT INTO app.key_parts VALUES (50, 't') ON CONFLICT DO NOTHING; INSERT INTO app.key_parts VALUES (9000, 't')`,
		`DELETE FROM app.key_dates WHERE d = '0044-03-15 BC'`, `INSERT INTO app.key_dates VALUES ('-infinity', 0, 'infinity', true, 't')`,
		`DELETE FROM app.key_long WHERE t = 'text 7'`, `INSERT INTO app.key_long VALUES (repeat('x', 500), 't')`,
		`DELETE FROM app.key_unique WHERE t = 'text 7'`, `INSERT INTO app.key_unique VALUES ('new', 't')`,
	} {
		execute(t, statement)
	}
	for name, r := range each() {
		require.Equal(t, 1, r.Faults[verify.Missing], "%s: %+v", name, r)
		require.Equal(t, 1, r.Faults[verify.Ghost], "%s: %+v", name, r)
		require.Equal(t, 2, r.Total(), "%s: %+v", name, r)
	}
	for name, r := range each("--repair") {
		require.True(t, r.Equal, "%s: %+v", name, r)
	}
	together := all()
	require.Len(t, together, len(tables))
	for name, r := range together {
		require.True(t, r.Equal, "%s: %+v", name, r)
		require.Zero(t, r.Foreign, name)
	}
	execute(t, `REVOKE SELECT ON app.key_long FROM verifier_keys`)
	_, err := v.all(t.Context(), "--table", "app.key_long")
	require.ErrorContains(t, err, "SELECT ON TABLE")
	// Statistics that are far out of date make the first draw of a sample too small.
	execute(t, "UPDATE pg_class SET reltuples = 1e8 WHERE oid = 'app.key_composite'::regclass")
	for name, r := range all("--sample", "100", "--table", "app.key_composite") {
		require.True(t, r.Equal, "%s: %+v", name, r)
		require.Equal(t, 100, r.Sampled)
		require.Equal(t, 100, r.Rows)
	}
}

// keysYAML writes the settings of a function that is not deployed.
func keysYAML(t *testing.T, tables map[string]any, endpoint string) *verifying {
	t.Helper()
	shipped, err := os.ReadFile(filepath.Join(world.root, "deploy", "function.yaml"))
	require.NoError(t, err)
	settings := verifySettings("keys", endpoint)
	settings["userConfig/tables"], settings["userConfig/chroma/url"] = tables, world.env.ChromaURL
	out, err := admin.Edit(shipped, settings)
	require.NoError(t, err)
	d := &deployment{name: "verify-keys", table: "keys", file: filepath.Join(world.root, "e2e", "out", "verify-keys.yaml")}
	require.NoError(t, os.WriteFile(d.file, out, 0o600))
	execute(t, "CREATE TABLE IF NOT EXISTS app.keys (id int)")
	v := newVerifying(t, d)
	execute(t, "GRANT SELECT ON ALL TABLES IN SCHEMA app TO verifier_keys")
	return v
}

// each runs the CLI once for each table, at the same time.
func (v *verifying) each(ctx context.Context, tables []string, args ...string) (map[string]*verify.Report, error) {
	group, ctx := errgroup.WithContext(ctx)
	found := make([]map[string]*verify.Report, len(tables))
	for i, table := range tables {
		group.Go(func() (err error) {
			found[i], err = v.all(ctx, append([]string{"--table", table}, args...)...)
			return err
		})
	}
	byTable := map[string]*verify.Report{}
	err := group.Wait()
	for _, f := range found {
		maps.Copy(byTable, f)
	}
	return byTable, err
}

// all runs the CLI for all tables and returns what it says, by table.
func (v *verifying) all(ctx context.Context, args ...string) (map[string]*verify.Report, error) {
	_, reports, err := v.exec(ctx, args...)
	if err != nil {
		return nil, err
	}
	byTable := map[string]*verify.Report{}
	for _, r := range reports {
		if r.Error != "" {
			return nil, errors.New(r.Error)
		}
		byTable[r.Table] = r
	}
	return byTable, nil
}
