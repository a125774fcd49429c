package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Root is where the settings stand in function.yaml; every error's path begins with it.
const Root = "userConfig"

// Limits of the numbers. Upper ones keep a slip of the finger from exhausting memory.
const (
	maxBatchRecords   = 10_000
	minBatchBytes     = 64 << 10
	minRecordBytes    = 16 << 10
	maxBatchBytes     = 256 << 20
	maxBatchesAtOnce  = 64
	maxDimensions     = 65_536
	maxTextsPerCall   = 10_000
	maxTokensPerCall  = 10_000_000
	maxRequestsAtOnce = 256
	maxPerMinute      = 100_000_000
	minChunkTokens    = 16
	maxChunkTokens    = 100_000
	maxTombstoneTTL   = 10 * 365 * 24 * time.Hour
)

// Parse reads userConfig as decoded from YAML or JSON. Numbers may come as int, float64 or json.Number. The error joins one
// error for every fault found.
func Parse(userConfig map[string]any) (*Config, error) {
	var errs []error
	c := Default()
	root := &section{path: Root, values: userConfig, errs: &errs}
	root.subscription(&c.Subscription)
	root.text("deadLetterTopic", &c.DeadLetterTopic)
	root.duration("tombstoneTTL", &c.TombstoneTTL, time.Minute, maxTombstoneTTL)
	parseBatch(root.section("batch"), &c.Batch)
	parseEmbedding(root.section("embedding"), &c.Embedding)
	parseChroma(root.section("chroma"), &c.Chroma)
	parsePostgres(root.section("postgres"), &c.Postgres)
	parsePulsar(root.section("pulsar"), &c.Pulsar)
	parseGateway(root.section("gateway"), &c.Gateway)
	parseTables(root.section("tables"), c.Tables)
	root.checkAccess(&c)
	root.finish()
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return &c, nil
}

func parseBatch(s *section, b *Batch) {
	s.integer("maxRecords", &b.MaxRecords, 1, maxBatchRecords)
	s.integer("maxBytes", &b.MaxBytes, minBatchBytes, maxBatchBytes)
	s.integer("inFlight", &b.InFlight, 1, maxBatchesAtOnce)
	s.integer("maxRecordBytes", &b.MaxRecordBytes, minRecordBytes, maxBatchBytes)
	s.finish()
}

func parseEmbedding(s *section, e *Embedding) {
	s.text("baseURL", &e.BaseURL)
	s.checkURL("baseURL", e.BaseURL, "http://127.0.0.1:8001/v1")
	s.text("model", &e.Model)
	if e.Model == "" {
		s.fail("model", "required: the name of the endpoint's embedding model")
	}
	s.secret("apiKey", &e.APIKey)
	s.caFile(&e.CAFile, e.BaseURL)
	s.integer("dimensions", &e.Dimensions, 0, maxDimensions)
	s.text("prefix", &e.Prefix)
	s.text("queryPrefix", &e.QueryPrefix)
	s.object("extra", &e.Extra)
	s.object("queryExtra", &e.QueryExtra)
	s.checkExtra("extra", e.Extra)
	s.checkExtra("queryExtra", e.QueryExtra)
	s.integer("maxTexts", &e.MaxTexts, 1, maxTextsPerCall)
	s.integer("maxTokens", &e.MaxTokens, 1, maxTokensPerCall)
	s.integer("maxTextTokens", &e.MaxTextTokens, 0, maxTokensPerCall)
	s.integer("concurrency", &e.Concurrency, 1, maxRequestsAtOnce)
	s.duration("timeout", &e.Timeout, 100*time.Millisecond, time.Hour)
	s.integer("requestsPerMinute", &e.RequestsPerMinute, 0, maxPerMinute)
	s.integer("tokensPerMinute", &e.TokensPerMinute, 0, maxPerMinute)
	s.finish()
}

