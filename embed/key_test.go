package embed_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/embed"
)

// rotated is a key's source that a test writes.
type rotated struct{ key, fault atomic.Value }

func (r *rotated) read() (string, error) {
	if fault, _ := r.fault.Load().(string); fault != "" {
		return "", errors.New(fault)
	}
	return r.key.Load().(string), nil
}

func TestAKeyThatIsReplacedIsUsedByTheNextRequest(t *testing.T) {
	t.Parallel()
	var wanted atomic.Value
	wanted.Store("Bearer sk-old-key")
	source := &rotated{}
	source.key.Store("sk-old-key\n")
	client := newClient(t, func(c *embed.Config) {
		c.APIKey, c.KeySource = "sk-old-key\n", source.read
	}, over(func(r *http.Request) (*http.Response, error) {
		if got := r.Header.Get("Authorization"); got != wanted.Load() {
			return reply(r, http.StatusUnauthorized, fmt.Sprintf(`{"error":{"message":"Incorrect key %s, was it sk-old-key?"}}`, got), nil), nil
		}
		return reply(r, http.StatusOK, answer(1), nil), nil
	}))
	ask := func() error {
		_, err := client.Embed(t.Context(), []string{"a"})
		return err
	}
	require.NoError(t, ask())
	wanted.Store("Bearer sk-new-key")
	refused := ask()
	requireHalt(t, refused)
	require.NotContains(t, refused.Error(), "what it names now")

	source.fault.Store("open /keys/embedding: no such file")
	gone := ask()
	requireHalt(t, gone)
	require.ErrorContains(t, gone, "check embedding.apiKey); what it names now cannot be used: the last one read is used: open /keys/embedding: no such file")

	source.fault.Store("")
	source.key.Store("sk-new key")
	blank := ask()
	requireHalt(t, blank)
	require.ErrorContains(t, blank, "holds a blank")

	source.key.Store(" \n")
	empty := ask()
	requireHalt(t, empty)
	require.ErrorContains(t, empty, "the last one read is used: embedding.apiKey: is blank")

	source.key.Store("sk-new-key")
	require.NoError(t, ask(), "no restart")
	source.key.Store(" \n")
	require.NoError(t, ask(), "no blank takes the place of a good one")
	source.fault.Store("gone again")
	require.NoError(t, ask(), "the last good one goes on")

	wanted.Store("Bearer sk-another-key")
	later := ask()
	requireHalt(t, later)
	for _, err := range []error{refused, gone, blank, empty, later} {
		for _, secret := range []string{"old-key", "new-key", "new key"} {
			require.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), secret)
		}
	}
}

// One that begins with another leaves nothing of itself.
func TestAKeyThatBeginsWithTheOldOneIsNotShown(t *testing.T) {
	t.Parallel()
	source := &rotated{}
	source.key.Store("sk-key-and-tail")
	client := newClient(t, func(c *embed.Config) { c.APIKey, c.KeySource = "sk-key", source.read },
		over(func(r *http.Request) (*http.Response, error) {
			return reply(r, http.StatusForbidden, `{"error":"no to `+r.Header.Get("Authorization")+` nor sk-key"}`, nil), nil
		}))
	_, err := client.Embed(t.Context(), []string{"a"})
	requireHalt(t, err)
	require.NotContains(t, err.Error(), "sk-key")
	require.NotContains(t, err.Error(), "tail")
}

func requireHalt(t *testing.T, err error) {
	t.Helper()
	require.Equal(t, []string{embed.ClassHalt, embed.ReasonAuth}, classAndReason(t, err))
}
