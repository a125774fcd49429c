package instance

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const inputTopic = "persistent://public/default/shop.inventory.products"

// captured reads the documents that a 4.0.8 worker passed to ten functions.
func captured(tb testing.TB) []string {
	tb.Helper()
	file, err := os.Open("testdata/instance-conf.jsonl")
	require.NoError(tb, err)
	defer func() { _ = file.Close() }()
	var lines []string
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		lines = append(lines, scanner.Text())
	}
	require.Len(tb, lines, 10)
	return lines
}

// edited changes keys of the first captured document, and of its functionDetails.
func edited(tb testing.TB, outer, details map[string]any) string {
	tb.Helper()
	var doc, inner map[string]any
	require.NoError(tb, json.Unmarshal([]byte(captured(tb)[0]), &doc))
	require.NoError(tb, json.Unmarshal([]byte(doc["functionDetails"].(string)), &inner))
	doc["functionDetails"] = merged(tb, inner, details)
	return merged(tb, doc, outer)
}

func merged(tb testing.TB, doc, changes map[string]any) string {
	tb.Helper()
	for k, v := range changes {
		doc[k] = v
	}
	text, err := json.Marshal(doc)
	require.NoError(tb, err)
	return string(text)
}

// environment answers from pairs of name and value.
func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for n := 0; n < len(pairs); n += 2 {
			if pairs[n] == name {
				return pairs[n+1]
			}
		}
		return ""
	}
}

func parsed(tb testing.TB, text string, env ...string) *Conf {
	tb.Helper()
	c, err := ParseConf([]string{"/functions/fn", "-instance-conf", text}, environment(env...))
	require.NoError(tb, err)
	return c
}

// capturedConf is what the first capture says.
func capturedConf() Conf {
	return Conf{
		ServiceURL: "pulsar://localhost:6650", Cluster: "standalone",
		Tenant: "public", Namespace: "default", Name: "emb",
		Port: 43901, MetricsPort: 43171, Parallelism: 1, Guarantees: AtLeastOnce, AutoAck: true,
		Subscription: Subscription{Name: "emb-sub", Type: Failover, Position: Latest, Cleanup: true},
		Inputs:       []Input{{Topic: inputTopic}},
	}
}

type plain Conf // prints its fields when a test fails

func TestParseConfReadsEveryCapture(t *testing.T) {
	t.Parallel()
	// Each function differs from one without settings of its own by a little.
	changes := []func(c *Conf){
		func(c *Conf) {
			c.Port, c.MetricsPort, c.Subscription.Type, c.UserConfig = 43901, 43171, Failover, nil
		},
		func(c *Conf) { c.Port, c.MetricsPort, c.Guarantees = 37867, 39041, Manual },
		func(c *Conf) {
			c.Port, c.MetricsPort, c.Timeout, c.NackRedelivery = 43267, 44841, time.Minute, time.Minute
		},
		func(c *Conf) {
			c.Port, c.MetricsPort = 40495, 36629
			c.secrets = map[string]any{"OPENAI_API_KEY": map[string]any{"path": "x", "key": "y"}}
		},
		func(c *Conf) { c.Port, c.MetricsPort = 37181, 45379 },
		func(c *Conf) {
			c.Port, c.MetricsPort = 43003, 33303
			c.Inputs = []Input{{Topic: inputTopic, ReceiverQueueSize: 500, SchemaType: "AUTO_CONSUME"}}
		},
		func(c *Conf) {
			c.Port, c.MetricsPort = 32791, 38035
			c.Inputs = []Input{{Topic: "persistent://public/default/shop.*", Pattern: true}}
		},
		func(c *Conf) { c.Port, c.MetricsPort, c.AutoAck = 43777, 36243, false },
		func(c *Conf) { c.Port, c.MetricsPort = 42267, 41677 },
		func(c *Conf) { c.Port, c.MetricsPort = 37677, 41099 },
	}
	names := []string{"emb", "emb1", "emb2", "emb3", "emb4", "emb5", "emb6", "emb7", "emb8", "emb9"}
	for n, line := range captured(t) {
		want := capturedConf()
		want.Name = names[n]
		want.Subscription.Type = Shared
		want.UserConfig = map[string]any{
			"nested":     map[string]any{"a": json.Number("1"), "b": []any{json.Number("1"), json.Number("2")}},
			"collection": "products",
		}
		changes[n](&want)
		got := *parsed(t, line)
		got.getenv = nil
		require.Equal(t, plain(want), plain(got))
		require.Equal(t, "public/default/"+names[n], got.FQFN())
		require.Equal(t, "public/default/"+names[n]+":0", got.InstanceName())
	}
}

