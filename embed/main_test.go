package embed_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rowvec/rowvec/embed"
	"github.com/rowvec/rowvec/embed/embedtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// setup starts an endpoint and a client of it.
func setup(t *testing.T, options embedtest.Options, edits ...func(*embed.Config)) (*embedtest.Server, *embed.Client) {
	t.Helper()
	server := embedtest.New(options)
	t.Cleanup(server.Close)
	return server, newClient(t, append([]func(*embed.Config){func(c *embed.Config) { c.BaseURL = server.URL() }}, edits...)...)
}

func newClient(tb testing.TB, edits ...func(*embed.Config)) *embed.Client {
	tb.Helper()
	cfg := embed.Config{BaseURL: "http://endpoint.test/v1", Model: "m"}
	for _, edit := range edits {
		edit(&cfg)
	}
	client, err := embed.New(cfg)
	require.NoError(tb, err)
	tb.Cleanup(client.Close)
	return client
}

// transport answers without a network, which tests of time (synctest) and of hundreds of answers need.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// over makes a client use f.
func over(f transport) func(*embed.Config) {
	return func(c *embed.Config) { c.Transport = f }
}

// reply is an answer as a transport gives it.
func reply(r *http.Request, status int, body string, header http.Header) *http.Response {
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r, ContentLength: int64(len(body))}
}

// input reads the texts of a request.
func input(t *testing.T, r *http.Request) []string {
	t.Helper()
	var body struct {
		Input []string `json:"input"`
	}
	require.NoError(t, json.NewDecoder(r.Body).Decode(&body))
	return body.Input
}

// vector of one dimension in base64: the float32 1.
const one = `"AACAPw=="`

func answer(n int) string {
	items := make([]string, n)
	for i := range items {
		encoded, _ := json.Marshal(i)
		items[i] = `{"index":` + string(encoded) + `,"embedding":` + one + `}`
	}
	return `{"data":[` + strings.Join(items, ",") + `]}`
}

// takesProbe answers every request but those for the client's probe, which succeed: an endpoint whose settings are right.
func takesProbe(t *testing.T, refuse transport) transport {
	t.Helper()
	return func(r *http.Request) (*http.Response, error) {
		if texts := input(t, r); len(texts) == 1 && texts[0] == "word" {
			return reply(r, http.StatusOK, answer(1), nil), nil
		}
		return refuse(r)
	}
}

// failure is the classified error.
func failure(t *testing.T, err error) *embed.Error {
	t.Helper()
	var classified *embed.Error
	require.ErrorAs(t, err, &classified)
	return classified
}

func classAndReason(t *testing.T, err error) []string {
	t.Helper()
	return []string{failure(t, err).Class(), failure(t, err).Reason()}
}

// halve does what the client's callers do with poison: halve the texts until those at fault stand alone, each with class and reason.
func halve(t *testing.T, client *embed.Client, texts []string) (good []string, bad map[string][]string) {
	t.Helper()
	bad = map[string][]string{}
	var run func(texts []string)
	run = func(texts []string) {
		_, err := client.Embed(t.Context(), texts)
		switch {
		case err == nil:
			good = append(good, texts...)
		case len(texts) == 1:
			bad[texts[0]] = classAndReason(t, err)
		default:
			require.Equal(t, embed.ClassPoison, failure(t, err).Class(), err)
			run(texts[:len(texts)/2])
			run(texts[len(texts)/2:])
		}
	}
	run(texts)
	return good, bad
}
