package indexer

import (
	"context"

	"github.com/rowvec/rowvec/connector"
)

// Embedder turns texts into vectors. One call is one attempt of one request; its errors may tell their class (see Classify).
type Embedder interface {
	// Split cuts texts into consecutive requests that respect the endpoint's limits and returns how many texts go in each.
	Split(texts []string) []int
	// Embed returns one vector for each text, in order, all of them finite and of one dimension.
	Embed(ctx context.Context, texts []string) ([][]float32, error)
}

// Store is one collection of the vector index. Every call is one attempt; its errors may tell their class (see Classify).
// Slices of one call run in parallel: element i of each belongs to ids[i].
type Store interface {
	// Get returns the metadata of the ids that exist, by id.
	Get(ctx context.Context, ids []string) (map[string]map[string]any, error)
	// Upsert writes whole records. Metadata is merged by the store: a stored key goes only when it is sent as nil.
	Upsert(ctx context.Context, ids []string, vectors [][]float32, documents []string, metadatas []map[string]any) error
	// Add is Upsert of records that are not there: those that are stay as they are, and nothing says which these were.
	Add(ctx context.Context, ids []string, vectors [][]float32, documents []string, metadatas []map[string]any) error
	// Update merges metadata into records that exist and leaves vector and document; unknown ids are ignored.
	Update(ctx context.Context, ids []string, metadatas []map[string]any) error
	// Delete removes records; unknown ids are ignored.
	Delete(ctx context.Context, ids []string) error
	// Below returns the metadata of up to limit of the records that have an integer below its bound under one of the keys of bounds at
	// least, from offset on, in an order in which later records come later. Fewer than limit are the last ones.
	Below(ctx context.Context, bounds map[string]int64, offset, limit int) (map[string]map[string]any, error)
}

// Tombstones is the companion collection of a Store: one record for each row that was deleted, with a vector of one dimension.
type Tombstones interface {
	Store
	// Expire removes up to limit records that have an integer below bound under key in their metadata, and returns how many.
	Expire(ctx context.Context, key string, bound int64, limit int) (int, error)
}

// Columns reads columns of a row from its table. One call is one attempt; its errors may tell their class (see Classify).
type Columns interface {
	// Fetch returns the named columns of the change's row, which has that key, as they are now, in the forms that the change's source
	// writes; found is false when there is no such row. The state that it reads contains the change: where the database does not show that
	// yet, it fails.
	Fetch(ctx context.Context, change *connector.Change, key []connector.Column, columns []string) (row connector.Row, found bool, err error)
}
