// Package config turns the function's userConfig, and the function.yaml that carries it, into typed settings. It is the one place
// of defaults and validation; every error names the setting by its full path.
package config

import (
	"maps"
	"slices"
	"time"
)

// Config is userConfig, typed, with defaults applied.
type Config struct {
	Subscription    string        // key_shared, failover, shared or exclusive
	DeadLetterTopic string        // empty: the function package derives <tenant>/<namespace>/<name>-dlq
	TombstoneTTL    time.Duration // how long a deleted row is remembered
	Batch           Batch
	Embedding       Embedding
	Chroma          Chroma
	Postgres        Postgres
	Pulsar          Pulsar
	Gateway         Gateway
	Tables          map[string]Table // by "schema.table"
}

// Postgres is the source's database, for what only it can tell: columns that a change left out, and `rowvec verify`.
type Postgres struct {
	URL Secret // postgres://…; unset: not used
}

// Pulsar is where the broker is, for what the worker does not tell: the schemas of topics whose records do not carry their own, and
// all that `rowvec serve` and `rowvec dlq` ask of it.
type Pulsar struct {
	AdminURL   string // http://host:8080; empty: the one that the worker gives, if it gives one
	ServiceURL string // pulsar://host:6650, for `rowvec serve` and `rowvec dlq`: the function has the worker's
	Token      Secret // for both; the function, too, connects with it in place of what the worker gives
	CAFile     CAFile // for both, and for the function as Token
}

// Batch bounds what is worked on at once, per table.
type Batch struct {
	MaxRecords int
	MaxBytes   int // payload bytes
	InFlight   int // batches

	MaxRecordBytes int // key and payload of one record; a larger one is a dead letter
}

// Embedding is the OpenAI-compatible endpoint and how to ask it.
type Embedding struct {
	BaseURL           string
	Model             string
	APIKey            Secret
	CAFile            CAFile
	Dimensions        int    // 0: what the model gives
	Prefix            string // before every text that is stored
	QueryPrefix       string // before every text that is searched for
	Extra             map[string]any
	QueryExtra        map[string]any
	MaxTexts          int // per request
	MaxTokens         int // per request; estimated unless the model's vocabulary is known
	MaxTextTokens     int // per text, prefix included; 0: the model's own limit where it is known
	Concurrency       int // requests at once
	Timeout           time.Duration
	RequestsPerMinute int // 0: no limit of our own
	TokensPerMinute   int // 0: no limit of our own
}

// Chroma is the vector index.
type Chroma struct {
	URL      string
	Tenant   string
	Database string
	Token    Secret
	CAFile   CAFile
	Distance string // cosine, l2 or ip
	HNSW     HNSW
}

// HNSW tunes the index of a collection when it is created. Zero: Chroma's default.
type HNSW struct {
	EFConstruction int
	MaxNeighbors   int
	EFSearch       int
}

// Table says what of a Postgres table goes where.
type Table struct {
	Collection string
	Text       string // text/template over the row
	Metadata   []Field
	Key        []string // only for a table without a primary key
	Chunk      *Chunk   // nil: one record per row
	EmptyText  string   // delete or keep
	Entity     string   // the table's name in the gateway's feature API; empty: it has none there
	Overflow   string   // deadLetter or truncate: what becomes of a text over MaxTextTokens, without Chunk
}

// Field is a metadata column and the name it has in Chroma.
type Field struct {
	Column string
	As     string
}

// Chunk cuts long texts.
type Chunk struct {
	Tokens  int
	Overlap int
}

// Default returns the settings that hold when userConfig does not say otherwise.
func Default() Config {
	return Config{
		Subscription: "key_shared",
		TombstoneTTL: 7 * 24 * time.Hour,
		Batch:        Batch{MaxRecords: 512, MaxBytes: 8 << 20, InFlight: 4, MaxRecordBytes: 8 << 20},
		Embedding:    Embedding{MaxTexts: 64, MaxTokens: 300_000, Concurrency: 4, Timeout: 30 * time.Second},
		Chroma:       Chroma{Tenant: "default_tenant", Database: "default_database", Distance: "cosine"},
		Gateway:      defaultGateway(),
		Tables:       map[string]Table{},
	}
}

// TableNames returns the tables' names in order.
func (c *Config) TableNames() []string { return slices.Sorted(maps.Keys(c.Tables)) }

// SharesCollection reports whether another table writes to the collection of the named one: ids then carry the table's name.
func (c *Config) SharesCollection(table string) bool {
	for other, t := range c.Tables {
		if other != table && t.Collection == c.Tables[table].Collection {
			return true
		}
	}
	return false
}
