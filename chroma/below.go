package chroma

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	v2 "github.com/amikos-tech/chroma-go/pkg/api/v2"
)

// Below returns the metadata, by id, of up to limit of the records that have an integer below its bound under one of the keys of bounds at
// least, from offset on in the order of their first insertion. A page shorter than limit is the last one. Documents are not sent.
func (col *Collection) Below(ctx context.Context, bounds map[string]int64, offset, limit int) (map[string]map[string]any, error) {
	if offset < 0 || limit < 1 || len(bounds) == 0 {
		return nil, col.poison(opGet, "", ReasonInvalidArguments,
			fmt.Sprintf("%d bounds, offset %d, limit %d: expected 1 or more, 0 or more, and 1 or more", len(bounds), offset, limit))
	}
	conditions := make([]map[string]any, 0, len(bounds))
	for _, key := range slices.Sorted(maps.Keys(bounds)) {
		conditions = append(conditions, map[string]any{key: map[string]any{"$lt": bounds[key]}})
	}
	where := conditions[0]
	if len(conditions) > 1 { // Chroma takes $or of two or more only
		where = map[string]any{"$or": conditions}
	}
	encoded, err := json.Marshal(where)
	if err != nil {
		return nil, col.poison(opGet, "", ReasonInvalidArguments, "the filter cannot be written as JSON")
	}
	found, err := col.get(ctx, 0, v2.WithWhere(rawWhere{encoded}), v2.WithLimit(limit), v2.WithOffset(offset), v2.WithInclude(v2.IncludeMetadatas))
	if err != nil {
		return nil, err
	}
	out := make(map[string]map[string]any, len(found))
	for _, m := range found {
		out[m.ID] = m.Metadata
	}
	return out, nil
}
