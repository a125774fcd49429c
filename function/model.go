package function

import (
	"context"
	"log/slog"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/function/document"
)

// markModel has the collection say with which model it is filled from now on: one that was made before this was done, or that is filled
// with another model now. Whoever searches it needs the same one. Nothing that is written depends on it, so a failure is told and no more.
func markModel(ctx context.Context, col *chroma.Collection, model string, log *slog.Logger) {
	before := col.Metadata()[document.KeyModel]
	if before == model {
		return
	}
	if err := col.Annotate(ctx, map[string]any{document.KeyModel: model}); err != nil {
		log.WarnContext(ctx, "cannot store the embedding model in the collection's metadata", "collection", col.Name(), "error", err)
		return
	}
	if before != nil {
		log.InfoContext(ctx, "the collection is filled with another embedding model from now on; rows get vectors of it as they change",
			"collection", col.Name(), "before", before, "model", model)
	}
}
