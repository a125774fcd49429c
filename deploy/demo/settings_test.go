package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/deploy/local/stack"
	"github.com/rowvec/rowvec/function/config"
)

func testEnv() stack.Env {
	return stack.Env{
		PulsarURL: "pulsar://127.0.0.1:1", PulsarAdminURL: "http://127.0.0.1:2", PostgresURL: "postgres://postgres:pw@127.0.0.1:3/shop?sslmode=disable",
		ChromaURL: "http://127.0.0.1:4", EmbeddingURL: "http://127.0.0.1:5/v1", EmbeddingModel: "a-model",
	}
}

// TestFunctionYAML: the demo relies on the names of the shipped file, and changes nothing but addresses.
func TestFunctionYAML(t *testing.T) {
	t.Parallel()
	shipped, err := os.ReadFile("../function.yaml")
	require.NoError(t, err)
	out, err := functionYAML(shipped, testEnv(), "/project/bin/rowvec-function")
	require.NoError(t, err)
	f, err := config.ParseFunction(out)
	require.NoError(t, err)
	require.Equal(t, functionName, f.Name)
	require.Equal(t, []string{"persistent://" + inputTopic}, f.Inputs)
	require.Equal(t, "persistent://public/default/"+functionName+"-events", f.Output, "the monitor reads it")
	require.Equal(t, collection, f.Config.Tables[table].Collection)
	require.Equal(t, "{{.title}}: {{.body}}", f.Config.Tables[table].Text, "article.document says the same")

	original, err := config.ParseFunction(shipped)
	require.NoError(t, err)
	require.Equal(t, "a-model", f.Config.Embedding.Model)
	original.Config.Embedding.BaseURL, original.Config.Embedding.Model = "http://127.0.0.1:5/v1", "a-model"
	original.Config.Chroma.URL = "http://127.0.0.1:4"
	require.Equal(t, original.Config, f.Config)

	var document map[string]any
	require.NoError(t, yaml.Unmarshal(out, &document))
	require.Equal(t, "/project/bin/rowvec-function", document["go"])
}

func TestSourceYAML(t *testing.T) {
	t.Parallel()
	type source struct {
		Name    string            `yaml:"name"`
		Configs map[string]string `yaml:"configs"`
	}
	var shipped, rendered source
	require.NoError(t, yaml.Unmarshal(connector.PostgresYAML(), &shipped))
	out, err := sourceYAML(testEnv())
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(out, &rendered))
	require.Equal(t, sourceName, rendered.Name)
	want := shipped.Configs
	want["database.hostname"], want["database.port"], want["database.dbname"] = "127.0.0.1", "3", "shop"
	want["database.password"], want["database.history.pulsar.service.url"] = sourcePassword, "pulsar://127.0.0.1:1"
	require.Equal(t, want, rendered.Configs)
	require.Contains(t, rendered.Configs["table.include.list"], table)
	require.Equal(t, "persistent://"+inputTopic, "persistent://"+want["topic.namespace"]+"/"+want["database.server.name"]+"."+table)
}

func TestSameSource(t *testing.T) {
	t.Parallel()
	wanted := []byte("name: s\nconfigs:\n  a: \"1\"\n  b: x\n")
	for printed, want := range map[string]bool{
		`{"name": "s", "archive": "builtin://x", "configs": {"b": "x", "a": "1"}}`: true,
		`{"configs": {"b": "x", "a": "2"}}`:                                        false,
		`{"configs": {"b": "x", "a": "1", "c": ""}}`:                               false,
		`{}`: false,
	} {
		same, err := sameSource([]byte(printed), wanted)
		require.NoError(t, err)
		require.Equal(t, want, same, printed)
	}
	_, err := sameSource([]byte("Connection refused"), wanted)
	require.ErrorContains(t, err, "sources get")
	_, err = sameSource([]byte("{}"), []byte("configs: ["))
	require.Error(t, err)
}
