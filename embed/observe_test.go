package embed_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/embed"
)

func TestObservations(t *testing.T) {
	t.Parallel()
	status := func(code int, body string) transport {
		return func(r *http.Request) (*http.Response, error) {
			<-time.After(time.Second)
			return reply(r, code, body, nil), nil
		}
	}
	for name, test := range map[string]struct {
		endpoint transport
		want     embed.Observation
	}{
		"counted by the endpoint": {
			status(200, `{"data":[{"index":0,"embedding":`+one+`}],"usage":{"prompt_tokens":40,"total_tokens":41}}`),
			embed.Observation{Code: "200", Texts: 1, Tokens: 41, Duration: time.Second},
		},
		"counted in part": {
			status(200, `{"data":[{"index":0,"embedding":`+one+`}],"usage":{"prompt_tokens":40}}`),
			embed.Observation{Code: "200", Texts: 1, Tokens: 40, Duration: time.Second},
		},
		"not counted":  {status(200, answer(1)), embed.Observation{Code: "200", Texts: 1, Tokens: 4, Duration: time.Second}},
		"malformed":    {status(200, "no"), embed.Observation{Code: "200", Texts: 1, Tokens: 4, Duration: time.Second}},
		"rate limited": {status(429, ""), embed.Observation{Code: "429", Texts: 1, Tokens: 4, Duration: time.Second}},
		"network": {
			func(*http.Request) (*http.Response, error) { return nil, errors.New("no route") },
			embed.Observation{Code: "network", Texts: 1, Tokens: 4},
		},
		"timeout":  {silent, embed.Observation{Code: "timeout", Texts: 1, Tokens: 4, Duration: 10 * time.Second}},
		"canceled": {silent, embed.Observation{Code: "canceled", Texts: 1, Tokens: 4, Duration: 5 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var seen []embed.Observation
				client := newClient(t, over(test.endpoint), func(c *embed.Config) {
					c.Timeout, c.Observe = 10*time.Second, func(o embed.Observation) { seen = append(seen, o) }
				})
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				if name == "canceled" {
					ctx, cancel = context.WithTimeout(t.Context(), 5*time.Second)
				}
				defer cancel()
				_, _ = client.Embed(ctx, []string{"text"})
				require.Equal(t, []embed.Observation{test.want}, seen)
			})
		})
	}
}

// Every request is observed: the refusal of base64, the numbers, and the word that vouches.
func TestEveryRequestIsObserved(t *testing.T) {
	t.Parallel()
	var codes []string
	client := newClient(t, over(func(r *http.Request) (*http.Response, error) { return reply(r, 422, "", nil), nil }),
		func(c *embed.Config) { c.Observe = func(o embed.Observation) { codes = append(codes, o.Code) } })
	_, err := client.Embed(t.Context(), []string{"a"})
	require.Equal(t, embed.ReasonSettingsRefused, failure(t, err).Reason())
	require.Equal(t, []string{"422", "422", "422", "422"}, codes)
}
