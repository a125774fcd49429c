package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// maxAnswer bounds what one question may bring: the ranges of acknowledged messages are the largest part of what rowvec asks for.
const maxAnswer = 64 << 20

// StatusError is an answer that is not 200.
type StatusError struct {
	Code   int    // of HTTP
	status string // with its words
}

func (e *StatusError) Error() string { return "it answered " + e.status }

// Missing reports whether there is no such thing as was asked for.
func (e *StatusError) Missing() bool { return e.Code == http.StatusNotFound }

// Denied reports whether the token gives no right to ask.
func (e *StatusError) Denied() bool {
	return e.Code == http.StatusUnauthorized || e.Code == http.StatusForbidden
}

// Read asks as Get does and decodes the answer, JSON of at most 64 MiB. Errors: *StatusError, Get's, or that the answer cannot be read.
func (c *Client) Read(ctx context.Context, into any, segments ...string) error {
	answer, err := c.Get(ctx, segments...)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }() // only read
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	switch {
	case err != nil:
		return fmt.Errorf("read its answer: %w", err)
	case answer.StatusCode != http.StatusOK:
		return &StatusError{Code: answer.StatusCode, status: answer.Status}
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("read its answer: %w", err)
	}
	return nil
}
