package chroma

import (
	"context"
	"encoding/json"
	"fmt"

	v2 "github.com/amikos-tech/chroma-go/pkg/api/v2"
)

// Expire removes up to limit records that have an integer below bound under key in their metadata, and returns how many it found. A
// record whose integer is raised to the bound or above while this runs is kept: the condition holds for the removal, too.
func (col *Collection) Expire(ctx context.Context, key string, bound int64, limit int) (int, error) {
	if limit < 1 {
		return 0, col.poison(opDelete, "", ReasonInvalidArguments, fmt.Sprintf("limit %d: expected 1 or more", limit))
	}
	encoded, err := json.Marshal(map[string]any{key: map[string]any{"$lt": bound}})
	if err != nil {
		return 0, col.poison(opDelete, "", ReasonInvalidArguments, "the filter cannot be written as JSON")
	}
	where := rawWhere{encoded}
	found, err := col.get(ctx, 0, v2.WithLimit(limit), v2.WithWhere(where), v2.WithInclude(v2.IncludeMetadatas))
	if err != nil || len(found) == 0 {
		return 0, err
	}
	ids := make([]string, len(found))
	for i, m := range found {
		ids[i] = m.ID
	}
	err = col.each(ctx, opDelete, ids, func(int) int { return 0 }, func(ctx context.Context, s span) error {
		err := col.client.do(ctx, col.exchange(opDelete, s.to-s.from), func(ctx context.Context) error {
			return col.remote.Delete(ctx, v2.WithIDs(documentIDs(ids[s.from:s.to])...), v2.WithWhere(where))
		}, decodeDone)
		return col.explain(ctx, err, 0)
	})
	return len(ids), err
}
