package chroma

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const notChroma = "the answer is not that of a Chroma server: check chroma.url"

// verdict is class and reason of a status.
type verdict struct{ class, reason string }

// verdictOf is the table of statuses. 404 depends on what was asked and is refined by the callers.
func verdictOf(status int) verdict {
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return verdict{classPoison, ReasonInvalidRequest}
	case http.StatusRequestEntityTooLarge:
		return verdict{classPoison, ReasonTooLarge}
	case http.StatusUnauthorized, http.StatusProxyAuthRequired:
		return verdict{classHalt, ReasonUnauthorized}
	case http.StatusPaymentRequired, http.StatusForbidden:
		return verdict{classHalt, ReasonForbidden}
	case http.StatusNotFound:
		return verdict{classHalt, ReasonNotFound}
	case http.StatusRequestTimeout:
		return verdict{classRetry, ReasonTimeout}
	case http.StatusConflict:
		return verdict{classRetry, ReasonConflict}
	case http.StatusTooManyRequests:
		return verdict{classRetry, ReasonRateLimited}
	case http.StatusLocked, http.StatusFailedDependency, http.StatusTooEarly, http.StatusMisdirectedRequest, 499: // nginx: the client was gone
		return verdict{classRetry, ReasonUnavailable}
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported, http.StatusVariantAlsoNegotiates, http.StatusNotExtended:
		return verdict{classHalt, ReasonRefused} // 501, 505, 506, 510: another server than rowvec speaks to
	}
	switch {
	case status >= 500:
		return verdict{classRetry, ReasonUnavailable}
	case status >= 400:
		return verdict{classHalt, ReasonRefused}
	case status >= 300:
		return verdict{classHalt, ReasonRedirect}
	}
	// Of what succeeded (exchange.succeeded) nothing comes here.
	return verdict{classRetry, ReasonBadResponse}
}

// classify turns the record of a request into nil, the caller's context error, or an *Error.
func (c *Client) classify(caller, limited context.Context, ex *exchange, callErr error) error {
	switch {
	case ex.err == nil && ex.succeeded() && callErr == nil:
		return nil
	case caller.Err() != nil:
		return &interrupted{op: ex.op, collection: ex.collection, err: caller.Err()}
	case ex.err != nil && limited.Err() != nil:
		return ex.fail(classRetry, ReasonTimeout, "no answer within "+c.timeout.String(), nil)
	case errors.Is(ex.err, errAnswerTooLarge):
		return ex.fail(classRetry, ReasonBadResponse, "", ex.err)
	case ex.err != nil:
		return c.classifyNetwork(ex)
	case !ex.sent:
		return ex.fail(classPoison, ReasonInvalidArguments, "chroma-go refused to send the request", nil)
	case ex.succeeded():
		return ex.fail(classRetry, ReasonBadResponse, notChroma, nil)
	}
	v := verdictOf(ex.status)
	if v.class == classPoison && !carriesRecord(ex.op) {
		// Nothing of a record is in the request, so no record is at fault: a proxy, a quota, a server that is not Chroma.
		v.class = classHalt
		if v.reason == ReasonInvalidRequest {
			v.reason = ReasonRefused
		}
	}
	e := ex.fail(v.class, v.reason, c.detail(ex), nil)
	if v.class == classRetry {
		e.retryAfter = retryAfter(ex.header.Get("Retry-After"), time.Now())
	}
	return e
}

// classifyNetwork is the table of errors without an answer. Waiting cures most of them, a name that nobody knows, too: a service that is made
// anew has none for a while.
func (c *Client) classifyNetwork(ex *exchange) *Error {
	detail := c.scrub(ex, networkDetail(ex.err))
	var (
		untrusted *tls.CertificateVerificationError
		record    tls.RecordHeaderError
	)
	switch {
	case errors.As(ex.err, &untrusted):
		return ex.fail(classHalt, ReasonCertificate, "check chroma.caFile and the host in chroma.url ("+detail+")", ex.err)
	case errors.As(ex.err, &record) && string(record.RecordHeader[:]) == "HTTP/":
		return ex.fail(classHalt, ReasonInvalidSetting, "chroma.url says https, and the server speaks http", ex.err)
	}
	return ex.fail(classRetry, ReasonNetwork, detail, ex.err)
}

// carriesRecord reports whether a refusal of the operation may be due to what the caller put into it.
func carriesRecord(op string) bool {
	return op == opAdd || op == opUpsert || op == opUpdate || op == opQuery
}

// fail builds the error of this exchange.
func (ex *exchange) fail(class, reason, detail string, err error) *Error {
	return &Error{
		Op: ex.op, Collection: ex.collection, class: class, reason: reason, detail: detail, status: ex.status, err: err,
	}
}

// detail is the message of Chroma's error body, as far as it may be shown. Only that: what a proxy says may echo anything.
func (c *Client) detail(ex *exchange) string {
	advice := map[int]string{
		http.StatusUnauthorized: "check chroma.token", http.StatusForbidden: "check chroma.token and its rights",
	}[ex.status]
	if advice != "" && ex.tokenErr != nil {
		advice += ", what it names now cannot be used: " + ex.tokenErr.Error()
	}
	if ex.status >= 300 && ex.status < 400 {
		advice = "redirects are not followed: set chroma.url to the address that answers itself"
	}
	var answer struct {
		Error   string `json:"error"`
		Message string `json:"message"`
	}
	if len(ex.body) > 1<<20 || json.Unmarshal(ex.body, &answer) != nil {
		return advice
	}
	said := c.scrub(ex, answer.Message)
	if advice != "" && said != "" {
		return advice + " (" + said + ")"
	}
	return advice + said
}

// maxRetryAfter keeps a wrong clock on the other side from stopping a table for years.
const maxRetryAfter = time.Hour

// retryAfter reads the header's two forms: seconds, and a date. Nonsense and the past are 0; more than an hour is an hour.
func retryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if seconds, err := strconv.ParseInt(header, 10, 32); err == nil {
		return min(maxRetryAfter, time.Duration(max(0, seconds))*time.Second)
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return min(maxRetryAfter, max(0, at.Sub(now)))
}

// interrupted carries the caller's context error; it has no class on purpose.
type interrupted struct {
	op, collection string
	err            error
}

func (e *interrupted) Error() string {
	return "chroma " + e.op + " " + strconv.Quote(cut(e.collection, maxName)) + ": " + e.err.Error()
}

func (e *interrupted) Unwrap() error { return e.err }
