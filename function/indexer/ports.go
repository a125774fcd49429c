package indexer

import "context"

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
	// Update merges metadata into records that exist and leaves vector and document; unknown ids are ignored.
	Update(ctx context.Context, ids []string, metadatas []map[string]any) error
	// Delete removes records; unknown ids are ignored.
	Delete(ctx context.Context, ids []string) error
}