func TestParseConfPrefersDetails(t *testing.T) {
	t.Parallel()
	c := parsed(t, edited(t,
		map[string]any{"somethingNew": map[string]any{"a": 1}, "parallelism": 1, "subscriptionType": 0, "subscriptionName": "outer"},
		map[string]any{
			"parallelism": 3, "logTopic": "persistent://public/default/log", "unknown": []any{},
			"sink": map[string]any{"topic": "persistent://public/default/out"},
			"source": map[string]any{
				"subscriptionType": "KEY_SHARED", "subscriptionPosition": "EARLIEST", "skipToLatest": true,
				"timeoutMs": "1500", "negativeAckRedeliveryDelayMs": 2500,
				"inputSpecs": map[string]any{
					"persistent://public/default/b": map[string]any{
						"receiverQueueSize": map[string]any{"value": 7.0}, "schemaProperties": map[string]string{"a": "1"},
						"consumerProperties": map[string]string{"b": "2"},
					},
					"persistent://public/default/a": map[string]any{},
				},
			},
		}))
	require.Equal(t, 3, c.Parallelism)
	require.Equal(t, "persistent://public/default/log", c.LogTopic)
	require.Equal(t, "persistent://public/default/out", c.Output)
	require.Equal(t, 1500*time.Millisecond, c.Timeout)
	require.Equal(t, 2500*time.Millisecond, c.NackRedelivery)
	require.Equal(t, Subscription{Name: "public/default/emb", Type: KeyShared, Position: Earliest, SkipToLatest: true}, c.Subscription)
	require.Equal(t, []Input{
		{Topic: "persistent://public/default/a"},
		{
			Topic: "persistent://public/default/b", ReceiverQueueSize: 7,
			SchemaProperties: map[string]string{"a": "1"}, ConsumerProperties: map[string]string{"b": "2"},
		},
	}, c.Inputs)
}

func TestParseConfTakesTheFlagInEverySpelling(t *testing.T) {
	t.Parallel()
	line := captured(t)[4]
	for _, args := range [][]string{
		{"-instance-conf", line},
		{"--instance-conf", line},
		{"/bin/fn", "-instance-conf=" + line},
		{"/bin/fn", "-some-new-flag", "x", "-instance-conf", line},
	} {
		c, err := ParseConf(args, environment())
		require.NoError(t, err)
		require.Equal(t, "emb4", c.Name)
	}
	_, err := ParseConf([]string{"/bin/fn"}, environment())
	require.ErrorContains(t, err, "-instance-conf is missing")
	_, err = ParseConf([]string{"/bin/fn", "-instance-conf"}, environment())
	require.ErrorContains(t, err, "has no value")
}

func TestParseConfNumbersPods(t *testing.T) {
	t.Parallel()
	inPod := edited(t, map[string]any{"instanceID": -1}, nil)
	c := parsed(t, inPod, "POD_NAME", "pf-public-default-emb-12")
	require.Equal(t, 12, c.InstanceID)
	require.True(t, c.Kubernetes)
	require.True(t, c.sharded)
	for _, pod := range []string{"", "emb", "emb-", "emb-x", "emb-99999999999"} {
		_, err := ParseConf([]string{"-instance-conf", inPod}, environment("POD_NAME", pod))
		require.ErrorContains(t, err, "POD_NAME", pod)
	}

	c = parsed(t, captured(t)[0], "POD_NAME", "worker-1", "KUBERNETES_SERVICE_HOST", "10.0.0.1")
	require.Equal(t, 0, c.InstanceID, "a worker in a pod still numbers its processes itself")
	require.True(t, c.Kubernetes)
	require.False(t, c.sharded)
	require.False(t, parsed(t, captured(t)[0], "POD_NAME", "a-1").Kubernetes)
}

