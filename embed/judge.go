package embed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	openai "github.com/sashabaranov/go-openai"
)

// outcome is how a request ended, before anybody says what it means.
type outcome struct {
	exchange  *exchange
	err       error // of the OpenAI client
	callerErr error // of the caller's context
	timedOut  bool  // the client's own timeout, unless callerErr is set
	base64    bool  // the format that was asked for
}

// complete says whether an answer came with a status that promises vectors.
func (o outcome) complete() bool {
	return o.exchange.status >= 200 && o.exchange.status < 300
}

// code is the label of an Observation.
func (o outcome) code() string {
	switch {
	case o.err != nil && o.callerErr != nil:
		return "canceled"
	case o.err != nil && o.isTimeout():
		return "timeout"
	case o.exchange.status == 0:
		return "network"
	default:
		return strconv.Itoa(o.exchange.status)
	}
}

// isTimeout is true while no status came, or the body was not complete in time.
func (o outcome) isTimeout() bool {
	var network net.Error
	waiting := o.exchange.status == 0 || o.complete()
	return waiting && (o.timedOut || errors.As(o.err, &network) && network.Timeout())
}

// judge turns an outcome into vectors or a classified error. The caller's own context error passes through, with words around it.
func (c *Client) judge(o outcome, data []openai.Embedding, texts int) ([][]float32, error) {
	status := o.exchange.status
	switch {
	case o.err != nil && o.callerErr != nil:
		return nil, fmt.Errorf("request to the embedding endpoint %s: %w", c.endpoint, o.callerErr)
	case o.err != nil && o.isTimeout():
		return nil, c.failTimeout(o)
	case status == 0 && o.err != nil:
		return nil, c.failNetwork(o.err)
	case !o.complete():
		return nil, c.failStatus(o.exchange)
	case o.err != nil:
		return nil, c.failAnswer(o)
	}
	found, err := arrange(data, texts)
	if err != nil {
		return nil, c.fail(verdict{ClassRetry, ReasonMalformedAnswer}, status, err.Error()+said(o.exchange))
	}
	return c.judgeVectors(found, status)
}

// judgeVectors looks at the vectors themselves. A wrong dimension outweighs what else is wrong.
func (c *Client) judgeVectors(found *arrangement, status int) ([][]float32, error) {
	if found.dimensions > 0 {
		if err := c.dimension.check(found.dimensions); err != nil {
			return nil, c.fail(verdict{ClassHalt, ReasonDimensionMismatch}, status, err.Error())
		}
	}
	if found.bad > 0 {
		failure := c.fail(verdict{ClassPoison, ReasonBadVector}, status, found.fault.Error())
		failure.noneGood = found.bad == len(found.vectors)
		return nil, failure
	}
	return found.vectors, nil
}

// said is what an answer without vectors says of itself, if anything: some gateways report errors with status 200.
func said(x *exchange) string {
	var p problem
	p.read(x.head, maxProblemDepth)
	if p.message == "" {
		return ""
	}
	return ": " + p.message
}

// failTimeout reports the client's own timeout, or one of the network below it (connecting, TLS handshake), which is shorter.
func (c *Client) failTimeout(o outcome) *Error {
	text := fmt.Sprintf("no complete answer within %v (embedding.timeout)", c.timeout)
	if !o.timedOut {
		text = withoutURL(o.err).Error()
	}
	return c.fail(verdict{ClassRetry, ReasonTimeout}, o.exchange.status, text)
}

// withoutURL is what the HTTP client wraps: its own words repeat method and URL, which say nothing that the endpoint does not.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// failNetwork reports that there was no answer.
func (c *Client) failNetwork(err error) *Error {
	err = withoutURL(err)
	failure := c.fail(judgeNetwork(err), 0, err.Error())
	isContext := errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
	if text := err.Error(); !isContext && c.scrub.clean(text) == text {
		failure.cause = err
	}
	return failure
}

// failStatus reports an answer that has a status other than 2xx.
func (c *Client) failStatus(x *exchange) *Error {
	p := parseProblem(x.head)
	v := judgeCode(judgeStatus(x.status), x.status, p.codes)
	text := p.message
	if location := x.header.Get("Location"); v.reason == ReasonRedirect && location != "" {
		text = "redirects to " + showURL(location)
	}
	failure := c.fail(v, x.status, text)
	if v.reason == ReasonAuth && x.keyErr != nil {
		failure.text += "; what it names now cannot be used: " + c.scrub.message(x.keyErr.Error())
	}
	if v.class == ClassRetry {
		failure.retryAfter = retryAfter(x.header, time.Now())
	}
	return failure
}

// failAnswer reports a 2xx answer that could not be decoded: cut off, too large, not JSON, or of another form.
func (c *Client) failAnswer(o outcome) *Error {
	text := "not an answer with vectors"
	if o.exchange.bodyErr != nil {
		text = "incomplete answer: " + o.exchange.bodyErr.Error()
	}
	var form *json.UnmarshalTypeError
	numbers := o.base64 && errors.As(o.err, &form) && form.Value == "array"
	if numbers {
		text = "numbers instead of base64"
	}
	failure := c.fail(verdict{ClassRetry, ReasonMalformedAnswer}, o.exchange.status, text+": "+string(o.exchange.head))
	failure.numbers = numbers
	return failure
}

// fail makes the error that a user reads: where, what, and which setting to look at.
func (c *Client) fail(v verdict, status int, text string) *Error {
	where := fmt.Sprintf("embedding endpoint %s, model %q: ", c.endpoint, c.model)
	if status != 0 {
		where += strconv.Itoa(status)
		if name := http.StatusText(status); name != "" {
			where += " " + name
		}
		where += ": "
	}
	text = c.scrub.message(text)
	where += text
	if hint := advice(v.reason); hint != "" {
		where += " (" + hint + ")"
	}
	return &Error{class: v.class, reason: v.reason, status: status, text: where, said: text}
}
