package function

import (
	"context"
	"log/slog"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/function/document"
)

// removeProbe takes away what a process left that died while it asked whether the collection takes writes. A failure is told and no more:
// rowvec passes over the record, and the next start is another chance.
func removeProbe(ctx context.Context, col *chroma.Collection, log *slog.Logger) {
	if err := col.Delete(ctx, []string{document.ProbeID}); err != nil {
		log.WarnContext(ctx, "cannot look for a probe that an earlier process may have left in the collection",
			"collection", col.Name(), "record", document.ProbeID, "error", err)
	}
}