func TestParseConfRefuses(t *testing.T) {
	t.Parallel()
	source := func(key string, value any) map[string]any {
		s := map[string]any{"inputSpecs": map[string]any{inputTopic: map[string]any{}}}
		s[key] = value
		return map[string]any{"source": s}
	}
	for _, tc := range []struct{ name, text, want string }{
		{"not json", `{"tenant":`, "parse -instance-conf"},
		{"trailing text", captured(t)[0] + "x", "parse -instance-conf"},
		{"a list", `[]`, "parse -instance-conf"},
		{"no details", edited(t, map[string]any{"functionDetails": ""}, nil), "functionDetails is empty"},
		{"broken details", edited(t, map[string]any{"functionDetails": "{"}, nil), "functionDetails: "},
		{"broken user config", edited(t, nil, map[string]any{"userConfig": "[1]"}), "userConfig is not a JSON object"},
		{"more user config", edited(t, nil, map[string]any{"userConfig": "{} {}"}), "userConfig has more text"},
		{"broken secrets", edited(t, nil, map[string]any{"secretsMap": "x"}), "secretsMap is not a JSON object"},
		{"no inputs", edited(t, nil, map[string]any{"source": map[string]any{}}), "source.inputSpecs names no topic"},
		{"port 0", edited(t, map[string]any{"port": 0}, nil), "port is 0, expected 1 to 65535"},
		{"metrics port", edited(t, map[string]any{"metricsPort": 70000}, nil), "metricsPort is 70000"},
		{"fraction", edited(t, map[string]any{"port": 1.5}, nil), "found 1.5, expected a whole number"},
		{"no url", edited(t, map[string]any{"pulsarServiceURL": ""}, nil), "pulsarServiceURL is empty"},
		{"type", edited(t, nil, source("subscriptionType", "EXCLUSIVE")), "expected one of SHARED, FAILOVER, KEY_SHARED"},
		{"position", edited(t, nil, source("subscriptionPosition", 2)), "expected one of LATEST, EARLIEST"},
		{"guarantees", edited(t, nil, map[string]any{"processingGuarantees": true}), "expected one of ATLEAST_ONCE"},
	} {
		_, err := ParseConf([]string{"-instance-conf", tc.text}, environment())
		require.ErrorContains(t, err, tc.want, tc.name)
	}
}

func TestParseConfTakesEnumsAsNumbers(t *testing.T) {
	t.Parallel()
	c := parsed(t, edited(t, nil, map[string]any{"processingGuarantees": 3}))
	require.Equal(t, Manual, c.Guarantees)
	require.Equal(t, "MANUAL", c.Guarantees.String())
	require.Equal(t, "FAILOVER", c.Subscription.Type.String())
	require.Equal(t, "LATEST", c.Subscription.Position.String())
	require.Equal(t, "9", Guarantees(9).String())
}

func TestParseConfKeepsTheSpellingOfNumbers(t *testing.T) {
	t.Parallel()
	c := parsed(t, edited(t, nil, map[string]any{"userConfig": `{"a":1.0,"b":9007199254740993}`}))
	require.Equal(t, map[string]any{"a": json.Number("1.0"), "b": json.Number("9007199254740993")}, c.UserConfig)
}

func FuzzParseConf(f *testing.F) {
	for _, line := range captured(f) {
		f.Add(line, "fn-3")
	}
	f.Add(`{"instanceID":-1,"functionDetails":"{}"}`, "")
	f.Fuzz(func(t *testing.T, text, pod string) {
		c, err := ParseConf([]string{"-instance-conf", text}, environment("POD_NAME", pod))
		if err != nil {
			require.Nil(t, c)
			return
		}
		require.NotEmpty(t, c.Inputs)
		require.NotEmpty(t, c.Subscription.Name)
		require.GreaterOrEqual(t, c.InstanceID, 0)
		require.Positive(t, c.Parallelism)
		require.Positive(t, c.Port)
		_, _ = c.ClientOptions()
		_ = c.LogValue().String()
	})
}
