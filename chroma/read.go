package chroma

import (
	"context"
	"fmt"
	"strconv"

	v2 "github.com/amikos-tech/chroma-go/pkg/api/v2"
)

// Match is one record as Chroma holds it. Metadata is never nil where it was asked for; its values are string, bool, int64,
// float64, []string, []bool, []int64 or []float64.
type Match struct {
	ID       string
	Document string // empty when it has none, or it was not asked for
	Metadata map[string]any
	Distance float64   // only of Query and Nearest: squared Euclidean for l2, 1 - cosine for cosine, 1 - dot product for ip
	Vector   []float32 // only of Vectors
}

// Get returns the metadata of those ids that exist, by id. Any number of ids may be asked for; where the server's limits
// need several requests, the answers are of different moments.
func (col *Collection) Get(ctx context.Context, ids []string) (map[string]map[string]any, error) {
	ids = unique(ids)
	if err := col.checkLengths(opGet, ids, nil); err != nil {
		return nil, err
	}
	out := make(map[string]map[string]any, len(ids))
	err := col.each(ctx, opGet, ids, func(int) int { return 0 }, func(ctx context.Context, s span) error {
		found, err := col.get(ctx, s.to-s.from, v2.WithIDs(documentIDs(ids[s.from:s.to])...), v2.WithInclude(v2.IncludeMetadatas))
		for _, m := range found {
			out[m.ID] = m.Metadata
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// List returns up to limit records from offset on, in the order of their first insertion. A page shorter than limit is the
// last one. Records that are written or removed between two pages may be missed or seen twice.
func (col *Collection) List(ctx context.Context, offset, limit int, withDocuments bool) ([]Match, error) {
	if offset < 0 || limit < 1 {
		return nil, col.poison(opGet, "", ReasonInvalidArguments,
			fmt.Sprintf("offset %d, limit %d: expected 0 or more, and 1 or more", offset, limit))
	}
	include := []v2.Include{v2.IncludeMetadatas}
	if withDocuments {
		include = append(include, v2.IncludeDocuments)
	}
	return col.get(ctx, 0, v2.WithLimit(limit), v2.WithOffset(offset), v2.WithInclude(include...))
}

func (col *Collection) get(ctx context.Context, records int, opts ...v2.CollectionGetOption) ([]Match, error) {
	var (
		answer getAnswer
		found  []Match
	)
	err := col.client.do(ctx, col.exchange(opGet, records), func(ctx context.Context) error {
		_, err := col.remote.Get(ctx, opts...)
		return err
	}, func(body []byte) (err error) {
		if err = answer.decode(body); err == nil {
			found, err = answer.matches()
		}
		return err
	})
	return found, col.explain(ctx, err, 0)
}

// Count returns how many records the collection holds.
func (col *Collection) Count(ctx context.Context) (int, error) {
	n := 0
	err := col.client.do(ctx, col.exchange(opCount, 0), func(ctx context.Context) error {
		_, err := col.remote.Count(ctx)
		return err
	}, func(body []byte) (err error) {
		n, err = strconv.Atoi(string(body))
		return err //nolint:wrapcheck // do wraps it
	})
	return n, col.explain(ctx, err, 0)
}
