package schema

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rowvec/rowvec/connector"
)

// maxAnswer bounds an answer. A table of 1,600 columns makes a schema of half a megabyte.
const maxAnswer = 16 << 20

// answered is what Pulsar's admin interface says of a schema.
type answered struct {
	Type string `json:"type"`
	Data string `json:"data"`
}

// ask makes one attempt.
func (r *Registry) ask(ctx context.Context, k key) (*connector.Schema, error) {
	response, err := r.admin.Get(ctx, k.path()...)
	if err != nil {
		return nil, r.unreached(ctx, k, err)
	}
	defer func() { _ = response.Body.Close() }() // only read
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return nil, r.unreached(ctx, k, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, r.refused(k, response)
	}
	return r.parse(k, text)
}

// path is where a schema is found.
func (k key) path() []string {
	return append(append([]string{"admin", "v2", "schemas"}, strings.SplitN(k.topic, "/", 3)...), "schema", strconv.FormatUint(k.version, 10))
}

func (r *Registry) parse(k key, text []byte) (*connector.Schema, error) {
	if len(text) > maxAnswer {
		return nil, r.fail(k, classHalt, ReasonBadAnswer, fmt.Sprintf("the answer has more than %d bytes", maxAnswer), nil)
	}
	var a answered
	if err := json.Unmarshal(text, &a); err != nil || a.Type == "" {
		return nil, r.fail(k, classHalt, ReasonBadAnswer, "the answer is not that of a Pulsar broker; "+adviceURL, err)
	}
	s, err := connector.ParseSchema(a.Type, []byte(a.Data))
	if err != nil {
		return nil, r.fail(k, classHalt, ReasonBadAnswer, "not understood; "+adviceText, err)
	}
	return s, nil
}

// What an operator can change.
const (
	adviceURL   = "check userConfig.pulsar.adminURL"
	adviceToken = "check userConfig.pulsar.token" //nolint:gosec // a setting's name
	adviceText  = "to do without the registry, have the source send text (decimal.handling.mode: string) and leave userConfig.pulsar.adminURL out"
)

// unreached is no answer. The caller's own end passes as it is; the client's time limit does not.
func (r *Registry) unreached(ctx context.Context, k key, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // without the URL, which the message has already
	}
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		return r.fail(k, classRetry, ReasonTimeout, "no answer in time", nil)
	}
	return r.fail(k, classRetry, ReasonNetwork, "no answer", err)
}

// refused is an answer other than 200.
func (r *Registry) refused(k key, response *http.Response) error {
	e := r.fail(k, classHalt, ReasonRefused, "answered "+response.Status+"; "+adviceURL, nil)
	switch code := response.StatusCode; {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		e.reason, e.detail = ReasonUnauthorized, "answered "+response.Status+"; "+adviceToken
	case code == http.StatusNotFound:
		e.reason = ReasonMissing
		e.detail = "not there; " + adviceURL + ", or, where the schema was deleted: " + adviceText
	case code == http.StatusTooManyRequests || code == http.StatusRequestTimeout || code >= http.StatusInternalServerError:
		e.class, e.reason, e.detail = classRetry, ReasonUnavailable, "answered "+response.Status
		e.retryAfter = retryAfter(response.Header.Get("Retry-After"))
	}
	return e
}

func (r *Registry) fail(k key, class, reason, detail string, err error) *Error {
	return &Error{topic: k.topic, version: k.version, at: r.admin.Server(), class: class, reason: reason, detail: detail, err: err}
}

// retryAfter reads seconds; Pulsar's rate limiter sends no dates.
func retryAfter(text string) time.Duration {
	seconds, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, 10*time.Minute)
}
