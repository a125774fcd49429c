package search

import "context"

// Similar returns the rows nearest to a stored row, by the mean of its chunks' vectors (Row.Vector), best chunk of each: a row of several
// chunks is about all of them. The row itself is left out, with all of its chunks. id is as for Row; topK is 1 to MaxTop. Errors are those
// of Row and, where the collection is of another model than the settings say, those of Search.
func (x *Index) Similar(ctx context.Context, table, id string, topK int) (*Result, error) {
	t, err := x.named(table, id)
	if err != nil {
		return nil, err
	}
	if err := checkTop(topK); err != nil {
		return nil, err
	}
	limited, cancel := x.limited(ctx)
	defer cancel()
	result, err := x.similar(limited, t, id, topK)
	return result, t.settled(ctx, limited, "similar rows in", err)
}

func (x *Index) similar(ctx context.Context, t *table, id string, topK int) (*Result, error) {
	// A collection that is filled anew with another model has vectors of both for a while, which do not compare.
	if err := x.comparable(ctx, t, x.dimensions); err != nil {
		return nil, err
	}
	var row *Row
	err := x.on(ctx, t, func(ctx context.Context, col Collection) (err error) {
		row, err = t.read(ctx, col, id, true)
		return behind(Chroma, "", err)
	})
	if err != nil {
		return nil, err
	}
	return x.seek(ctx, t, &seek{
		vector: row.Vector, top: topK, group: true, without: t.ids.Row(id), spare: min(len(row.Chunks), MaxTop),
	})
}
