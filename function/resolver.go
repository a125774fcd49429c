package function

import (
	"context"
	"fmt"
	"time"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/admin"
	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/function/indexer"
	"github.com/rowvec/rowvec/function/instance"
	"github.com/rowvec/rowvec/function/schema"
)

// registry gives the schemas of topics; see schema.Registry.
type registry interface {
	Schema(ctx context.Context, topic string, version []byte) (*connector.Schema, error)
	Close()
}

// resolver gives a record the schema that the broker has for it. While the registry cannot be asked it waits in place: that holds up
// the input which needs the answer, and no other, and the status says why. A nil resolver, for a function without an admin URL, has no
// schemas: values stay what their JSON is.
type resolver struct {
	registry   registry
	conditions conditions
}

// newResolver returns nil where neither the settings nor the worker name an admin URL. Its errors are wrong settings.
func newResolver(c config.Pulsar, workers string, lookup Lookup, cond conditions) (*resolver, error) {
	address := c.AdminURL
	if address == "" {
		address = workers
	}
	if address == "" {
		return nil, nil //nolint:nilnil // documented
	}
	token := func() (string, error) { return c.Token.Resolve(lookup) }
	if _, err := token(); err != nil {
		return nil, fmt.Errorf("%s.pulsar.token: %w", config.Root, err)
	}
	roots, err := c.CAFile.Pool()
	if err != nil {
		return nil, fmt.Errorf("%s.pulsar.caFile: %w", config.Root, err)
	}
	r, err := schema.New(admin.Config{URL: address, TokenFrom: token, RootCAs: roots})
	if err != nil {
		return nil, fmt.Errorf("%s.pulsar.adminURL: %w", config.Root, err)
	}
	return &resolver{registry: r, conditions: cond}, nil
}

// close gives back the connections.
func (r *resolver) close() {
	if r != nil {
		r.registry.Close()
	}
}

// of returns what connector.Record.Schema asks; nil for a message without a schema.
func (r *resolver) of(ctx context.Context, d *instance.Delivery) func() (*connector.Schema, error) {
	if r == nil || len(d.SchemaVersion) == 0 {
		return nil
	}
	return func() (*connector.Schema, error) { return r.resolve(ctx, d.Topic, d.SchemaVersion) }
}

// resolve asks until there is an answer. Its error is that of ctx, or one that no waiting cures for this record.
func (r *resolver) resolve(ctx context.Context, topic string, version []byte) (*connector.Schema, error) {
	source, said := "schema of "+topic, ""
	defer func() {
		if said != "" {
			r.conditions.SetCondition(source, "")
		}
	}()
	for attempt := 1; ; attempt++ {
		s, err := r.registry.Schema(ctx, topic, version)
		if err == nil {
			return s, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		class := indexer.Classify(err)
		if class == indexer.ClassPoison {
			return nil, err
		}
		if text := schemaCondition(class, err); text != said {
			r.conditions.SetCondition(source, text)
			r.conditions.RecordException(instance.SystemException, err)
			said = text
		}
		if !sleep(ctx, indexer.Delay(err, attempt)) {
			return nil, ctx.Err()
		}
	}
}

func schemaCondition(class indexer.Class, err error) string {
	if class == indexer.ClassHalt {
		return "halted: " + err.Error()
	}
	return "retrying: " + err.Error()
}

// sleep returns false when ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
