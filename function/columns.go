package function

import (
	"fmt"

	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/function/indexer"
	"github.com/rowvec/rowvec/function/postgres"
)

// NewPostgres builds the reader of the source's tables; nil without postgres.url. Nothing is reached yet.
func NewPostgres(c config.Postgres, lookup Lookup) (*postgres.Reader, error) {
	url, err := c.URL.Resolve(lookup)
	if err != nil {
		return nil, fmt.Errorf("%s.postgres.url: %w", config.Root, err)
	}
	if url == "" {
		return nil, nil //nolint:nilnil // not set: not used
	}
	reader, err := postgres.Open(url, c.URL.Source())
	if err != nil {
		return nil, fmt.Errorf("%s.postgres.url: %w", config.Root, c.URL.Fault(err))
	}
	return reader, nil
}

// columnsOf keeps a nil reader from becoming an interface that is not nil.
func columnsOf(r *postgres.Reader) indexer.Columns {
	if r == nil {
		return nil
	}
	return r
}
