package instance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSecretLooksInTheEnvironmentFirst(t *testing.T) {
	t.Parallel()
	text := edited(t, nil, map[string]any{"secretsMap": `{"BOTH":"map","MAP":"map","REF":{"path":"p","key":"k"},"NUMBER":1,"EMPTY":""}`})
	c := parsed(t, text, "BOTH", "env", "ENV", "env")
	for name, want := range map[string]string{"BOTH": "env", "ENV": "env", "MAP": "map"} {
		got, ok := c.Secret(name)
		require.True(t, ok, name)
		require.Equal(t, want, got)
	}
	for name, want := range map[string]struct{ reason, text string }{
		"REF":    {"secret_reference", "is a reference"},
		"NUMBER": {"secret_missing", "set the environment variable NUMBER"},
		"EMPTY":  {"secret_missing", "has no value"},
		"NONE":   {"secret_missing", "as a string"},
	} {
		got, ok := c.Secret(name)
		require.False(t, ok, name)
		require.Empty(t, got)
		_, err := c.LookupSecret(name)
		var secret *SecretError
		require.ErrorAs(t, err, &secret)
		require.Equal(t, want.reason, secret.Reason())
		require.Equal(t, "halt", secret.Class())
		require.ErrorContains(t, err, want.text)
	}
	_, ok := new(Conf).Secret("ANY")
	require.False(t, ok)
}

func TestConfShowsNoSecrets(t *testing.T) {
	t.Parallel()
	const hidden = "s3cr3t"
	c := parsed(t, edited(t,
		map[string]any{
			"clientAuthenticationPlugin":     "org.apache.pulsar.client.impl.auth.AuthenticationToken",
			"clientAuthenticationParameters": "token:" + hidden,
			"pulsarServiceURL":               "pulsar://user:" + hidden + "@a:6650,b:6650",
		},
		map[string]any{"secretsMap": `{"KEY":"` + hidden + `"}`, "userConfig": `{"embedding":{"apiKey":"` + hidden + `"}}`}))

	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%q", "%x"} {
		fmt.Fprintf(&out, verb+verb+"\n", c, *c)
	}
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		slog.New(handler).Info("conf", "pointer", c, "value", *c)
	}
	public := *c
	public.ServiceURL = ""
	text, err := json.Marshal(public)
	require.NoError(t, err)
	out.Write(text)

	require.NotContains(t, out.String(), hidden)
	require.Contains(t, out.String(), "pulsar://xxxxx@a:6650,b:6650")
	require.Contains(t, out.String(), "public/default/emb:0")
	require.Contains(t, out.String(), "embedding")
}
