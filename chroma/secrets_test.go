package chroma_test

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/chroma/chromatest"
)

func TestATokenThatIsReplacedIsUsedByTheNextRequest(t *testing.T) {
	t.Parallel()
	var has, fault, wanted atomic.Value
	has.Store("token-of-old\n")
	fault.Store("")
	wanted.Store("token-of-old")
	server := chromatest.New(t)
	server.Control(func(r chromatest.Request) *chromatest.Response {
		if got := r.Header.Get("X-Chroma-Token"); got != wanted.Load() || r.Header.Get("Authorization") != "Bearer "+got {
			return &chromatest.Response{Status: http.StatusUnauthorized, Body: said("not " + got + ", as if it were token-of-old")}
		}
		return nil
	})
	col := newCollection(t, server, func(cfg *chroma.Config) {
		cfg.Token = "token-of-old\n"
		cfg.TokenSource = func() (string, error) {
			if f := fault.Load().(string); f != "" {
				return "", errors.New(f)
			}
			return has.Load().(string), nil
		}
	})
	ask := func() error {
		_, err := col.Count(t.Context())
		return err
	}
	refused := func(says string) {
		err := ask()
		requireError(t, err, "halt", chroma.ReasonUnauthorized)
		require.Contains(t, err.Error(), "check chroma.token"+says)
		require.NotContains(t, texts(err), "token-of")
	}
	require.NoError(t, ask())
	wanted.Store("token-of-new")
	refused(" (")

	fault.Store("open /keys/chroma: no such file")
	refused(", what it names now cannot be used: the last one read is used: open /keys/chroma: no such file")

	fault.Store("")
	has.Store("token-of\tnew")
	refused(", what it names now cannot be used: the last one read is used: chroma.token: contains a character")

	has.Store(" \n")
	refused(", what it names now cannot be used: the last one read is used: chroma.token: is blank")

	has.Store("token-of-new")
	require.NoError(t, ask(), "no restart")
	has.Store(" \n")
	require.NoError(t, ask(), "no blank takes the place of a good one")
	has.Store("token-of-new")
	fault.Store("gone again")
	require.NoError(t, ask(), "the last good one goes on")

	fault.Store("")
	wanted.Store("token-of-later")
	refused(" (")
}

// The URL's user goes before the token, which still goes along.
func TestATokenBesideAUser(t *testing.T) {
	t.Parallel()
	server := chromatest.New(t)
	var seen atomic.Value
	server.Control(func(r chromatest.Request) *chromatest.Response {
		seen.Store([]string{r.Header.Get("Authorization"), r.Header.Get("X-Chroma-Token")})
		return nil
	})
	newCollection(t, server, func(cfg *chroma.Config) {
		cfg.URL = strings.Replace(cfg.URL, "://", "://u:p@", 1)
		cfg.Token, cfg.TokenSource = "first", func() (string, error) { return "second", nil }
	})
	require.Equal(t, []string{"Basic dTpw", "second"}, seen.Load())
}
