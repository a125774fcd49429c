package instance

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAnchored(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]string{
		"persistent://public/default/store.*":   "persistent://public/default/(?:store.*)$",
		"persistent://public/default/a|b":       "persistent://public/default/(?:a|b)$",
		"persistent://public/default/^store.*$": "persistent://public/default/(?:store.*)$",
		"public/default/store.*":                "persistent://public/default/(?:store.*)$",
		"store.*":                               "persistent://public/default/(?:store.*)$",
	} {
		got, err := anchored(pattern)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, wrong := range []string{"", "public/default", "public/default/", "persistent://public", "persistent://store.*", "non-persistent://public/default/a"} {
		_, err := anchored(wrong)
		require.ErrorContains(t, err, "expected persistent://tenant/namespace/pattern", wrong)
	}
}

// The client compiles what follows the scheme and looks for it anywhere in the name (contract §6.6).
func TestAnchoredMatchesWholeNames(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern, topic string
		want           bool
	}{
		{"persistent://public/default/store.app.articles", articles, true},
		{"persistent://public/default/store.app.articles", articles + "-old", false},
		{"persistent://public/default/articles", "persistent://public/default/my.articles", false},
		{"persistent://public/default/a|b", "persistent://public/default/ab", false},
		{"persistent://public/default/a|b", "persistent://public/default/b", true},
	} {
		whole, err := anchored(test.pattern)
		require.NoError(t, err)
		matched, err := regexp.MatchString(strings.TrimPrefix(whole, "persistent://"), test.topic)
		require.NoError(t, err)
		require.Equal(t, test.want, matched, "%s against %s", test.pattern, test.topic)
	}
}

func TestInternalTopics(t *testing.T) {
	t.Parallel()
	const ns = "persistent://public/default/"
	for topic, want := range map[string]bool{
		ns + "store.app.articles":                 true,
		ns + "store.app.transaction":              true, // a table of this name
		ns + "store.app.heartbeat":                true,
		ns + "store.app.signal":                   true,
		ns + "store.app.articles-dlq-archive":     true,
		ns + "transaction":                        true,
		ns + "store.app.my__table":                true,
		ns + "__debezium-heartbeat.store":         false,
		ns + "__change_events":                    false,
		ns + "__debezium-heartbeat.s-partition-0": false,
		ns + "store.transaction":                  false,
		ns + "store.transaction-partition-3":      false,
		ns + "store.public.debezium_signal":       false,
		ns + "store.public.debezium_heartbeat":    false,
		ns + "store.rowvec.signal":                false,
		ns + "store.rowvec.heartbeat":             false,
		ns + "pg-source-debezium-offset-topic":    false,
		ns + "pg-source-debezium-history-topic":   false,
		ns + "shop-dlq":                           false,
		ns + "store.app.articles-sub-DLQ":         false,
		ns + "store.app.articles-sub-RETRY":       false,
		ns + "shop-dlq-partition-1":               false,
	} {
		require.Equal(t, want, !internalTopic(topic), topic)
	}
}

func TestQueueSize(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		in                           Input
		prefetch, inputs, partitions int
		want                         int
	}{
		{Input{}, 16, 1, 1, 16},
		{Input{}, 16, 1, 0, 16},
		{Input{}, 16, 1, 4, 4},
		{Input{}, 16, 2, 4, 2},
		{Input{}, 16, 3, 1, 5},
		{Input{}, 16, 2, 100, 1},
		{Input{}, 3, 1, 4, 1},
		{Input{ReceiverQueueSize: 30}, 16, 2, 4, 30},
		{Input{Pattern: true}, 16, 1, 1, 2},
		{Input{Pattern: true}, 1, 1, 1, 1},
		{Input{Pattern: true, ReceiverQueueSize: 900}, 16, 1, 1, 900},
	} {
		require.Equal(t, test.want, test.in.queueSize(test.prefetch, test.inputs, test.partitions), "%+v", test)
	}
}

func TestSameTopic(t *testing.T) {
	t.Parallel()
	require.True(t, sameTopic("persistent://public/default/logs", "logs"))
	require.True(t, sameTopic("public/default/logs", "persistent://public/default/logs-partition-2"))
	require.False(t, sameTopic("persistent://public/other/logs", "logs"))
	require.False(t, sameTopic("", ""))
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	id := newIdentity(&Conf{Tenant: "acme", Namespace: "shop", Name: "indexer", InstanceID: 2})
	require.Equal(t, "indexer-2", id.consumerName())
	require.NotEmpty(t, id.host)
	require.Equal(t, map[string]string{
		"application": "pulsar-function", "id": "acme/shop/indexer", "instance_id": "2", "instance_hostname": id.host,
	}, id.properties())
}
