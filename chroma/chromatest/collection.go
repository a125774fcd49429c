package chromatest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// Record is a record as the server holds it. Metadata values are string, bool, int64, float64, or a list of one of these.
type Record struct {
	ID       string
	Vector   []float32
	Document *string // nil when it has none
	Metadata map[string]any
}

type collection struct {
	at        scope
	id, name  string
	index     hnsw
	metadata  map[string]any
	dimension int
	next      int // insertion order of the next record
	byID      map[string]*record
}

type record struct {
	Record
	order int
}

func (r *record) snapshot() Record {
	out := r.Record
	out.Vector = slices.Clone(r.Vector)
	out.Metadata = maps.Clone(r.Metadata)
	return out
}

func newCollection(at scope, spec createPayload) *collection {
	index := spec.Configuration.HNSW
	index.Space = cmp.Or(index.Space, "l2")
	index.EFConstruction = cmp.Or(index.EFConstruction, 100)
	index.EFSearch = cmp.Or(index.EFSearch, 100)
	index.MaxNeighbors = cmp.Or(index.MaxNeighbors, 16)
	return &collection{
		at: at, id: newID(), name: spec.Name, index: index, metadata: spec.Metadata, byID: map[string]*record{},
	}
}

func (c *collection) describe() any {
	var dimension *int
	if c.dimension > 0 {
		dimension = &[]int{c.dimension}[0]
	}
	return map[string]any{
		"id": c.id, "name": c.name, "tenant": c.at.tenant, "database": c.at.database, "metadata": c.metadata,
		"dimension": dimension, "log_position": 0, "version": 0,
		"configuration_json": map[string]any{"hnsw": c.index, "spann": nil, "embedding_function": nil},
	}
}

// annotate replaces the collection's own metadata.
func (c *collection) annotate(in *payload) (any, *failure) {
	if in.NewMetadata != nil {
		c.metadata = in.NewMetadata
	}
	return struct{}{}, nil
}

// prepare checks a write before any of it is applied.
func (c *collection) prepare(in *payload) ([][]float32, []change, *failure) {
	vectors, failed := in.vectors()
	if failed != nil {
		return nil, nil, failed
	}
	changes, failed := in.changes()
	if failed != nil {
		return nil, nil, failed
	}
	n := len(in.IDs)
	for _, length := range []int{lengthOr(vectors, n), lengthOr(changes, n), lengthOr(in.Documents, n)} {
		if length != n {
			return nil, nil, invalid("Inconsistent number of IDs, embeddings, documents, URIs and metadatas")
		}
	}
	if slices.Contains(in.IDs, "") {
		return nil, nil, invalid("Empty ID, ID must have at least one character")
	}
	return vectors, changes, c.checkDimension(vectors)
}

func (c *collection) checkDimension(vectors [][]float32) *failure {
	want := c.dimension
	for _, v := range vectors {
		if v == nil {
			continue
		}
		if want == 0 {
			want = len(v)
		}
		if len(v) != want {
			return invalid(fmt.Sprintf("Collection expecting embedding with dimension of %d, got %d", want, len(v)))
		}
	}
	return nil
}

// made is the answer to an add, with status 201.
type made struct{}

// add is upsert of what is not there. Metadata may not have nulls.
func (c *collection) add(in *payload) (any, *failure) {
	for i, metadata := range in.Metadatas {
		for key, raw := range metadata {
			if string(raw) == "null" {
				return nil, undecodable(fmt.Sprintf("metadatas[%d].%s: data did not match any variant of untagged enum MetadataValue", i, key))
			}
		}
	}
	_, failed := c.put(in, false)
	return made{}, failed
}

func (c *collection) upsert(in *payload) (any, *failure) { return c.put(in, true) }

// put writes records, over those that are there or not.
func (c *collection) put(in *payload, over bool) (any, *failure) {
	if in.Embeddings == nil {
		return nil, undecodable("missing field `embeddings`")
	}
	vectors, changes, failed := c.prepare(in)
	if failed != nil {
		return nil, failed
	}
	if slices.ContainsFunc(vectors, func(v []float32) bool { return v == nil }) {
		return nil, undecodable("embeddings: data did not match any variant of untagged enum EmbeddingsPayload")
	}
	for i, id := range in.IDs {
		r, ok := c.byID[id]
		if !ok {
			r = &record{Record: Record{ID: id, Metadata: map[string]any{}}, order: c.next}
			c.next++
			c.byID[id] = r
		} else if !over {
			continue
		}
		c.dimension = len(vectors[i])
		r.write(i, vectors, in.Documents, changes)
	}
	return struct{}{}, nil
}

func (c *collection) update(in *payload) (any, *failure) {
	vectors, changes, failed := c.prepare(in)
	if failed != nil {
		return nil, failed
	}
	for i, id := range in.IDs {
		if r, ok := c.byID[id]; ok {
			r.write(i, vectors, in.Documents, changes)
		}
	}
	return struct{}{}, nil
}

// write merges element i of each list into the record; what is not named stays.
func (r *record) write(i int, vectors [][]float32, documents []*string, changes []change) {
	if i < len(vectors) && vectors[i] != nil {
		r.Vector = vectors[i]
	}
	if i < len(documents) && documents[i] != nil {
		r.Document = documents[i]
	}
	if i >= len(changes) {
		return
	}
	for key, value := range changes[i] {
		if value == nil {
			delete(r.Metadata, key)
			continue
		}
		r.Metadata[key] = value
	}
}

func (c *collection) delete(in *payload) (any, *failure) {
	if in.IDs != nil && len(in.IDs) == 0 {
		return nil, invalid("Validation error: ids, where: Either ids or where must be specified")
	}
	pass, failed := in.passes()
	if failed != nil {
		return nil, failed
	}
	var gone []*record
	if in.IDs != nil || in.Where != nil {
		gone = c.ordered(pass)
	}
	for _, r := range gone {
		delete(c.byID, r.ID)
	}
	return map[string]int{"deleted": len(gone)}, nil
}

// ordered returns the records that pass, in the order of their insertion.
func (c *collection) ordered(pass func(*record) bool) []*record {
	var out []*record
	for _, r := range c.byID {
		if pass(r) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b *record) int { return cmp.Compare(a.order, b.order) })
	return out
}

func lengthOr[T any](s []T, otherwise int) int {
	if s == nil {
		return otherwise
	}
	return len(s)
}
