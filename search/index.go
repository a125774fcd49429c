package search

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/function/document"
)

// Embedder makes vectors of questions; *embed.Client is one.
type Embedder interface {
	// EmbedQuery returns the vector of a text that is searched for.
	EmbedQuery(ctx context.Context, text string) ([]float32, error)
}

// Collection is what is asked of a table's collection; *chroma.Collection is one.
type Collection interface {
	// Distance is cosine, l2 or ip.
	Distance() string
	// Dimensions of its vectors; 0 when it has none yet.
	Dimensions() int
	// Metadata is the collection's own.
	Metadata() map[string]any
	// Nearest returns the records nearest to a vector.
	Nearest(ctx context.Context, q chroma.Question) ([]chroma.Match, error)
	// Records returns those of the ids that exist, by id.
	Records(ctx context.Context, ids []string) (map[string]chroma.Match, error)
	// Vectors is Records with the vectors.
	Vectors(ctx context.Context, ids []string) (map[string]chroma.Match, error)
	// IDs returns up to limit ids from offset on, in a fixed order.
	IDs(ctx context.Context, offset, limit int) ([]string, error)
	// Count returns how many records there are.
	Count(ctx context.Context) (int, error)
}

// Opener finds a collection as it is now; its error has the reason collection_missing when there is none.
type Opener func(ctx context.Context, name string) (Collection, error)

// From opens the collections of a Chroma server.
func From(client *chroma.Client) Opener {
	return func(ctx context.Context, name string) (Collection, error) {
		col, err := client.Reopen(ctx, name)
		if err != nil {
			return nil, err //nolint:wrapcheck // classified by the caller
		}
		return col, nil
	}
}

// Options are what may differ between those who ask. Zero values are the defaults.
type Options struct {
	Timeout time.Duration // of one question, with its vector; 30 s. Count has ten times as long
	// Vectors of questions are kept for CacheTTL (10 min) after they were made, at most CacheEntries (10,000; less than 0: none) in
	// CacheBytes (64 MiB).
	CacheTTL     time.Duration
	CacheEntries int
	CacheBytes   int
}

// Index answers questions about the configured tables. It is safe for use by several goroutines.
type Index struct {
	model      string
	dimensions int // 0: what the model gives
	timeout    time.Duration
	tables     map[string]*table
	vectors    *vectors
	open       Opener

	mu     sync.Mutex
	opened map[string]*opened // by collection
}

// table is what the settings say of one table.
type table struct {
	name, collection string
	ids              document.IDs
	shared           bool     // other tables are in the collection
	chunked          bool     // a row may have several records
	key              []string // its columns; nil: the primary key, whose columns the settings do not name
	fields           []string // keys of its metadata
}

// New makes an Index of the configuration's tables; nothing is reached yet. Call Close in the end.
func New(c *config.Config, embedder Embedder, open Opener, o Options) *Index {
	x := &Index{
		model: c.Embedding.Model, dimensions: c.Embedding.Dimensions, timeout: orDefault(o.Timeout, 30*time.Second),
		tables: make(map[string]*table, len(c.Tables)), open: open, opened: map[string]*opened{},
	}
	x.vectors = newVectors(embedder, x.timeout, o)
	for name, t := range c.Tables {
		shared := c.SharesCollection(name)
		known := &table{
			name: name, collection: t.Collection, ids: document.NewIDs(name, shared), shared: shared, chunked: t.Chunk != nil, key: t.Key,
		}
		for _, f := range t.Metadata {
			known.fields = append(known.fields, f.As)
		}
		x.tables[name] = known
	}
	return x
}

// Close ends the requests for vectors that are under way and waits for them. Questions after it fail.
func (x *Index) Close() { x.vectors.close() }

// Tables lists the configured tables, sorted.
func (x *Index) Tables() []string { return slices.Sorted(maps.Keys(x.tables)) }

// Fields lists the keys of a table's metadata, by which Query.Where may filter, as configured; nil for an unknown table.
func (x *Index) Fields(table string) []string {
	if t := x.tables[table]; t != nil {
		return slices.Clone(t.fields)
	}
	return nil
}

// table finds a table by its name; where there is one only, it need not be named.
func (x *Index) table(name string) (*table, error) {
	if t := x.tables[name]; t != nil {
		return t, nil
	}
	if name != "" {
		return nil, notFound("the table is not in the configuration%s", suggestion(name, x.Tables()))
	}
	if len(x.tables) != 1 {
		return nil, invalid("table", "required, one of %s", strings.Join(x.Tables(), ", "))
	}
	return x.tables[x.Tables()[0]], nil
}

// limited is a question's own time.
func (x *Index) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, x.timeout)
}

// settled makes what the end of a question's own time did to it an Error, which tells the operator what the question waited for; the
// caller's context error passes through.
func (t *table) settled(caller, limited context.Context, doing string, err error) error {
	if err == nil || caller.Err() != nil || limited.Err() == nil {
		return err
	}
	return &Error{
		Kind: Unavailable, Service: serviceOf(err), Message: "no answer in time; ask again", reason: ReasonTimeout,
		err: fmt.Errorf("%s collection %s: %w", doing, t.collection, err),
	}
}

func orDefault[T int | time.Duration](value, otherwise T) T {
	if value > 0 {
		return value
	}
	return otherwise
}
