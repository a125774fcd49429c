package chroma

import (
	"context"
	"fmt"

	v2 "github.com/amikos-tech/chroma-go/pkg/api/v2"
)

// Records returns those of the ids that exist, with document and metadata, by id. Any number of ids may be asked for; where the
// server's limits need several requests, the answers are of different moments.
func (col *Collection) Records(ctx context.Context, ids []string) (map[string]Match, error) {
	return col.fetch(ctx, ids, v2.IncludeMetadatas, v2.IncludeDocuments)
}

// Vectors is Records with the vectors.
func (col *Collection) Vectors(ctx context.Context, ids []string) (map[string]Match, error) {
	return col.fetch(ctx, ids, v2.IncludeMetadatas, v2.IncludeDocuments, v2.IncludeEmbeddings)
}

func (col *Collection) fetch(ctx context.Context, ids []string, include ...v2.Include) (map[string]Match, error) {
	ids = unique(ids)
	if err := col.checkLengths(opGet, ids, nil); err != nil {
		return nil, err
	}
	out := make(map[string]Match, len(ids))
	err := col.each(ctx, opGet, ids, func(int) int { return 0 }, func(ctx context.Context, s span) error {
		found, err := col.get(ctx, s.to-s.from, v2.WithIDs(documentIDs(ids[s.from:s.to])...), v2.WithInclude(include...))
		for _, m := range found {
			out[m.ID] = m
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// IDs is List for the ids alone, which costs Chroma a tenth of the work.
func (col *Collection) IDs(ctx context.Context, offset, limit int) ([]string, error) {
	if offset < 0 || limit < 1 {
		return nil, col.poison(opGet, "", ReasonInvalidArguments,
			fmt.Sprintf("offset %d, limit %d: expected 0 or more, and 1 or more", offset, limit))
	}
	// An empty include is left out of the request, and Chroma then sends documents and metadata. A get has no distances, so asking for
	// them makes Chroma read nothing else; asking for URIs makes Chroma 1.5.9 read the metadata.
	found, err := col.get(ctx, 0, v2.WithLimit(limit), v2.WithOffset(offset), v2.WithInclude(v2.IncludeDistances))
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(found))
	for i, m := range found {
		ids[i] = m.ID
	}
	return ids, nil
}
