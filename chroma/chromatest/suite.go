package chromatest

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
)

// Suite checks that the server at url and package chroma together do what rowvec relies on. It makes collections named
// suite-… in the default database and removes them.
func Suite(t *testing.T, url string) {
	t.Helper()
	for name, check := range map[string]func(*scene){
		"ensure creates with the distance":          ensureCreates,
		"ensure refuses another distance":           ensureRefusesDistance,
		"ensure refuses another dimension":          ensureRefusesDimension,
		"ensure names the missing tenant":           ensureMissingScope,
		"collection does not create":                collectionDoesNotCreate,
		"a removed collection is made again":        removedCollection,
		"metadata values come back as sent":         metadataRoundTrip,
		"metadata merges and nil removes":           metadataMerges,
		"texts and ids come back as sent":           textRoundTrip,
		"update leaves vector and document":         updateKeeps,
		"add leaves what is there":                  addLeaves,
		"an id twice: the last one wins":            duplicateIDs,
		"delete ignores unknown ids":                deleteIgnoresUnknown,
		"expire removes what is below the bound":    expireBelow,
		"below lists what is below a bound":         listBelow,
		"another dimension halts":                   dimensionHalts,
		"more records than the batch limit":         manyRecords,
		"lists of metadata as long as can be":       longLists,
		"list pages in order of insertion":          listPages,
		"query: nearest first, exact distances":     queryDistances,
		"query filters on metadata":                 queryFilters,
		"query by what documents contain":           queryContains,
		"query without documents and metadata":      queryBare,
		"query filters numbers of both kinds alike": queryNumbers,
		"vectors come back as sent":                 vectorRoundTrip,
		"annotate keeps what else is there":         annotateKeeps,
		"query a collection that is empty":          queryEmpty,
		"a refused filter is poison, not an outage": queryRefused,
	} {
		t.Run(name, func(t *testing.T) {
			client, err := chroma.New(chroma.Config{URL: url, Timeout: time.Minute})
			require.NoError(t, err)
			t.Cleanup(func() { _ = client.Close() })
			check(&scene{T: t, url: url, client: client})
		})
	}
}

// scene is one check of the suite: a test with a client of its own.
type scene struct {
	*testing.T

	url    string
	client *chroma.Client
}

// ensure makes a collection of its own for a check.
func (t *scene) ensure(distance string) *chroma.Collection {
	t.Helper()
	col, err := t.client.Ensure(t.Context(), chroma.CollectionSpec{Name: t.name(), Distance: distance})
	require.NoError(t, err)
	return col
}

// name is one that no other check uses; the collection of that name is removed in the end.
func (t *scene) name() string {
	t.Helper()
	name := "suite-" + strings.ToLower(rand.Text())
	t.Cleanup(func() { t.clean(name) })
	return name
}

// other is a second client, which has seen nothing yet.
func (t *scene) other() *chroma.Client {
	t.Helper()
	client, err := chroma.New(chroma.Config{URL: t.url, Timeout: time.Minute})
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// clean empties a collection before it removes it: Chroma 1.5.9 leaves lists in metadata behind when a collection is removed
// with its records, and later records, of any collection, inherit them.
func (t *scene) clean(name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	col, err := t.client.Collection(ctx, name)
	for err == nil {
		var page []chroma.Match
		if page, err = col.List(ctx, 0, 5000, false); err != nil || len(page) == 0 {
			break
		}
		ids := make([]string, len(page))
		for i, m := range page {
			ids[i] = m.ID
		}
		err = col.Delete(ctx, ids)
	}
	t.drop(ctx, name)
}

// drop removes a collection behind the client's back.
func (t *scene) drop(ctx context.Context, name string) {
	t.Helper()
	at := strings.TrimRight(t.url, "/") + "/api/v2/tenants/default_tenant/databases/default_database/collections/" + url.PathEscape(name)
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, at, nil)
	require.NoError(t, err)
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
}

// classified is what chroma's errors tell.
type classified interface {
	error
	Class() string
	Reason() string
}

func (t *scene) requireError(err error, class, reason string) {
	t.Helper()
	var failed classified
	require.ErrorAs(t, err, &failed)
	require.Equal(t, [2]string{class, reason}, [2]string{failed.Class(), failed.Reason()}, failed.Error())
}
