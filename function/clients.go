// Package function is rowvec's function: the composition of configuration, connector, indexer, endpoint and index into the
// program that Pulsar starts.
package function

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/embed"
	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/function/document"
)

// Lookup answers for a named secret.
type Lookup func(name string) (string, bool)

// NewEmbedding builds the endpoint's client, one of so many instances that share its limits. observe may be nil.
func NewEmbedding(c config.Embedding, instances int, lookup Lookup, observe func(embed.Observation)) (*embed.Client, error) {
	key, err := c.APIKey.Resolve(lookup)
	if err != nil {
		return nil, fmt.Errorf("%s.embedding.apiKey: %w", config.Root, err)
	}
	roots, err := c.CAFile.Pool()
	if err != nil {
		return nil, fmt.Errorf("%s.embedding.caFile: %w", config.Root, err)
	}
	client, err := embed.New(embed.Config{
		BaseURL: c.BaseURL, Model: c.Model, APIKey: key, KeySource: c.APIKey.Source(), RootCAs: roots, Dimensions: c.Dimensions,
		Prefix: c.Prefix, QueryPrefix: c.QueryPrefix, Extra: c.Extra, QueryExtra: c.QueryExtra,
		MaxTexts: c.MaxTexts, MaxTokens: c.MaxTokens, Timeout: c.Timeout,
		RequestsPerMinute: c.RequestsPerMinute, TokensPerMinute: c.TokensPerMinute, Instances: instances, CountTokens: counter(c.Model), Observe: observe,
	})
	if err != nil {
		return nil, fmt.Errorf("%s.embedding: %w", config.Root, c.APIKey.Fault(err))
	}
	return client, nil
}

// NewChroma builds the index's client. observe may be nil; transport nil means the default one.
func NewChroma(c config.Chroma, lookup Lookup, observe func(chroma.Observation), transport http.RoundTripper) (*chroma.Client, error) {
	token, err := c.Token.Resolve(lookup)
	if err != nil {
		return nil, fmt.Errorf("%s.chroma.token: %w", config.Root, err)
	}
	roots, err := c.CAFile.Pool()
	if err != nil {
		return nil, fmt.Errorf("%s.chroma.caFile: %w", config.Root, err)
	}
	client, err := chroma.New(chroma.Config{
		URL: c.URL, Tenant: c.Tenant, Database: c.Database, Token: token, TokenSource: c.Token.Source(), RootCAs: roots, Timeout: chromaTimeout,
		Observe: observe, Transport: transport,
	})
	if err != nil {
		return nil, fmt.Errorf("%s.chroma: %w", config.Root, c.Token.Fault(err))
	}
	return client, nil
}

// CollectionSpec is how the collection of a table is created when it is missing.
func CollectionSpec(c *config.Config, collection string) chroma.CollectionSpec {
	return chroma.CollectionSpec{
		Name: collection, Distance: c.Chroma.Distance, Dimensions: c.Embedding.Dimensions,
		Metadata: map[string]any{document.KeyModel: c.Embedding.Model},
		HNSW: chroma.HNSW{
			EFConstruction: c.Chroma.HNSW.EFConstruction, MaxNeighbors: c.Chroma.HNSW.MaxNeighbors, EFSearch: c.Chroma.HNSW.EFSearch,
		},
	}
}

// Builders makes the document builder of every table, by table. Its errors are wrong settings.
func Builders(c *config.Config) (map[string]*document.Builder, error) {
	builders := make(map[string]*document.Builder, len(c.Tables))
	for _, name := range slices.Sorted(maps.Keys(c.Tables)) {
		b, err := document.NewBuilder(documentSpec(c, name))
		if err != nil {
			return nil, rooted(err)
		}
		builders[name] = b
	}
	return builders, nil
}

// rooted puts the root of the settings before the path that each of the joined errors begins with.
func rooted(err error) error {
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return fmt.Errorf("%s.%w", config.Root, err)
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, fmt.Errorf("%s.%w", config.Root, e))
	}
	return errors.Join(all...)
}

func documentSpec(c *config.Config, name string) document.Spec {
	t := c.Tables[name]
	spec := document.Spec{
		Table: name, Text: t.Text, Key: t.Key, KeepEmpty: t.EmptyText == "keep",
		PrefixIDs: c.SharesCollection(name), Identity: identity(c.Embedding),
		Tokenizer: tokenizer(c.Embedding.Model), Prefix: c.Embedding.Prefix, MaxTokens: MaxTextTokens(c.Embedding), Truncate: t.Overflow == "truncate",
	}
	for _, f := range t.Metadata {
		spec.Metadata = append(spec.Metadata, document.Field{Column: f.Column, As: f.As})
	}
	if t.Chunk != nil {
		spec.Chunk = &document.ChunkSpec{Tokens: t.Chunk.Tokens, Overlap: t.Chunk.Overlap}
	}
	return spec
}

// identity is what a vector depends on besides its text: a change of any of it must embed again.
func identity(e config.Embedding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "model=%q dimensions=%d prefix=%q", e.Model, e.Dimensions, e.Prefix)
	for _, k := range slices.Sorted(maps.Keys(e.Extra)) {
		fmt.Fprintf(&b, " %q=%v", k, e.Extra[k])
	}
	return b.String()
}
