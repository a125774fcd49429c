package embedtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// Request is one request as the server received it.
type Request struct {
	N          int // counts from 1, in order of arrival
	Texts      []string
	Model      string
	Encoding   string         // "base64", "float" or empty
	Dimensions int            // as the answer will have them
	Fields     map[string]any // the whole body
	Header     http.Header
	Path       string // with the query
	Remote     string // the address of the client: the same on one connection

	ctx context.Context // ends when the client goes away or the server closes
}

// parse reads a body. Input is a text or a list of texts, as in OpenAI's API.
func (r *Request) parse(body []byte) error {
	if err := json.Unmarshal(body, &r.Fields); err != nil {
		return fmt.Errorf("the body is not a JSON object: %w", err)
	}
	switch input := r.Fields["input"].(type) {
	case string:
		r.Texts = []string{input}
	case []any:
		for _, item := range input {
			text, ok := item.(string)
			if !ok {
				return errors.New("'input' must be a text or a list of texts")
			}
			r.Texts = append(r.Texts, text)
		}
	}
	if len(r.Texts) == 0 {
		return errors.New("'input' must not be empty")
	}
	r.Model, _ = r.Fields["model"].(string)
	r.Encoding, _ = r.Fields["encoding_format"].(string)
	if asked, ok := r.Fields["dimensions"].(float64); ok && asked > 0 {
		r.Dimensions = int(asked)
	}
	return nil
}

// Vectors are the right ones for this request.
func (r *Request) Vectors() [][]float32 {
	vectors := make([][]float32, len(r.Texts))
	for i, text := range r.Texts {
		vectors[i] = Vector(text, r.Dimensions)
	}
	return vectors
}
