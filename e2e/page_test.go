//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What TestPage asks of its surroundings; `make pictures` sets both.
const (
	picturesVariable = "ROWVEC_PICTURES" // folder for the pictures, from the project's root; e2e/out/img
	warmUpVariable   = "ROWVEC_WARM_UP"  // how long the function works before the page is opened, so that its curves are full; 0s
)

// pageRow is what is inserted while the page looks on, and pageQuestion what finds it.
var pageRow = row{
	Title: "All-weather fell shoe", Price: "134.00", Tags: []string{"footwear", "new"},
	Body: "Soft rubber and long lugs hold on wet rock, mud and steep grass; the upper drains in a few steps.",
}

const pageQuestion = "shoes that do not slip in the mud"

// TestPage drives the gateway's page in a headless Chromium, before a real stack that is at work. What the page has to show is in
// web/e2e/gateway.test.ts; without a warm-up the inserted row is the first change that the page sees.
func TestPage(t *testing.T) {
	d := deploy(t, "products", pageSettings(t))
	d.subscribed(t, 1)
	startSource(t)
	w := newWorkload(t)
	for collection, want := range map[string]int{"products": len(w.products), "reviews": int(w.next - 1)} {
		eventually(t, 2*time.Minute, func(ctx context.Context) error { return counted(ctx, collection, want) })
	}
	g := d.serve(t)
	w.gateway = g.url
	if warmUp := pageWarmUp(t); warmUp > 0 {
		w.start(t)
		<-time.After(warmUp) // the page shows five minutes, and they have to pass
	} else {
		w.startWith(t, pageRow.Title)
	}

	npm := exec.CommandContext(t.Context(), "npm", "run", "e2e")
	npm.Dir = filepath.Join(world.root, "web")
	npm.Env = append(os.Environ(), "NO_COLOR=1",
		"GATEWAY_URL="+g.url, "GATEWAY_TOKEN="+allToken, "QUERY="+pageQuestion, "OUT="+picturesFolder(),
		"INSERT="+shell("psql", world.env.PostgresURL, "-qtAX", "-c", pageInsert()),
		"STOP="+shell(world.env.PulsarAdmin, "functions", "stop", "--name", d.name),
	)
	out, err := npm.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Regexp(t, `Tests +5 passed \(5\)`, string(out))
	t.Logf("%s", out)
	w.stop(t)
	for _, name := range []string{"light", "similar", "dark", "narrow", "away"} {
		require.FileExists(t, filepath.Join(picturesFolder(), name+".png"))
	}
}

// pageSettings are those of a shop: two tables, and all that the page can show of them.
func pageSettings(t *testing.T) map[string]any {
	t.Helper()
	settings := gatewaySettings(t)
	settings["inputs"] = []string{"persistent://public/default/store.app.products", "persistent://public/default/store.app.reviews"}
	tables := map[string]any{}
	for _, name := range []string{"products", "reviews"} {
		tables["app."+name] = map[string]any{"collection": name, "text": "{{.title}}: {{.body}}", "metadata": []string{"price", "tags"}}
	}
	edited := map[string]any{"userConfig/tables": tables, "userConfig/embedding/maxTextTokens": 400, "userConfig/embedding/maxTexts": 8}
	for name, value := range settings {
		if !strings.HasPrefix(name, "userConfig/tables/") {
			edited[name] = value
		}
	}
	if g, ok := edited["userConfig/gateway"].(map[string]any); ok {
		g["tokens"] = g["tokens"].([]any)[:1] // the other is of a table that is not here
	}
	return edited
}

func pageWarmUp(t *testing.T) time.Duration {
	t.Helper()
	value, given := os.LookupEnv(warmUpVariable)
	if !given {
		return 0
	}
	d, err := time.ParseDuration(value)
	require.NoError(t, err, warmUpVariable)
	return d
}

func picturesFolder() string {
	if folder, given := os.LookupEnv(picturesVariable); given {
		return filepath.Join(world.root, folder)
	}
	return filepath.Join(world.root, "e2e", "out", "img")
}

// pageInsert is a statement that returns the new row's id.
func pageInsert() string {
	r := pageRow
	return fmt.Sprintf("INSERT INTO app.products (id, title, body, price, tags) SELECT max(id) + 1, '%s', '%s', %s, '{%s}' FROM app.products RETURNING id",
		r.Title, r.Body, r.Price, strings.Join(r.Tags, ","))
}

// shell is a command for /bin/sh.
func shell(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
	}
	return strings.Join(quoted, " ")
}

// catalogue are the products of the demo, several times over with a word of its own each.
func catalogue(t *testing.T) []row {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(world.root, "deploy", "demo", "catalogue.tsv"))
	require.NoError(t, err)
	var products []row
	for _, kind := range []string{"Classic", "Compact", "Recycled", "Winter"} {
		for line := range strings.Lines(string(text)) {
			f := strings.Split(strings.TrimSpace(line), "\t")
			require.Len(t, f, 4, line)
			products = append(products, row{
				ID: int64(len(products) + 1), Title: kind + " " + f[0], Body: f[3], Price: f[2], Tags: []string{f[1], strings.ToLower(kind)},
			})
		}
	}
	return products
}

var verdicts = []string{
	"Bought it last autumn and used it every week since.", "Does what it says, and does it well.", "Lighter than I had expected, and warmer.",
	"The second one that I buy; the first lasted for eight years.", "A little small: take one size more.", "Good, though the zip wants patience.",
}

// reviews are what customers say of products.
func reviews(products []row, n int) []row {
	out := make([]row, n)
	for i := range out {
		p := products[i*7%len(products)]
		out[i] = row{
			ID: int64(i + 1), Title: p.Title, Body: verdicts[i%len(verdicts)] + " " + verdicts[(i/len(verdicts)+i+1)%len(verdicts)],
			Price: "0", Tags: []string{strconv.Itoa(3+i%3) + " stars"},
		}
	}
	return out
}
