package function

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/function/indexer"
)

const (
	tombstoneSuffix = "--tombstones"
	maxCollection   = 512 // characters that Chroma allows in a name
)

// TombstoneCollection is the name of a collection's companion, which remembers deleted rows (design §4).
func TombstoneCollection(collection string) string {
	if len(collection)+len(tombstoneSuffix) <= maxCollection {
		return collection + tombstoneSuffix
	}
	sum := sha256.Sum256([]byte(collection))
	tail := "-" + hex.EncodeToString(sum[:8]) + tombstoneSuffix
	return collection[:maxCollection-len(tail)] + tail
}

// Tombstones has the writer of a collection remember deleted rows there.
func Tombstones(c *config.Config, index *chroma.Client, collection string, log *slog.Logger) indexer.WriterOption {
	name := TombstoneCollection(collection)
	return indexer.WithTombstones(func(ctx context.Context) (indexer.Tombstones, error) {
		opened, err := index.Ensure(ctx, chroma.CollectionSpec{Name: name, Distance: chroma.L2, Dimensions: 1})
		if err != nil {
			return nil, fmt.Errorf("open collection %s: %w", name, err)
		}
		return opened, nil
	}, c.TombstoneTTL, log.With("collection", name))
}
