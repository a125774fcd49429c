// Package credential is a secret that may be replaced while it is used: a key in a file that is written again.
package credential

import (
	"fmt"
	"slices"
	"sync"
)

// remembered is how many earlier values are told to accept: what was sent with them may still be answered, and cited.
const remembered = 8

// Credential is a secret as it is now. It is safe for concurrent use.
type Credential struct {
	source func() (string, error)
	accept func(value string, earlier []string) error

	mu      sync.Mutex
	value   string
	earlier []string // newest last
}

// New returns a credential whose first value the caller has accepted. source gives the value of the moment and is asked at each use; nil:
// it never changes. accept is told of each other value before it is used, with those used before it, newest last; its error, which must
// not cite the value, leaves the one in use.
func New(first string, source func() (string, error), accept func(value string, earlier []string) error) *Credential {
	return &Credential{value: first, source: source, accept: accept}
}

// Current returns the newest value that could be used. The error says why what the source has now cannot be; the value is good all the same.
func (c *Credential) Current() (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.source == nil {
		return c.value, nil
	}
	value, err := c.source()
	if err != nil {
		return c.value, fmt.Errorf("the last one read is used: %w", err)
	}
	if value == c.value {
		return value, nil
	}
	earlier := append(slices.DeleteFunc(slices.Clone(c.earlier), func(known string) bool { return known == value }), c.value)
	earlier = earlier[max(0, len(earlier)-remembered):]
	if err := c.accept(value, earlier); err != nil {
		return c.value, fmt.Errorf("the last one read is used: %w", err)
	}
	c.value, c.earlier = value, earlier
	return value, nil
}
