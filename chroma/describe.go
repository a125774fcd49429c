package chroma

import (
	"context"
	"fmt"
	"maps"

	v2 "github.com/amikos-tech/chroma-go/pkg/api/v2"
)

// Dimensions of the collection's vectors, as the server said when the handle was made; 0 before the first record.
func (col *Collection) Dimensions() int { return col.dimensions }

// Metadata of the collection itself, as the server said when the handle was made or as Annotate left it. Whole numbers come as
// float64. The map is the caller's own and never nil.
func (col *Collection) Metadata() map[string]any {
	out := map[string]any{}
	if stored := col.metadata.Load(); stored != nil {
		maps.Copy(out, *stored)
	}
	return out
}

// Annotate puts string, bool, int, int64 or float64 values into the collection's own metadata and leaves what else is there, as far
// as this handle has seen it: Chroma replaces the whole. Distance and index settings are not concerned.
func (col *Collection) Annotate(ctx context.Context, values map[string]any) error {
	merged := col.Metadata()
	maps.Copy(merged, values)
	metadata, err := collectionMetadata(merged)
	if err != nil {
		return &Error{Op: opAnnotate, Collection: col.name, class: classHalt, reason: ReasonInvalidSetting, detail: err.Error()}
	}
	err = col.client.do(ctx, col.exchange(opAnnotate, 0), func(ctx context.Context) error {
		return col.remote.ModifyMetadata(ctx, metadata)
	}, decodeObject)
	if err == nil {
		col.metadata.Store(&merged)
	}
	return col.explain(ctx, err, 0)
}

// Reopen is Collection with a request, whatever was seen before: the handle tells what the server says now.
func (c *Client) Reopen(ctx context.Context, name string) (*Collection, error) {
	if col := c.handle(name); col != nil {
		c.forget(col)
	}
	return c.Collection(ctx, name)
}

// collectionMetadata encodes the metadata of a collection. Chroma 1.5.9 drops the connection on an empty list there, and refuses null.
func collectionMetadata(values map[string]any) (v2.CollectionMetadata, error) {
	metadata := v2.NewEmptyMetadata()
	for key, value := range values {
		switch value.(type) {
		case string, bool, int, int64, float64:
			metadata.SetRaw(key, value)
		default:
			return nil, fmt.Errorf("metadata %q of the collection cannot be of type %T", key, value)
		}
	}
	return metadata, nil
}
