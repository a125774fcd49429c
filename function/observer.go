package function

import (
	"fmt"
	"time"

	"github.com/rowvec/rowvec/function/indexer"
	"github.com/rowvec/rowvec/function/instance"
)

// observer carries what the indexer tells into metrics and status.
type observer struct{ app *app }

// BatchTaken counts a batch's records.
func (o *observer) BatchTaken(_ string, records int) {
	o.app.metrics.batchRecords.Observe(float64(records))
}

// Settled counts a record's outcome and its freshness.
func (o *observer) Settled(table string, kind indexer.Kind, freshness, _ time.Duration) {
	o.app.metrics.settled(table, kind, freshness)
}

// InFlight follows how many records a table holds.
func (o *observer) InFlight(table string, delta int) {
	o.app.metrics.inFlight.WithLabelValues(table).Add(float64(delta))
}

// TextsSaved counts the texts that needed no embedding.
func (o *observer) TextsSaved(_ string, texts int) { o.app.metrics.textsSaved.Add(float64(texts)) }

// MetadataDropped counts the metadata values that Chroma cannot hold.
func (o *observer) MetadataDropped(table string, values int) {
	o.app.metrics.metadataDropped.WithLabelValues(table).Add(float64(values))
}

// TextTruncated counts the texts of which only the beginning was embedded.
func (o *observer) TextTruncated(table string) {
	o.app.metrics.textsTruncated.WithLabelValues(table).Inc()
}

// Condition shows a table's condition in `functions status` and in rowvec_state.
func (o *observer) Condition(table string, c indexer.Condition) {
	o.app.metrics.setState(table, c.State)
	text := ""
	if c.State != indexer.Running {
		text = string(c.State) + ": " + c.Cause
		o.app.conditions.RecordException(instance.SystemException, fmt.Errorf("table %s: %s", table, text))
	}
	o.app.conditions.SetCondition("table "+table, text)
}
