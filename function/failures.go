package function

import (
	"context"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/embed"
	"github.com/rowvec/rowvec/function/indexer"
	"github.com/rowvec/rowvec/function/postgres"
)

// service is who was asked: the label of rowvec_failures_total.
type service string

const (
	serviceEmbedding service = "embedding"
	serviceChroma    service = "chroma"
	servicePostgres  service = "postgres"
)

// failed counts an attempt that failed, by its class; nil is none.
func (m *metrics) failed(by service, err error) {
	if err != nil {
		m.failures.WithLabelValues(string(by), string(indexer.Classify(err))).Inc()
	}
}

// zeroFailures has every series there from the start, so that the first failure is a rise.
func (m *metrics) zeroFailures() {
	for _, by := range []service{serviceEmbedding, serviceChroma, servicePostgres} {
		for _, class := range []indexer.Class{indexer.ClassRetry, indexer.ClassPoison, indexer.ClassHalt, indexer.ClassInterrupted} {
			m.failures.WithLabelValues(string(by), string(class))
		}
	}
}

// countedEndpoint counts what the embedding endpoint fails at.
type countedEndpoint struct {
	*embed.Client

	metrics *metrics
}

// Embed is the client's.
func (c countedEndpoint) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	vectors, err := c.Client.Embed(ctx, texts)
	c.metrics.failed(serviceEmbedding, err)
	return vectors, err //nolint:wrapcheck // passed on
}

// countedColumns counts what the source's database fails at.
type countedColumns struct {
	*postgres.Reader

	metrics *metrics
}

// Fetch is the reader's.
func (c countedColumns) Fetch(ctx context.Context, change *connector.Change, key []connector.Column, columns []string) (row connector.Row, found bool, err error) {
	row, found, err = c.Reader.Fetch(ctx, change, key, columns)
	c.metrics.failed(servicePostgres, err)
	return row, found, err //nolint:wrapcheck // passed on
}
