package search

import (
	"context"

	"github.com/rowvec/rowvec/function/document"
)

// Counts is how much the index holds.
type Counts struct {
	// Records of the table's collection, those of other tables in it included.
	Records int
	// Rows of the table; -1 when it was not counted, see Count.
	Rows int
}

// countPage is how many ids are read at once: for each page Chroma goes through all that come before it.
const countPage = 20_000

// Count tells how much the index holds of a table. A table that has a collection to itself and no chunks has as many rows as records,
// which costs one request; of others the rows are counted only if exact says so, by reading all of the collection's ids (1,000,000 need
// 50 requests), until ctx's deadline or, without one, in ten times the time of a question. What is written meanwhile may be counted or not.
func (x *Index) Count(ctx context.Context, table string, exact bool) (Counts, error) {
	t, err := x.table(table)
	if err != nil {
		return Counts{}, err
	}
	limited, cancel := ctx, context.CancelFunc(func() {})
	if _, told := ctx.Deadline(); !told {
		limited, cancel = context.WithTimeout(ctx, 10*x.timeout)
	}
	defer cancel()
	counts := Counts{Rows: -1}
	err = x.on(limited, t, func(ctx context.Context, col Collection) (err error) {
		if counts.Records, err = col.Count(ctx); err != nil {
			return behind(Chroma, "", err)
		}
		if !t.shared && !t.chunked {
			counts.Rows = counts.Records
		} else if exact {
			counts.Rows, err = t.rows(ctx, col)
		}
		return behind(Chroma, "", err)
	})
	return counts, t.settled(ctx, limited, "count of", err)
}

// rows counts the first records that are the table's.
func (t *table) rows(ctx context.Context, col Collection) (int, error) {
	n := 0
	for offset := 0; ; offset += countPage {
		ids, err := col.IDs(ctx, offset, countPage)
		if err != nil {
			return 0, err //nolint:wrapcheck // classified by the caller
		}
		var hashed []string
		for _, id := range ids {
			switch row, chunk := document.RowOf(id); {
			case chunk > 0, id == document.ProbeID:
			case t.shared && document.IsHashed(row):
				hashed = append(hashed, row)
			case t.ids.Owns(row, ""):
				n++
			}
		}
		records, err := t.marks(ctx, col, hashed)
		if err != nil {
			return 0, err
		}
		n += records
		if len(ids) < countPage {
			return n, nil
		}
	}
}

// marks counts those of the hashed ids that are the table's.
func (t *table) marks(ctx context.Context, col Collection, ids []string) (int, error) {
	if len(ids) == 0 {
		return 0, nil
	}
	records, err := col.Records(ctx, ids)
	if err != nil {
		return 0, err //nolint:wrapcheck // classified by the caller
	}
	n := 0
	for id, m := range records {
		if t.ids.Owns(id, fullKey(m.Metadata)) {
			n++
		}
	}
	return n, nil
}
