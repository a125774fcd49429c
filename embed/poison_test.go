package embed_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/embed"
	"github.com/rowvec/rowvec/embed/embedtest"
)

func TestPoisonIsFoundByHalving(t *testing.T) {
	t.Parallel()
	server, client := setup(t, embedtest.Options{})
	server.Control(embedtest.Poison("bad"))
	good, bad := halve(t, client, []string{"a", "b", "a bad one", "c", "d"})
	require.Equal(t, []string{"a", "b", "c", "d"}, good)
	require.Equal(t, map[string][]string{"a bad one": {embed.ClassPoison, embed.ReasonBadRequest}}, bad)
	require.LessOrEqual(t, server.Seen("word"), 1, "the texts that went through vouch for the settings")
}

// An endpoint that refuses a plain word as well refuses the settings: were that poison, a whole topic would be dead-lettered.
func TestRefusedSettingsHalt(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 413, 422} {
		server, client := setup(t, embedtest.Options{}, func(c *embed.Config) { c.Dimensions = 7 })
		server.Control(embedtest.Always(embedtest.Fail(status, "", "this model does not support dimensions")))
		_, err := client.Embed(t.Context(), []string{"a", "b"})
		require.Equal(t, embed.ClassPoison, failure(t, err).Class(), "of several texts nothing is claimed yet")
		_, err = client.Embed(t.Context(), []string{"a"})
		e := failure(t, err)
		require.Equal(t, []string{embed.ClassHalt, embed.ReasonSettingsRefused}, []string{e.Class(), e.Reason()})
		require.Equal(t, status, e.Status())
		require.ErrorContains(t, e, "does not support dimensions")
		require.ErrorContains(t, e, "embedding.dimensions")
	}
}

// The settings of queries are others than those of passages: one does not vouch for the other.
func TestRolesVouchForThemselves(t *testing.T) {
	t.Parallel()
	server, client := setup(t, embedtest.Options{}, func(c *embed.Config) { c.QueryExtra = map[string]any{"input_type": "qeury"} })
	server.Control(func(r *embedtest.Request) *embedtest.Response {
		if r.Fields["input_type"] != nil {
			return embedtest.Fail(400, "", "unknown input_type")
		}
		return nil
	})
	_, err := client.Embed(t.Context(), []string{"a"})
	require.NoError(t, err)
	_, err = client.EmbedQuery(t.Context(), "a")
	require.Equal(t, embed.ReasonSettingsRefused, failure(t, err).Reason())
}

// When the word meets an outage, nothing is known yet: the caller tries again.
func TestOutageWhileConfirming(t *testing.T) {
	t.Parallel()
	server, client := setup(t, embedtest.Options{})
	server.Control(embedtest.First(
		embedtest.Poison("bad"),
		embedtest.Always(embedtest.Fail(503, "", "overloaded").RetryAfter(3*time.Second)),
	))
	_, err := client.Embed(t.Context(), []string{"bad"})
	require.Equal(t, []string{embed.ClassRetry, embed.ReasonServerError}, []string{failure(t, err).Class(), failure(t, err).Reason()})
	require.Equal(t, 3*time.Second, failure(t, err).RetryAfter())
}

func TestVouchingExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var sent []string
		broken := false
		client := newClient(t, over(func(r *http.Request) (*http.Response, error) {
			texts := input(t, r)
			sent = append(sent, texts...)
			if broken || texts[0] == "bad" {
				return reply(r, 400, "", nil), nil
			}
			return reply(r, 200, answer(len(texts)), nil), nil
		}))
		class := func(text string) string {
			_, err := client.Embed(t.Context(), []string{text})
			if err == nil {
				return ""
			}
			return failure(t, err).Class()
		}
		require.Empty(t, class("good"))
		<-time.After(900 * time.Millisecond)
		require.Equal(t, embed.ClassPoison, class("bad"))
		require.Equal(t, []string{"good", "bad"}, sent, "a success a moment ago vouches")
		<-time.After(200 * time.Millisecond)
		require.Equal(t, embed.ClassPoison, class("bad"))
		require.Equal(t, []string{"good", "bad", "bad", "word"}, sent)
		broken = true
		require.Equal(t, embed.ClassPoison, class("bad"), "the word has just vouched")
		<-time.After(2 * time.Second)
		require.Equal(t, embed.ClassHalt, class("bad"))
	})
}
