package indexer

import (
	"log/slog"

	"github.com/rowvec/rowvec/function/document"
)

// dropped reports metadata that a row was written without: values that the index cannot hold, and values that no change carried since
// the row began. The log is told of the latter once for each key, because there may be as many as there are changes.
func (t *Table) dropped(rowID string, doc *document.Document) {
	if n := doc.Dropped + len(doc.Lost); n > 0 {
		t.observer.MetadataDropped(t.name, n)
	}
	for _, key := range doc.Lost {
		if _, told := t.lost.LoadOrStore(key, true); told {
			continue
		}
		t.log.Warn("rows are stored without a metadata value that the source left out and the index does not have; set postgres.url, or "+
			"REPLICA IDENTITY FULL on the table (connector/setup.sql does)",
			slog.String("table", t.name), slog.String("key", key), slog.String("row", rowID))
	}
}
