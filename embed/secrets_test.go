package embed_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/embed"
)

// secrets are what must never be seen, with the forms in which an endpoint or a library may repeat them.
func secrets() []string {
	return []string{
		"sk-S3cr3t/Key+42", "sk-S3cr3t", "S3cr3t%2FKey", "hunter2/x", "hunter2", "s3cret-user", "q-t0ken", "c2VjcmV0", "czNjcmV0LXVzZXI6aHVudGVyMi94",
	}
}

func secretConfig(c *embed.Config) {
	c.BaseURL = "https://s3cret-user:hunter2%2Fx@endpoint.test/v1?sig=q-t0ken&x=1"
	c.APIKey = "sk-S3cr3t/Key+42"
}

// echo repeats everything that it got: what the nastiest endpoint says.
func echo(r *http.Request) string {
	return fmt.Sprintf(`url %s, key %v, basic czNjcmV0LXVzZXI6aHVudGVyMi94, user s3cret-user, escaped sk-S3cr3t%%2FKey%%2B42, long %s`,
		"https://s3cret-user:hunter2%2Fx@endpoint.test/v1?sig=q-t0ken&x=1", r.Header["Authorization"], strings.Repeat("sk-S3cr3t/Key+42", 60))
}

// requireNoSecret looks at an error and everything it wraps, in every way of printing it.
func requireNoSecret(t *testing.T, err error) {
	t.Helper()
	require.Error(t, err)
	for err != nil {
		var logged bytes.Buffer
		log := slog.New(slog.NewJSONHandler(&logged, nil))
		log.InfoContext(t.Context(), "failed", "error", err)
		for _, secret := range secrets() {
			for _, text := range []string{err.Error(), fmt.Sprintf("%v %+v %#v", err, err, err), logged.String()} {
				require.NotContains(t, text, secret)
			}
		}
		require.Less(t, len(err.Error()), 1024)
		err = errors.Unwrap(err)
	}
}

func TestNoSecretInAnyError(t *testing.T) {
	t.Parallel()
	answers := map[string]transport{
		"network": func(r *http.Request) (*http.Response, error) { return nil, errors.New(echo(r)) },
		"wrapped": func(r *http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("dial: %w", errors.New("proxy http://u:hunter2@proxy.test refused "+echo(r)))
		},
		"page":     func(r *http.Request) (*http.Response, error) { return reply(r, 200, echo(r), nil), nil },
		"cut json": func(r *http.Request) (*http.Response, error) { return reply(r, 200, `{"data":[`+echo(r), nil), nil },
		"error in a 200": func(r *http.Request) (*http.Response, error) {
			return reply(r, 200, fmt.Sprintf(`{"error":%q}`, echo(r)), nil), nil
		},
		"broken body": func(r *http.Request) (*http.Response, error) {
			response := reply(r, 200, "", nil)
			response.Body = broken{errors.New(echo(r))}
			return response, nil
		},
		"numbers": func(r *http.Request) (*http.Response, error) {
			return reply(r, 200, fmt.Sprintf(`{"data":[{"object":%q,"embedding":[]}]}`, echo(r)), nil), nil
		},
		"redirect": func(r *http.Request) (*http.Response, error) {
			return reply(r, 302, echo(r), http.Header{"Location": {"https://s3cret-user:hunter2@endpoint.test/?sig=q-t0ken"}}), nil
		},
		"odd redirect": func(r *http.Request) (*http.Response, error) {
			return reply(r, 302, echo(r), http.Header{"Location": {"https://s3cret-user:hunter2@endpoint.test/%zz?sig=q-t0ken"}}), nil
		},
	}
	for status := 300; status < 600; status++ {
		answers[strconv.Itoa(status)] = func(r *http.Request) (*http.Response, error) {
			if status%2 == 0 {
				return reply(r, status, echo(r), nil), nil
			}
			return reply(r, status, fmt.Sprintf(`{"error":{"message":%q,"code":%q}}`, echo(r), echo(r)), nil), nil
		}
	}
	for name, endpoint := range answers {
		for _, key := range []bool{true, false} {
			client := newClient(t, secretConfig, over(endpoint), func(c *embed.Config) {
				if !key {
					c.APIKey = "" // then user and password go as basic authentication
				}
			})
			_, err := client.Embed(t.Context(), []string{"a"})
			requireNoSecret(t, withoutKeyEcho(err, key))
			require.ErrorContains(t, err, "https://endpoint.test/v1/embeddings", name)
			_, err = client.EmbedQuery(t.Context(), "a")
			requireNoSecret(t, withoutKeyEcho(err, key))
		}
	}
}

// withoutKeyEcho leaves out errors of clients that have no key: what the endpoint invents is no secret of theirs.
func withoutKeyEcho(err error, key bool) error {
	if key || err == nil {
		return err
	}
	return errors.New(strings.NewReplacer("sk-S3cr3t/Key+42", "", "sk-S3cr3t%2FKey%2B42", "", "sk-S3cr3t", "").Replace(err.Error()))
}

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }
func (b broken) Close() error             { return nil }

func TestNoSecretInContextErrors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := newClient(t, secretConfig, over(silent))
		_, err := client.Embed(t.Context(), []string{"a"})
		requireNoSecret(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = client.Embed(ctx, []string{"a"})
		requireNoSecret(t, err)
	})
}

func TestConfigAndClientPrintNoSecret(t *testing.T) {
	t.Parallel()
	cfg := embed.Config{Model: "m"}
	secretConfig(&cfg)
	client, err := embed.New(cfg)
	require.NoError(t, err)
	var out bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		slog.New(handler).InfoContext(t.Context(), "made", "config", cfg, "pointer", &cfg, "client", client)
	}
	for _, value := range []any{cfg, &cfg, client, []embed.Config{cfg}} {
		fmt.Fprintf(&out, "%v %+v %#v %s\n", value, value, value, value)
	}
	for _, secret := range secrets() {
		require.NotContains(t, out.String(), secret)
	}
	require.Contains(t, out.String(), "https://endpoint.test/v1")
	require.Contains(t, out.String(), "[redacted]")
}
