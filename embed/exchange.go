package embed

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/rowvec/rowvec/credential"
)

const (
	maxHead  = 64 << 10 // bytes of an answer kept for an error message
	maxDrain = 64 << 10 // bytes read after the JSON value, so that the connection can be used again
)

var errAnswerTooLarge = errors.New("the answer is larger than these vectors can be")

// exchange is what the OpenAI client does not hand out: the status and headers of an answer, also of a failed one, and how its body
// begins. It travels in the request's context and belongs to one request.
type exchange struct {
	limit   int64 // bytes of the answer's body that are read
	status  int   // 0: no answer
	header  http.Header
	head    []byte
	bodyErr error // reading the body failed
	keyErr  error // the key that was sent is not what its source has now
}

type exchangeKey struct{}

func withExchange(ctx context.Context, x *exchange) context.Context {
	return context.WithValue(ctx, exchangeKey{}, x)
}

// carrier is the transport under the OpenAI client. It fills the exchange, bounds the answer, and adds the key and the parts of the base URL
// that are secret: above it nothing knows them, so no error text of the HTTP client can show them.
type carrier struct {
	next  http.RoundTripper
	key   *credential.Credential
	user  *url.Userinfo
	query string
}

// RoundTrip sends the request once.
func (c *carrier) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.URL.RawQuery = c.query
	key, keyErr := c.key.Current()
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	} else if c.user != nil {
		password, _ := c.user.Password()
		request.SetBasicAuth(c.user.Username(), password)
	}
	response, err := c.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	if x, ok := request.Context().Value(exchangeKey{}).(*exchange); ok {
		x.status, x.header, x.keyErr = response.StatusCode, response.Header, keyErr
		response.Body = &answerBody{exchange: x, body: response.Body, left: x.limit}
	}
	return response, nil
}

// CloseIdleConnections is what http.Client.CloseIdleConnections looks for.
func (c *carrier) CloseIdleConnections() {
	if next, ok := c.next.(interface{ CloseIdleConnections() }); ok {
		next.CloseIdleConnections()
	}
}

// answerBody reads an answer up to a limit and remembers how it began and how it ended.
type answerBody struct {
	exchange *exchange
	body     io.ReadCloser
	left     int64
}

func (b *answerBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		b.exchange.bodyErr = errAnswerTooLarge
		return 0, errAnswerTooLarge
	}
	n, err := b.body.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	x := b.exchange
	x.head = append(x.head, p[:min(n, maxHead-len(x.head))]...)
	if err != nil && !errors.Is(err, io.EOF) {
		x.bodyErr = err
	}
	return n, err
}

func (b *answerBody) Close() error {
	// A connection is kept only when its answer was read to the end, and a JSON decoder stops before it. What fails here matters to nobody.
	_, _ = io.CopyN(io.Discard, b.body, min(maxDrain, b.left))
	return b.body.Close()
}
