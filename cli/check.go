package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/rowvec/rowvec/function"
	"github.com/rowvec/rowvec/function/config"
)

func newCheck() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "check",
		Short: "Check a function.yaml offline and print the configuration that results",
		Long: `Check a function.yaml without reaching anything: every setting, the text templates, the columns they name, the limits.
Prints the effective configuration, defaults included. Exits with 1 when something is wrong, naming every fault.`,
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return check(file, c.OutOrStdout(), c.ErrOrStderr()) },
	}
	fileFlag(c, &file)
	return c
}

func check(file string, stdout, stderr io.Writer) error {
	f, err := config.Load(file)
	if err != nil {
		return err
	}
	builders, err := function.Builders(f.Config)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	columns := make(map[string][]string, len(builders))
	for name, b := range builders {
		columns[name] = b.Columns()
	}
	text, err := effective(f, columns)
	if err != nil {
		return err
	}
	if _, err := stdout.Write(text); err != nil {
		return fmt.Errorf("print the configuration: %w", err)
	}
	for _, w := range f.Warnings {
		fmt.Fprintf(stderr, "warning: %s\n", w)
	}
	for _, name := range missingSecrets(f) {
		fmt.Fprintf(stderr, "note: %s is not here; the function needs a secret as an environment variable or in its secrets map, a file where it runs\n", name)
	}
	fmt.Fprintf(stderr, "%s: ok\n", file)
	return nil
}

func missingSecrets(f *config.Function) []string {
	var missing []string
	for _, s := range []config.Secret{f.Config.Embedding.APIKey, f.Config.Chroma.Token, f.Config.Postgres.URL, f.Config.Pulsar.Token} {
		if _, err := s.Resolve(f.Secret); err != nil {
			missing = append(missing, s.String())
		}
	}
	return missing
}

// effective renders the configuration as YAML in the order of the documentation. Secrets show where they come from only.
func effective(f *config.Function, columns map[string][]string) ([]byte, error) {
	c := f.Config
	tables := make(yamlMap, 0, len(c.Tables))
	for _, name := range slices.Sorted(maps.Keys(c.Tables)) {
		tables = append(tables, pair{name, tableSettings(c.Tables[name], columns[name])})
	}
	root := yamlMap{
		{"name", f.Tenant + "/" + f.Namespace + "/" + f.Name},
		{"inputs", f.Inputs},
		{"output", f.Output},
		{"parallelism", f.Parallelism},
		{config.Root, yamlMap{
			{"subscription", c.Subscription},
			{"deadLetterTopic", config.DeadLetterTopic(c, f.Tenant, f.Namespace, f.Name)},
			{"tombstoneTTL", c.TombstoneTTL.String()},
			{"batch", yamlMap{{"maxRecords", c.Batch.MaxRecords}, {"maxBytes", c.Batch.MaxBytes}, {"inFlight", c.Batch.InFlight}, {"maxRecordBytes", c.Batch.MaxRecordBytes}}},
			{"embedding", embeddingSettings(c.Embedding)},
			{"chroma", chromaSettings(c.Chroma)},
			{"postgres", yamlMap{{"url", c.Postgres.URL.String()}}},
			{"pulsar", yamlMap{{"adminURL", c.Pulsar.AdminURL}, {"serviceURL", c.Pulsar.ServiceURL}, {"token", c.Pulsar.Token.String()}, {"caFile", string(c.Pulsar.CAFile)}}},
			{"gateway", gatewaySettings(c.Gateway)},
			{"tables", tables},
		}},
	}
	node, err := root.node()
	if err != nil {
		return nil, err
	}
	text, err := yaml.Marshal(node)
	if err != nil {
		return nil, fmt.Errorf("print the configuration: %w", err)
	}
	return text, nil
}

func embeddingSettings(e config.Embedding) yamlMap {
	return yamlMap{
		{"baseURL", e.BaseURL},
		{"model", e.Model},
		{"apiKey", e.APIKey.String()},
		{"caFile", string(e.CAFile)},
		{"dimensions", e.Dimensions},
		{"prefix", e.Prefix},
		{"queryPrefix", e.QueryPrefix},
		{"extra", jsonText(e.Extra)},
		{"queryExtra", jsonText(e.QueryExtra)},
		{"maxTexts", e.MaxTexts},
		{"maxTokens", e.MaxTokens},
		{"maxTextTokens", function.MaxTextTokens(e)},
		{"concurrency", e.Concurrency},
		{"timeout", e.Timeout.Round(time.Millisecond).String()},
		{"requestsPerMinute", e.RequestsPerMinute},
		{"tokensPerMinute", e.TokensPerMinute},
	}
}

func chromaSettings(c config.Chroma) yamlMap {
	return yamlMap{
		{"url", c.URL},
		{"tenant", c.Tenant},
		{"database", c.Database},
		{"token", c.Token.String()},
		{"caFile", string(c.CAFile)},
		{"distance", c.Distance},
		{"hnsw", yamlMap{
			{"efConstruction", c.HNSW.EFConstruction}, {"maxNeighbors", c.HNSW.MaxNeighbors}, {"efSearch", c.HNSW.EFSearch},
		}},
	}
}

func gatewaySettings(g config.Gateway) yamlMap {
	tokens := make([]string, len(g.Tokens))
	for i, t := range g.Tokens {
		tables := "all tables"
		if !t.AllTables {
			tables = strings.Join(t.Tables, ", ")
		}
		tokens[i] = t.Name + ": " + tables
	}
	return yamlMap{
		{"listen", g.Listen},
		{"tokens", tokens},
		{"origins", g.Origins},
		{"tls", yamlMap{{"cert", g.TLS.Cert}, {"key", g.TLS.Key}}},
		{"timeout", g.Timeout.String()},
		{"maxBody", g.MaxBody},
		{"requestsPerMinute", g.RequestsPerMinute},
		{"maxStreams", g.MaxStreams},
		{"maxStreamsPerToken", g.MaxStreamsPerToken},
		{"cache", yamlMap{{"entries", g.Cache.Entries}, {"ttl", g.Cache.TTL.String()}}},
	}
}

func tableSettings(t config.Table, columns []string) yamlMap {
	fields := make([]string, len(t.Metadata))
	for i, f := range t.Metadata {
		fields[i] = f.Column
		if f.As != f.Column {
			fields[i] += " as " + f.As
		}
	}
	m := yamlMap{
		{"collection", t.Collection},
		{"text", t.Text},
		{"textColumns", columns},
		{"metadata", fields},
		{"key", t.Key},
		{"emptyText", t.EmptyText},
		{"overflow", t.Overflow},
	}
	if t.Entity != "" {
		m = append(m, pair{"entity", t.Entity})
	}
	if t.Chunk != nil {
		m = append(m, pair{"chunk", yamlMap{{"tokens", t.Chunk.Tokens}, {"overlap", t.Chunk.Overlap}}})
	}
	return m
}

// jsonText shows free settings on one line.
func jsonText(v map[string]any) string {
	if len(v) == 0 {
		return ""
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSpace(string(text))
}
