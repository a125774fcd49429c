package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/config"
)

func TestAccessIsReadWhateverElseIsWrong(t *testing.T) {
	t.Parallel()
	own := config.Pulsar{Token: config.Secret{Name: "PT"}, CAFile: "/ca.pem"}
	for name, c := range map[string]struct {
		edit         func(map[string]any)
		subscription string
		pulsar       config.Pulsar
	}{
		"an unknown setting":         {set("", "zebra", 1), "failover", own},
		"no tables":                  {set("", "tables", nil), "failover", own},
		"a wrong batch":              {set("batch", "maxRecords", "many"), "failover", own},
		"a wrong neighbour":          {set("pulsar", "adminURL", "ftp://p"), "failover", own},
		"an unknown neighbour":       {set("pulsar", "tokn", "x"), "failover", own},
		"an unknown type":            {set("", "subscription", "keyshared"), "key_shared", own},
		"a type of another form":     {set("", "subscription", 7), "key_shared", own},
		"no type":                    {func(m map[string]any) { delete(m, "subscription"); m["zebra"] = 1 }, "key_shared", own},
		"a token in two places":      {set("pulsar", "token", map[string]any{"secret": "PT", "file": "/t"}), "failover", config.Pulsar{}},
		"a token of another form":    {set("pulsar", "token", 7), "failover", config.Pulsar{}},
		"authorities of other form":  {set("pulsar", "caFile", []any{"/ca.pem"}), "failover", config.Pulsar{}},
		"all of another form":        {set("", "pulsar", "pulsar://p"), "failover", config.Pulsar{}},
		"nothing of pulsar, no type": {func(m map[string]any) { clear(m) }, "key_shared", config.Pulsar{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := settings(nil)
			m["subscription"] = "failover"
			m["pulsar"] = map[string]any{"adminURL": "http://p:8080", "token": map[string]any{"secret": "PT"}, "caFile": "/ca.pem"}
			c.edit(m)
			_, err := config.Parse(m)
			require.Error(t, err)
			subscription, pulsar := config.ParseAccess(m)
			require.Equal(t, c.subscription, subscription)
			require.Equal(t, c.pulsar, pulsar)
		})
	}
}

// Where nothing is wrong the two readings are one.
func TestAccessIsWhatTheSettingsSay(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"key_shared", "failover", "shared", "exclusive"} {
		m := settings(set("pulsar", "token", map[string]any{"file": "/t"}))
		m["subscription"] = kind
		c, err := config.Parse(m)
		require.NoError(t, err)
		subscription, pulsar := config.ParseAccess(m)
		require.Equal(t, kind, subscription)
		require.Equal(t, c.Subscription, subscription)
		require.Equal(t, c.Pulsar, pulsar)
	}
}
