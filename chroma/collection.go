package chroma

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"

	v2 "github.com/amikos-tech/chroma-go/pkg/api/v2"
	"github.com/amikos-tech/chroma-go/pkg/embeddings"
)

// Distances that Chroma knows.
const (
	Cosine       = "cosine"
	L2           = "l2"
	InnerProduct = "ip"
)

// validName is Chroma's rule for names of collections.
var validName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]{1,510}[a-zA-Z0-9]$`)

// HNSW are settings of the index, used when a collection is created; 0 leaves Chroma's default (100, 16, 100).
type HNSW struct{ EFConstruction, MaxNeighbors, EFSearch int }

// CollectionSpec is the collection that Ensure makes sure of.
type CollectionSpec struct {
	Name     string
	Distance string // Cosine (also when empty), L2 or InnerProduct
	HNSW     HNSW
	// Dimensions of the vectors to come; 0 when not known.
	Dimensions int
	// Metadata of the collection itself, used when it is created: string, bool, int64 or float64.
	Metadata map[string]any
}

// Collection is a handle on one collection of the server. It is safe for use by several goroutines. When the collection is
// removed on the server, its calls fail with reason collection_missing; Ensure then gives a new handle.
type Collection struct {
	client     *Client
	name       string
	remote     v2.Collection
	distance   string
	dimensions int // as the server said when the handle was made; 0 before the first record
	metadata   atomic.Pointer[map[string]any]
}

// Name is the collection's name.
func (col *Collection) Name() string { return col.name }

// Distance is the distance the server reports for the collection; empty when it reports none.
func (col *Collection) Distance() string { return col.distance }

// described is what the server says of a collection.
type described struct {
	Dimension     *int `json:"dimension"`
	Configuration struct {
		HNSW  *space `json:"hnsw"`
		SPANN *space `json:"spann"`
	} `json:"configuration_json"`
	Metadata map[string]any `json:"metadata"`
}

type space struct {
	Space string `json:"space"`
}

func (d *described) decode(body []byte) error {
	*d = described{}
	if err := json.Unmarshal(body, d); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	return nil
}

func (d *described) distance() string {
	switch {
	case d.Configuration.HNSW != nil:
		return d.Configuration.HNSW.Space
	case d.Configuration.SPANN != nil:
		return d.Configuration.SPANN.Space
	}
	// Collections of servers before 1.0 say it in their metadata.
	found, _ := d.Metadata["hnsw:space"].(string)
	return found
}

func (d *described) dimensions() int {
	if d.Dimension == nil {
		return 0
	}
	return *d.Dimension
}

// Ensure returns the collection, making it when it does not exist. One that exists with another distance, or with vectors of
// another dimension, is an Error of class halt; so is a tenant or database that does not exist. A collection seen before is
// returned without a request.
func (c *Client) Ensure(ctx context.Context, spec CollectionSpec) (*Collection, error) {
	if err := spec.validate(); err != nil {
		return nil, err
	}
	col := c.handle(spec.Name)
	if col == nil {
		opts, err := spec.options()
		if err != nil {
			return nil, err
		}
		col, err = c.open(ctx, spec.Name, func(ctx context.Context) (v2.Collection, error) {
			return c.api.GetOrCreateCollection(ctx, spec.Name, opts...)
		})
		if err != nil {
			return nil, c.locate(ctx, err)
		}
	}
	if err := spec.matches(col); err != nil {
		c.forget(col)
		return nil, err
	}
	return col, nil
}

// Collection returns a collection that exists; reason collection_missing when it does not. One seen before is returned
// without a request.
func (c *Client) Collection(ctx context.Context, name string) (*Collection, error) {
	if err := (CollectionSpec{Name: name}).validate(); err != nil {
		return nil, err
	}
	if col := c.handle(name); col != nil {
		return col, nil
	}
	col, err := c.open(ctx, name, func(ctx context.Context) (v2.Collection, error) {
		return c.api.GetCollection(ctx, name, v2.WithEmbeddingFunctionGet(refuser{}))
	})
	if err != nil {
		return nil, c.locate(ctx, err)
	}
	return col, nil
}

// open makes one attempt at getting a collection and remembers the handle.
func (c *Client) open(ctx context.Context, name string, get func(context.Context) (v2.Collection, error)) (*Collection, error) {
	var (
		remote v2.Collection
		about  described
	)
	err := c.do(ctx, &exchange{op: opCollection, collection: name}, func(ctx context.Context) (err error) {
		remote, err = get(ctx)
		return err //nolint:wrapcheck // only the exchange is classified
	}, func(body []byte) error {
		if remote.ID() == "" {
			return answerError("the collection has no id")
		}
		return about.decode(body)
	})
	if err != nil {
		return nil, err
	}
	col := &Collection{client: c, name: name, remote: remote, distance: about.distance(), dimensions: about.dimensions()}
	col.metadata.Store(&about.Metadata)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handles[name] = col
	return col, nil
}

func (c *Client) handle(name string) *Collection {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.handles[name]
}

// forget drops a handle, unless a newer one has taken its place.
func (c *Client) forget(col *Collection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.handles[col.name] == col {
		delete(c.handles, col.name)
	}
}

func (col *Collection) exchange(op string, records int) *exchange {
	return &exchange{op: op, collection: col.name, records: records}
}

func (s CollectionSpec) validate() error {
	switch {
	case !validName.MatchString(s.Name) || strings.Contains(s.Name, ".."):
		return s.halt(ReasonInvalidSetting, "collection: Chroma takes 3 to 512 characters of a-z, A-Z, 0-9, '.', '_' and '-', "+
			"starting and ending with a letter or digit, without '..'")
	case s.Distance != "" && s.Distance != Cosine && s.Distance != L2 && s.Distance != InnerProduct:
		return s.halt(ReasonInvalidSetting, fmt.Sprintf("chroma.distance: expected cosine, l2 or ip, found %q", cut(s.Distance, maxName)))
	case s.HNSW.EFConstruction < 0 || s.HNSW.MaxNeighbors < 0 || s.HNSW.EFSearch < 0:
		return s.halt(ReasonInvalidSetting, "chroma.hnsw: expected numbers of 0 or more")
	}
	return nil
}

// options are the settings of a collection to be created. An existing one ignores them.
func (s CollectionSpec) options() ([]v2.CreateCollectionOption, error) {
	hnsw := map[string]any{"space": orDefault(s.Distance, Cosine)}
	for key, n := range map[string]int{
		"ef_construction": s.HNSW.EFConstruction, "max_neighbors": s.HNSW.MaxNeighbors, "ef_search": s.HNSW.EFSearch,
	} {
		if n > 0 {
			hnsw[key] = n
		}
	}
	configuration := v2.NewCollectionConfiguration()
	configuration.SetRaw("hnsw", hnsw)
	metadata, err := collectionMetadata(s.Metadata)
	if err != nil {
		return nil, s.halt(ReasonInvalidSetting, err.Error())
	}
	opts := []v2.CreateCollectionOption{
		v2.WithConfigurationCreate(configuration), v2.WithEmbeddingFunctionCreate(refuser{}), v2.WithDisableEFConfigStorage(),
		v2.WithCollectionMetadataCreate(metadata),
	}
	if len(s.Metadata) == 0 {
		opts = opts[:3] // {} is not the same as no metadata
	}
	return opts, nil
}

// matches compares the collection that the server has with the one that is wanted.
func (s CollectionSpec) matches(col *Collection) error {
	if want := orDefault(s.Distance, Cosine); col.distance != want {
		return s.halt(ReasonDistanceMismatch, fmt.Sprintf("chroma.distance: expected %s, found %q in the collection; "+
			"a distance cannot be changed: set chroma.distance to it, or name another collection", want, col.distance))
	}
	if s.Dimensions > 0 && col.dimensions > 0 && s.Dimensions != col.dimensions {
		return s.halt(ReasonDimensionMismatch, dimensionAdvice(s.Dimensions, col.dimensions))
	}
	return nil
}

func (s CollectionSpec) halt(reason, detail string) *Error {
	return &Error{Op: opCollection, Collection: s.Name, class: classHalt, reason: reason, detail: detail}
}

func dimensionAdvice(have, want int) string {
	return fmt.Sprintf("vectors have %d dimensions, the collection has %d: set embedding.model and embedding.dimensions to what "+
		"filled it, or name another collection", have, want)
}

// refuser is the embedding function of every collection: rowvec embeds by itself, and chroma-go would download a model.
type refuser struct{}

var errRefused = errors.New("rowvec embeds texts itself: Chroma is given vectors only")

// EmbedDocuments refuses.
func (refuser) EmbedDocuments(context.Context, []string) ([]embeddings.Embedding, error) {
	return nil, errRefused
}

// EmbedQuery refuses.
func (refuser) EmbedQuery(context.Context, string) (embeddings.Embedding, error) {
	return nil, errRefused
}

// Name implements embeddings.EmbeddingFunction; it is not stored.
func (refuser) Name() string { return "rowvec" }

// GetConfig implements embeddings.EmbeddingFunction; it is not stored.
func (refuser) GetConfig() embeddings.EmbeddingFunctionConfig { return nil }

// DefaultSpace implements embeddings.EmbeddingFunction.
func (refuser) DefaultSpace() embeddings.DistanceMetric { return embeddings.COSINE }

// SupportedSpaces implements embeddings.EmbeddingFunction.
func (refuser) SupportedSpaces() []embeddings.DistanceMetric {
	return []embeddings.DistanceMetric{embeddings.COSINE, embeddings.L2, embeddings.IP}
}
