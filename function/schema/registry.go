// Package schema asks a Pulsar broker's schema registry, through its admin interface, what the records of a topic are made of: the client
// library for messages gives a record's schema version, but not the schema (contract §6.7).
package schema

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/admin"
)

const (
	// maxKnown is how many schemas are kept. A topic has one, and one more for each change of its table's columns.
	maxKnown = 1024
	// versionBytes is the length of the versions that a broker assigns: a big-endian integer.
	versionBytes = 8
)

// Registry answers for schemas. What it has answered once it keeps: a version never changes. It is safe for concurrent use; a schema that
// several ask for at once is asked for once.
type Registry struct {
	admin *admin.Client

	mu     sync.Mutex // guards the rest
	known  map[key]*connector.Schema
	oldest []key                 // the keys of known, in the order of their coming
	asked  map[key]chan struct{} // closed when the question has ended, one way or the other
}

// key is a schema: a full topic name without its domain, and a version of it.
type key struct {
	topic   string
	version uint64
}

// New returns a registry behind an admin interface; nothing is reached yet. Call Close in the end.
func New(c admin.Config) (*Registry, error) {
	client, err := admin.New(c)
	if err != nil {
		return nil, err
	}
	return &Registry{admin: client, known: map[key]*connector.Schema{}, asked: map[key]chan struct{}{}}, nil
}

// Close gives back the connections.
func (r *Registry) Close() { r.admin.Close() }

// Schema returns what the registry says of a topic's schema version, as a message carries it; nil when the schema speaks of no row. It makes
// at most one attempt. Its errors are the context's, or an *Error.
func (r *Registry) Schema(ctx context.Context, topic string, version []byte) (*connector.Schema, error) {
	k, err := newKey(topic, version)
	if err != nil {
		return nil, err
	}
	for {
		s, known, pending := r.claim(k)
		if known {
			return s, nil
		}
		if pending == nil {
			return r.answer(ctx, k)
		}
		select {
		case <-pending:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func newKey(topic string, version []byte) (key, error) {
	_, name, ok := strings.Cut(topic, "://")
	if !ok {
		name = topic
	}
	if strings.Count(name, "/") < 2 {
		return key{}, &Error{class: classPoison, reason: ReasonBadVersion, detail: fmt.Sprintf("the topic %q is not tenant/namespace/name", topic)}
	}
	if len(version) != versionBytes {
		return key{}, &Error{
			topic: name, class: classPoison, reason: ReasonBadVersion,
			detail: fmt.Sprintf("expected a schema version of %d bytes, found %d", versionBytes, len(version)),
		}
	}
	return key{name, binary.BigEndian.Uint64(version)}, nil
}

// claim finds what is known. Else the caller waits for pending, or, when that is nil, has to ask.
func (r *Registry) claim(k key) (s *connector.Schema, known bool, pending <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s, known = r.known[k]; known {
		return s, true, nil
	}
	if pending, ok := r.asked[k]; ok {
		return nil, false, pending
	}
	r.asked[k] = make(chan struct{})
	return nil, false, nil
}

// answer asks, and lets those who wait look again.
func (r *Registry) answer(ctx context.Context, k key) (*connector.Schema, error) {
	s, err := r.ask(ctx, k)
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.asked[k])
	delete(r.asked, k)
	if err != nil {
		return nil, err
	}
	if len(r.oldest) == maxKnown {
		delete(r.known, r.oldest[0])
		r.oldest = r.oldest[1:]
	}
	r.known[k] = s
	r.oldest = append(r.oldest, k)
	return s, nil
}
