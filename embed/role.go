package embed

import (
	"encoding/json"
	"fmt"
	"maps"
	"sync/atomic"
	"time"
)

// accepted is how long a successful request vouches for the settings.
const accepted = time.Second

// role is one of the two uses of a model: texts that are stored, texts that are searched for.
type role struct {
	prefix   string
	size     size // of the prefix
	extra    map[string]any
	overhead int // bytes of a request's body beside the texts

	success atomic.Pointer[time.Time] // of the last request
}

func newRole(model, prefix string, extra map[string]any) (*role, error) {
	encoded, err := json.Marshal(extra)
	if err != nil {
		return nil, fmt.Errorf("encode extra fields: %w", err)
	}
	s := measure(prefix)
	s.tokens -= tokenMarks // the text has them
	s.bytes -= textOverhead
	return &role{
		prefix:   prefix,
		size:     s,
		extra:    maps.Clone(extra),
		overhead: bodyOverhead + measure(model).bytes + measure(string(encoded)).bytes,
	}, nil
}

// inputs puts the prefix before every text and estimates the tokens of all.
func (r *role) inputs(texts []string) (inputs []string, tokens int) {
	inputs = texts
	if r.prefix != "" {
		inputs = make([]string, len(texts))
	}
	for i, text := range texts {
		tokens += measure(text).plus(r.size).tokens
		inputs[i] = r.prefix + text
	}
	return inputs, tokens
}

// succeeded notes that the endpoint took a request with these settings.
func (r *role) succeeded() {
	now := time.Now()
	r.success.Store(&now)
}

// proven says whether it did so lately.
func (r *role) proven() bool {
	last := r.success.Load()
	return last != nil && time.Since(*last) < accepted
}
