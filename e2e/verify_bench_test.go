//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deploy/local/admin"
	"github.com/rowvec/rowvec/embed/embedtest"
)

// BenchmarkVerify fills a collection from a table of 100,000 rows by a repair, and then measures how fast `rowvec verify` goes through
// it. It also finds 50 planted faults among them. Run it by hand:
//
//	go test -tags e2e -run '^$' -bench BenchmarkVerify -benchtime 1x ./e2e/
func BenchmarkVerify(b *testing.B) {
	const rows = 100_000
	endpoint := embedtest.New(embedtest.Options{Model: "fake", Dimensions: 32})
	b.Cleanup(endpoint.Close)
	_, err := world.db.Exec(b.Context(), "CREATE TABLE IF NOT EXISTS app.verify_many (LIKE app.verify INCLUDING ALL); TRUNCATE app.verify_many")
	require.NoError(b, err)
	fillVerify(b, "verify_many", rows)
	d := &deployment{name: "verify-many", table: "verify_many", collection: "e2e-verify_many"}
	manyYAML(b, d, endpoint.URL())
	v := newVerifying(b, d)
	begun := time.Now()
	code, r := v.run(b.Context(), b, "--repair")
	require.Equal(b, 0, code)
	b.Logf("filled: %v mended in %.0f s", r.Repair.Mended, time.Since(begun).Seconds())
	for b.Loop() {
		code, r = v.run(b.Context(), b)
		require.Equal(b, 0, code, "%v", r.Examples)
	}
	b.ReportMetric(rows/r.Seconds, "rows/s")
	b.ReportMetric(float64(r.Records), "records")
	planted := v.plant(b, 10)
	_, r = v.run(b.Context(), b)
	requirePlanted(b, planted, r)
	code, r = v.run(b.Context(), b, "--repair")
	require.Equal(b, 0, code)
	b.Logf("mended: %v in %.0f s", r.Repair.Mended, r.Seconds)
}

// manyYAML renders the function's settings; no function is deployed.
func manyYAML(b *testing.B, d *deployment, endpoint string) {
	b.Helper()
	shipped, err := os.ReadFile(filepath.Join(world.root, "deploy", "function.yaml"))
	require.NoError(b, err)
	settings := verifySettings(d.table, endpoint)
	settings["name"], settings["userConfig/chroma/url"] = d.name, world.env.ChromaURL
	out, err := admin.Edit(shipped, settings)
	require.NoError(b, err)
	d.file = filepath.Join(world.root, "e2e", "out", d.name+".yaml")
	require.NoError(b, os.WriteFile(d.file, out, 0o600))
}
