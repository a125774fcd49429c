package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/rowvec/rowvec/gateway/access"
	"github.com/rowvec/rowvec/gateway/problem"
	"github.com/rowvec/rowvec/search"
)

// busyWait is when to ask again where nobody behind says.
const busyWait = time.Second

// problemOf turns what a question ended with into what its asker may know. where is what holds the question's fields: body, query, path.
// The whole error goes to the log.
func (g *Gateway) problemOf(ctx context.Context, where string, err error) error {
	var e *search.Error
	known := errors.As(err, &e)
	switch {
	case errors.Is(err, context.Canceled):
		return problem.New(http.StatusServiceUnavailable, "the request was given up")
	case !known && errors.Is(err, context.DeadlineExceeded):
		g.config.Log.WarnContext(ctx, "a question has no answer", "kind", search.Unavailable.String(), "reason", search.ReasonTimeout, "error", err)
		return problem.New(http.StatusGatewayTimeout, "no answer in time; ask again")
	case !known:
		g.config.Log.ErrorContext(ctx, "a question failed", "error", err)
		return problem.New(http.StatusInternalServerError, "something went wrong in the gateway; its log says what")
	}
	if e.Kind == search.Unavailable || e.Kind == search.Misconfigured {
		g.config.Log.WarnContext(ctx, "a question has no answer", "kind", e.Kind.String(), "service", e.Service, "reason", e.Reason(), "error", err)
	}
	return translate(where, e)
}

func translate(where string, e *search.Error) *problem.Problem {
	p := problem.New(status(e), e.Message)
	switch e.Kind {
	case search.Invalid:
		p.Errors = []problem.Detail{problem.At(where+"."+e.Field, e.Message)}
	case search.Unavailable:
		p.RetryAfter = max(e.RetryAfter(), busyWait)
	case search.NotFound, search.Misconfigured:
	}
	return p
}

func status(e *search.Error) int {
	switch e.Kind {
	case search.Invalid:
		return http.StatusBadRequest
	case search.NotFound:
		return http.StatusNotFound
	case search.Unavailable:
		if e.Reason() == search.ReasonTimeout {
			return http.StatusGatewayTimeout
		}
		return http.StatusServiceUnavailable
	default:
		return http.StatusBadGateway
	}
}

// decode reads JSON. The library's own error repeats a number that does not fit, however long.
func decode(data []byte, into any) error {
	err := json.Unmarshal(data, into)
	var unfit *json.UnmarshalTypeError
	if errors.As(err, &unfit) {
		kind, _, _ := strings.Cut(unfit.Value, " ")
		return fmt.Errorf("the %s that ends at byte %d does not fit here", kind, unfit.Offset)
	}
	return err //nolint:wrapcheck // it is shown to whoever sent the data
}

// ours makes a problem document of huma's own errors. They repeat what was sent, up to the whole body, which then stands in the logs of
// whoever keeps answers.
func ours(_ huma.Context, _ string, answer any) (any, error) {
	e, ok := answer.(*huma.ErrorModel)
	if !ok {
		return answer, nil
	}
	p := problem.New(e.Status, e.Detail)
	for _, d := range e.Errors {
		p.Errors = append(p.Errors, problem.At(d.Location, d.Message))
	}
	return p, nil
}

// describeProblems leaves out of the document what a problem of ours does not have.
func describeProblems(api huma.API) {
	schemas := api.OpenAPI().Components.Schemas.Map()
	for schema, properties := range map[string][]string{"ErrorModel": {"type", "instance"}, "ErrorDetail": {"value"}} {
		for _, property := range properties {
			delete(schemas[schema].Properties, property)
		}
	}
}

// allowed refuses a table that the request's token does not open, whether or not it exists.
func allowed(ctx context.Context, table string) error {
	if access.From(ctx).Allows(table) {
		return nil
	}
	return problem.New(http.StatusForbidden, "this token does not open the table")
}
