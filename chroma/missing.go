package chroma

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	v2 "github.com/amikos-tech/chroma-go/pkg/api/v2"
)

// explain refines the failure of an operation on a known collection. Chroma says "not found" and "wrong dimension" in words
// only, so the status and a second look at the server decide. dimensions is that of the vectors sent; 0 when none were.
func (col *Collection) explain(ctx context.Context, err error, dimensions int) error {
	var failed *Error
	if !errors.As(err, &failed) {
		return err
	}
	switch {
	case failed.status == http.StatusNotFound:
		col.client.forget(col)
		failed.class, failed.reason = classRetry, ReasonCollectionMissing
		failed.detail = "the collection was removed on the server"
	case failed.reason == ReasonInvalidRequest:
		return col.lookAgain(ctx, failed, dimensions)
	}
	return failed
}

// lookAgain asks the server for the collection, and its dimension, after it refused records. When it cannot be asked, that is
// the failure to report: calling good records poison would lose them.
func (col *Collection) lookAgain(ctx context.Context, refused *Error, dimensions int) error {
	var about described
	err := col.client.do(ctx, col.exchange(opCollection, 0), func(ctx context.Context) error {
		_, err := col.client.api.GetCollection(ctx, col.name, v2.WithEmbeddingFunctionGet(refuser{}))
		return err //nolint:wrapcheck // only the exchange is classified
	}, about.decode)
	var failed *Error
	switch {
	case errors.As(err, &failed) && failed.status == http.StatusNotFound:
		return col.explain(ctx, failed, 0)
	case err != nil:
		return err
	case dimensions == 0 || about.dimensions() == 0 || about.dimensions() == dimensions:
		return refused
	}
	col.client.forget(col)
	refused.class, refused.reason = classHalt, ReasonDimensionMismatch
	refused.detail, refused.dimensions = dimensionAdvice(dimensions, about.dimensions()), about.dimensions()
	return refused
}

// locate refines the failure of opening a collection: Chroma answers 400 or 404 alike when tenant or database are missing.
func (c *Client) locate(ctx context.Context, err error) error {
	var failed *Error
	if !errors.As(err, &failed) {
		return err
	}
	switch failed.status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusNotFound:
	default:
		return err
	}
	missing, lookupErr := c.missing(ctx, failed.Collection)
	switch {
	case lookupErr != nil:
		return lookupErr
	case missing != nil:
		missing.status = failed.status
		return missing
	case failed.status == http.StatusNotFound:
		failed.class, failed.reason = classRetry, ReasonCollectionMissing
		failed.detail = "the collection does not exist"
	default:
		failed.class, failed.reason = classHalt, ReasonInvalidSetting
	}
	return failed
}

// missing asks whether database and tenant exist and says what to do when one does not.
func (c *Client) missing(ctx context.Context, collection string) (*Error, error) {
	halt := func(reason, detail string) *Error {
		return &Error{Op: opCollection, Collection: collection, class: classHalt, reason: reason, detail: detail}
	}
	tenant, database := c.database.Tenant().Name(), c.database.Name()
	found, err := c.exists(ctx, collection, func(ctx context.Context) error {
		_, err := c.api.GetDatabase(ctx, c.database)
		return err //nolint:wrapcheck // only the exchange is classified
	})
	if found || err != nil {
		return nil, err
	}
	found, err = c.exists(ctx, collection, func(ctx context.Context) error {
		_, err := c.api.GetTenant(ctx, c.database.Tenant())
		return err //nolint:wrapcheck // only the exchange is classified
	})
	switch {
	case err != nil:
		return nil, err
	case found:
		return halt(ReasonDatabaseMissing, fmt.Sprintf("chroma.database: tenant %q has no database %q: create it "+
			"(POST /api/v2/tenants/%s/databases) or set another", tenant, database, tenant)), nil
	}
	return halt(ReasonTenantMissing, fmt.Sprintf("chroma.tenant: %q not found: create it (POST /api/v2/tenants), "+
		"set another, or check that chroma.url is a Chroma server", tenant)), nil
}

func (c *Client) exists(ctx context.Context, collection string, get func(context.Context) error) (bool, error) {
	err := c.do(ctx, &exchange{op: opCollection, collection: collection}, get, decodeObject)
	var failed *Error
	if errors.As(err, &failed) && failed.status == http.StatusNotFound {
		return false, nil
	}
	return err == nil, err
}
