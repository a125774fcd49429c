package chroma

import (
	"context"
	"encoding/json"
	"errors"
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
	Distance float64 // only of Query: squared Euclidean for l2, 1 - cosine for cosine, 1 - dot product for ip
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

// Query returns the k records nearest to vector, nearest first, with document and metadata. where is Chroma's filter on
// metadata ({"price": {"$lt": 5}}, {"$and": [...]}); nil or empty means all.
func (col *Collection) Query(ctx context.Context, vector []float32, k int, where map[string]any) ([]Match, error) {
	if k < 1 {
		// Chroma 1.5.9 drops the connection when asked for 0 results.
		return nil, col.poison(opQuery, "", ReasonInvalidArguments, fmt.Sprintf("k is %d: expected 1 or more", k))
	}
	if len(vector) == 0 || !finite(vector) {
		return nil, col.poison(opQuery, "", ReasonInvalidVector, "the vector is empty or not finite")
	}
	opts := []v2.CollectionQueryOption{
		v2.WithQueryEmbeddings(pack([][]float32{vector})...), v2.WithNResults(k),
		v2.WithInclude(v2.IncludeMetadatas, v2.IncludeDocuments, v2.IncludeDistances),
	}
	if len(where) > 0 {
		encoded, err := json.Marshal(where)
		if err != nil {
			return nil, col.poison(opQuery, "", ReasonInvalidArguments, "the filter cannot be written as JSON")
		}
		opts = append(opts, v2.WithWhere(rawWhere{encoded}))
	}
	var found []Match
	err := col.client.do(ctx, col.exchange(opQuery, 0), func(ctx context.Context) error {
		_, err := col.remote.Query(ctx, opts...)
		return err
	}, func(body []byte) (err error) {
		found, err = decodeQuery(body)
		return err
	})
	return found, col.explain(ctx, err, len(vector))
}

func decodeQuery(body []byte) ([]Match, error) {
	var answer queryAnswer
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	first, distances, err := answer.first()
	if err != nil {
		return nil, err
	}
	found, err := first.matches()
	if err != nil {
		return nil, err
	}
	for i, d := range distances {
		if d == nil {
			return nil, answerError("a distance is null")
		}
		found[i].Distance = *d
	}
	return found, nil
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

// rawWhere is a filter in its final form.
type rawWhere struct{ json []byte }

// String implements chroma-go's WhereFilter.
func (w rawWhere) String() string { return "filter" }

// Validate implements chroma-go's WhereFilter; the server is the judge.
func (w rawWhere) Validate() error { return nil }

// MarshalJSON implements json.Marshaler.
func (w rawWhere) MarshalJSON() ([]byte, error) { return w.json, nil }

// UnmarshalJSON implements chroma-go's WhereFilter; it is never called.
func (w rawWhere) UnmarshalJSON([]byte) error { return errors.New("a filter is only written") }
