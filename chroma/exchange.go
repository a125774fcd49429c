package chroma

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Operations, as they appear in errors and observations.
const (
	opHeartbeat  = "heartbeat"
	opPreflight  = "preflight"
	opCollection = "collection"
	opGet        = "get"
	opAdd        = "add"
	opUpsert     = "upsert"
	opUpdate     = "update"
	opDelete     = "delete"
	opQuery      = "query"
	opCount      = "count"
	opAnnotate   = "annotate"
)

// maxAnswer bounds an answer in memory. A page of 5,461 records with 40 KB of metadata each fits.
const maxAnswer = 256 << 20

var errAnswerTooLarge = errors.New("the answer is larger than 256 MiB")

// exchange is the record of one HTTP request: the only thing that is classified.
type exchange struct {
	op, collection string
	records        int
	private        []string // texts of the request that must not appear in an error

	sent   bool
	status int
	header http.Header
	body   []byte
	err    error

	tokenErr error // the token that was sent is not what its source has now
}

type exchangeKey struct{}

// transport carries requests of chroma-go and records each into the exchange of its context. chroma-go itself gets a
// stand-in answer, since it would lose or refuse part of the real one.
type transport struct {
	base    http.RoundTripper
	secrets *secrets
}

// RoundTrip implements http.RoundTripper. The body is read whole here, so that an answer cut off in the middle is a
// network error: chroma-go takes it for an empty one.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ex, ok := req.Context().Value(exchangeKey{}).(*exchange)
	if !ok {
		return nil, errors.New("request outside of an operation")
	}
	req = req.Clone(req.Context())
	ex.tokenErr = t.secrets.sign(req.Header)
	ex.sent = true
	resp, err := t.base.RoundTrip(req)
	if err != nil {
		ex.err = err
		return nil, fmt.Errorf("%s: %w", ex.op, err)
	}
	defer func() { _ = resp.Body.Close() }()
	ex.status, ex.header = resp.StatusCode, resp.Header
	ex.body, ex.err = readAnswer(resp.Body)
	if ex.err != nil {
		return nil, fmt.Errorf("%s: %w", ex.op, ex.err)
	}
	answer := *resp
	answer.Body = io.NopCloser(bytes.NewReader(ex.standIn()))
	answer.ContentLength = -1
	if !ex.succeeded() {
		// chroma-go takes 204, 302 or 599 for success, and http.Client would follow a redirect and carry the token along.
		answer.StatusCode = http.StatusInternalServerError
	}
	return &answer, nil
}

// CloseIdleConnections lets Client.Close reach the connections.
func (t *transport) CloseIdleConnections() {
	if closer, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

func readAnswer(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if len(body) > maxAnswer {
		return nil, errAnswerTooLarge
	}
	return body, nil
}

// succeeded reports whether the status is that of what succeeded: Chroma says 200, and 201 to an add.
func (ex *exchange) succeeded() bool {
	return ex.status == http.StatusOK || ex.op == opAdd && ex.status == http.StatusCreated
}

// standIn is what chroma-go gets to read: the answer itself where it is small and harmless, else an empty one.
func (ex *exchange) standIn() []byte {
	switch {
	case !ex.succeeded():
		return []byte("{}")
	case ex.op == opHeartbeat:
		return []byte(`{"` + heartbeatKey + `":0}`) // our decoder looks whether it was there
	case ex.op == opPreflight:
		return limitsOnly(ex.body)
	case ex.op == opCount:
		return []byte("0")
	case ex.op == opCollection:
		return identity(ex.body)
	}
	return []byte("{}")
}

// identity keeps of a collection, database or tenant what chroma-go needs to address it. The rest (schema, embedding
// function) would make chroma-go build a local embedding function.
func identity(body []byte) []byte {
	var id struct {
		ID       string `json:"id"`
		Name     string `json:"name"`
		Tenant   string `json:"tenant"`
		Database string `json:"database"`
	}
	if json.Unmarshal(body, &id) != nil {
		return []byte("{}")
	}
	out, err := json.Marshal(id)
	if err != nil {
		return []byte("{}")
	}
	return out
}

// heartbeatKey is what Chroma says its time under.
const heartbeatKey = "nanosecond heartbeat"

// beats reports whether an answer is a heartbeat, and not that of some other server.
func beats(body []byte) bool {
	var answer map[string]any
	return json.Unmarshal(body, &answer) == nil && answer[heartbeatKey] != nil
}

// do makes one attempt: call sends at most one HTTP request, decode reads the body of a 200 answer.
func (c *Client) do(ctx context.Context, ex *exchange, call func(context.Context) error, decode func([]byte) error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("chroma %s %q: %w", ex.op, cut(ex.collection, maxName), err)
	}
	limited, cancel := context.WithTimeout(context.WithValue(ctx, exchangeKey{}, ex), c.timeout)
	defer cancel()
	start := time.Now()
	callErr := call(limited)
	err := c.classify(ctx, limited, ex, callErr)
	if err == nil {
		if decodeErr := decode(ex.body); decodeErr != nil {
			err = ex.fail(classRetry, ReasonBadResponse, unreadable(decodeErr), nil)
		}
	}
	if ex.sent && c.observe != nil {
		c.observe(Observation{Op: ex.op, Err: err, Code: ex.code(err), Duration: time.Since(start), Records: ex.records})
	}
	return err
}

// code is how the request ended, in a word for a metric: 200 for all that succeeded, an add too, as alerts count what is not.
func (ex *exchange) code(err error) string {
	told := (*Error)(nil)
	switch {
	case err != nil && !errors.As(err, &told):
		return "canceled"
	case told != nil && told.reason == ReasonTimeout && ex.err != nil:
		return "timeout"
	case told != nil && told.reason == ReasonBadResponse && ex.succeeded():
		return ReasonBadResponse
	case ex.status == 0 || ex.err != nil:
		return "network"
	case ex.succeeded():
		return strconv.Itoa(http.StatusOK)
	default:
		return strconv.Itoa(ex.status)
	}
}

// answerError says in fixed words what is wrong with an answer. Other decoding errors cite the answer, which may be a
// proxy's that repeats the request: they are not shown and not wrapped.
type answerError string

func (e answerError) Error() string { return string(e) }

func unreadable(err error) string {
	var known answerError
	if errors.As(err, &known) {
		return notChroma + " (" + known.Error() + ")"
	}
	return notChroma
}

// decodeObject accepts a JSON object that is no error.
func decodeObject(body []byte) error {
	var object struct {
		Error any `json:"error"`
	}
	if err := json.Unmarshal(body, &object); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	if object.Error != nil {
		return answerError("status 200 with an error")
	}
	return nil
}
