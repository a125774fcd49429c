package chroma_test

import (
	"context"

	"github.com/rowvec/rowvec/chroma"
)

// store is a copy of the Store interface in function/indexer/ports.go, which chroma must satisfy without importing it.
type store interface {
	Get(ctx context.Context, ids []string) (map[string]map[string]any, error)
	Add(ctx context.Context, ids []string, vectors [][]float32, documents []string, metadatas []map[string]any) error
	Upsert(ctx context.Context, ids []string, vectors [][]float32, documents []string, metadatas []map[string]any) error
	Update(ctx context.Context, ids []string, metadatas []map[string]any) error
	Delete(ctx context.Context, ids []string) error
	Below(ctx context.Context, bounds map[string]int64, offset, limit int) (map[string]map[string]any, error)
}

var _ store = (*chroma.Collection)(nil)
