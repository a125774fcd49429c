package embedtest

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/embed"
)

// encodings asks for the same texts twice: as the client likes it, and through a transport that stands for an endpoint without base64.
func (s suite) encodings(t *testing.T) {
	t.Helper()
	liked, err := s.client(t).Embed(t.Context(), texts())
	require.NoError(t, err)
	plain := &noBase64{next: &http.Transport{}}
	t.Cleanup(plain.next.CloseIdleConnections)
	client := s.client(t, func(c *embed.Config) { c.Transport = plain })
	for range 2 {
		numbers, err := client.Embed(t.Context(), texts())
		require.NoError(t, err)
		for i := range numbers {
			require.Greater(t, Cosine(liked[i], numbers[i]), 0.999)
		}
	}
	require.EqualValues(t, 1, plain.refused.Load(), "the client remembers that base64 was refused")
	require.EqualValues(t, 2, plain.passed.Load())
}

// noBase64 refuses requests for base64 and passes on the others.
type noBase64 struct {
	next            *http.Transport
	refused, passed atomic.Int64
}

func (n *noBase64) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	_ = r.Body.Close()
	if bytes.Contains(body, []byte(`"encoding_format":"base64"`)) {
		n.refused.Add(1)
		return &http.Response{
			StatusCode: http.StatusBadRequest, Header: http.Header{}, Request: r,
			Body: io.NopCloser(strings.NewReader(`{"error":{"message":"encoding_format: only float"}}`)),
		}, nil
	}
	n.passed.Add(1)
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	return n.next.RoundTrip(again)
}