func parseChroma(s *section, c *Chroma) {
	s.text("url", &c.URL)
	s.checkURL("url", c.URL, "http://127.0.0.1:8000")
	s.text("tenant", &c.Tenant)
	s.text("database", &c.Database)
	s.secret("token", &c.Token)
	s.caFile(&c.CAFile, c.URL)
	s.choice("distance", &c.Distance, "cosine", "l2", "ip")
	h := s.section("hnsw")
	h.integer("efConstruction", &c.HNSW.EFConstruction, 1, 10_000)
	h.integer("maxNeighbors", &c.HNSW.MaxNeighbors, 2, 1_000)
	h.integer("efSearch", &c.HNSW.EFSearch, 1, 10_000)
	h.finish()
	s.finish()
}

func parsePostgres(s *section, p *Postgres) {
	s.secret("url", &p.URL)
	s.finish()
}

func parsePulsar(s *section, p *Pulsar) {
	s.text("adminURL", &p.AdminURL)
	if p.AdminURL != "" {
		s.checkURL("adminURL", p.AdminURL, "http://127.0.0.1:8080")
	}
	s.text("serviceURL", &p.ServiceURL)
	s.checkServiceURL("serviceURL", p.ServiceURL)
	s.credentials(p)
	s.finish()
}

func parseTables(s *section, tables map[string]Table) {
	if len(s.values) == 0 {
		s.fail("", "required: at least one table, as schema.table")
		return
	}
	for _, name := range slices.Sorted(maps.Keys(s.values)) {
		if !tableName.MatchString(name) {
			s.fail(name, "expected schema.table, for example public.%s", name)
		}
		tables[name] = parseTable(s.section(name))
	}
}

func parseTable(s *section) Table {
	t := Table{EmptyText: "delete", Overflow: "deadLetter"}
	s.text("collection", &t.Collection)
	if !collectionName.MatchString(t.Collection) {
		s.fail("collection", "expected 3 to 512 letters, digits, dots, dashes or underscores, beginning and ending with a letter or digit; found %q", t.Collection)
	}
	s.text("text", &t.Text)
	if t.Text == "" {
		s.fail("text", `required: a template over the row's columns, for example "{{.title}}: {{.body}}"`)
	}
	t.Metadata = s.fields("metadata")
	s.texts("key", &t.Key)
	t.Chunk = s.chunk("chunk")
	s.choice("emptyText", &t.EmptyText, "delete", "keep")
	s.text("entity", &t.Entity)
	if t.Entity != "" && !entityName.MatchString(t.Entity) {
		s.fail("entity", "expected up to 64 letters, digits, dashes or underscores, found %s", describe(t.Entity))
	}
	s.choice("overflow", &t.Overflow, "deadLetter", "truncate")
	s.finish()
	return t
}

// fields reads a list whose entries are a column's name or {column: price, as: cost}.
func (s *section) fields(key string) []Field {
	v, ok := s.get(key)
	if !ok {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		s.fail(key, "expected a list of columns, found %s", describe(v))
		return nil
	}
	fields := make([]Field, 0, len(list))
	for i, e := range list {
		at := fmt.Sprintf("%s[%d]", key, i)
		switch entry := e.(type) {
		case string:
			fields = append(fields, Field{Column: entry, As: entry})
		case map[string]any:
			sub := &section{path: s.at(at), values: entry, errs: s.errs}
			fields = append(fields, sub.field())
		default:
			s.fail(at, "expected a column's name or {column: price, as: cost}, found %s", describe(e))
		}
	}
	return fields
}

func (s *section) field() Field {
	var f Field
	s.text("column", &f.Column)
	if f.Column == "" {
		s.fail("column", "required: the column's name")
	}
	f.As = f.Column
	s.text("as", &f.As)
	s.finish()
	return f
}

func (s *section) chunk(key string) *Chunk {
	if _, ok := s.get(key); !ok {
		return nil
	}
	sub := s.section(key)
	c := &Chunk{}
	sub.integer("tokens", &c.Tokens, minChunkTokens, maxChunkTokens)
	if _, ok := sub.get("tokens"); !ok {
		sub.fail("tokens", "required: how many tokens a chunk may have")
	}
	sub.integer("overlap", &c.Overlap, 0, maxChunkTokens)
	if c.Tokens > 0 && c.Overlap > c.Tokens/2 {
		sub.fail("overlap", "expected at most half of tokens (%d), found %d", c.Tokens/2, c.Overlap)
	}
	sub.finish()
	return c
}
