package connector_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/rowvec/rowvec/connector"
)

// sourceConfig has the members of Pulsar 4.0.8's SourceConfig that the file uses; any other is an error.
type sourceConfig struct {
	Tenant       string            `yaml:"tenant"`
	Namespace    string            `yaml:"namespace"`
	Name         string            `yaml:"name"`
	Archive      string            `yaml:"archive"`
	TopicName    string            `yaml:"topicName"`
	Parallelism  int               `yaml:"parallelism"`
	BatchBuilder string            `yaml:"batchBuilder"`
	Configs      map[string]string `yaml:"configs"`
}

func companion(t *testing.T) sourceConfig {
	t.Helper()
	var c sourceConfig
	dec := yaml.NewDecoder(strings.NewReader(string(connector.PostgresYAML())))
	dec.KnownFields(true)
	require.NoError(t, dec.Decode(&c))
	return c
}

// The settings without which one of the traps of design §7 snaps.
func TestCompanionAvoidsTheTraps(t *testing.T) {
	t.Parallel()
	c := companion(t)
	require.Equal(t, "KEY_BASED", c.BatchBuilder)
	require.Equal(t, "builtin://debezium-postgres", c.Archive)
	require.NotEmpty(t, c.TopicName)
	require.Equal(t, 1, c.Parallelism)
	for name, want := range map[string]string{
		"plugin.name": "pgoutput", "publication.autocreate.mode": "disabled", "poll.interval.ms": "20", "decimal.handling.mode": "string",
		"skipped.operations": "t", "tombstones.on.delete": "false", "database.server.name": "store", "topic.namespace": "public/default",
		"signal.data.collection": "rowvec.signal", "snapshot.mode": "initial",
	} {
		require.Equal(t, want, c.Configs[name], name)
	}
}

// postgres.yaml names what setup.sql makes.
func TestCompanionFitsItsDatabaseScript(t *testing.T) {
	t.Parallel()
	c, script := companion(t).Configs, connector.SetupSQL()
	for setting, pattern := range map[string]string{
		"database.user": `\\set role (\S+)`, "publication.name": `\\set publication (\S+)`, "table.include.list": `\\set tables '(\S+)'`,
	} {
		found := regexp.MustCompile(pattern).FindStringSubmatch(script)
		require.NotNil(t, found, pattern)
		require.Contains(t, strings.Split(c[setting], ","), found[1])
	}
	signal := c["signal.data.collection"]
	require.Contains(t, script, "CREATE TABLE IF NOT EXISTS "+signal)
	require.Contains(t, strings.Split(c["table.include.list"], ","), signal, "Debezium obeys signals only from captured tables")
	require.Contains(t, c["heartbeat.action.query"], "rowvec.heartbeat")
	require.Contains(t, script, `\set publish 'insert, update, delete'`)
}

// Every setting says why.
func TestEverySettingHasAComment(t *testing.T) {
	t.Parallel()
	for name, text := range map[string][]byte{"postgres.yaml": connector.PostgresYAML(), "debezium-server.properties": connector.ServerProperties()} {
		previous := ""
		for line := range strings.Lines(string(text)) {
			line = strings.TrimSpace(line)
			if strings.HasPrefix(line, "namespace:") || strings.HasPrefix(line, "configs:") || strings.HasPrefix(line, "tenant:") {
				previous = line
				continue
			}
			if line != "" && !strings.HasPrefix(line, "#") {
				require.True(t, strings.HasPrefix(previous, "#"), "%s: no comment above %q", name, line)
			}
			previous = line
		}
	}
}

// properties reads a Java properties file of plain lines; a repeated name is an error.
func properties(t *testing.T, text []byte) map[string]string {
	t.Helper()
	found := map[string]string{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		require.True(t, ok, line)
		require.NotContains(t, found, name)
		found[name] = value
	}
	return found
}

// Both sources are set alike wherever they have the same setting, and read what the same script prepares.
func TestTheTwoSourcesAgree(t *testing.T) {
	t.Parallel()
	yaml, server := companion(t).Configs, properties(t, connector.ServerProperties())
	for _, name := range []string{
		"database.user", "table.include.list", "plugin.name", "slot.drop.on.stop", "publication.name", "publication.autocreate.mode", "snapshot.mode",
		"signal.data.collection", "heartbeat.interval.ms", "heartbeat.action.query", "poll.interval.ms", "tombstones.on.delete", "decimal.handling.mode",
		"interval.handling.mode",
	} {
		require.NotEmpty(t, yaml[name], name)
		require.Equal(t, yaml[name], server["debezium.source."+name], name)
	}
	require.Equal(t, yaml["database.server.name"], server["debezium.source.topic.prefix"])
	require.NotEqual(t, yaml["slot.name"], server["debezium.source.slot.name"], "one slot has one reader")
	require.Equal(t, "false", server["debezium.sink.pulsar.producer.batchingEnabled"], "Key_Shared needs batches of one key")
	require.Equal(t, "true", server["debezium.sink.pulsar.producer.blockIfQueueFull"])
	require.Equal(t, "true", server["debezium.format.value.schemas.enable"])
}

func TestCompanionCopiesAreTheCallers(t *testing.T) {
	t.Parallel()
	connector.PostgresYAML()[0] = '!'
	require.NotEqual(t, byte('!'), connector.PostgresYAML()[0])
	connector.ServerProperties()[0] = '!'
	require.NotEqual(t, byte('!'), connector.ServerProperties()[0])
}
