package verify

import (
	"context"
	"errors"
	"time"

	"github.com/rowvec/rowvec/chroma"
)

// Index is the collection; *chroma.Collection is one.
type Index interface {
	// Get returns the metadata of the ids that exist.
	Get(ctx context.Context, ids []string) (map[string]map[string]any, error)
	// Records returns those of the ids that exist, whole.
	Records(ctx context.Context, ids []string) (map[string]chroma.Match, error)
	// IDs returns up to limit ids from offset on, in an order in which later records come later.
	IDs(ctx context.Context, offset, limit int) ([]string, error)
	// Count returns how many records there are.
	Count(ctx context.Context) (int, error)
	// Delete removes records.
	Delete(ctx context.Context, ids []string) error
}

// attempts is how often a call is made that fails with what waiting can cure: an operator looks on, who can see to an outage himself.
const attempts = 4

// patiently calls op again, with growing pauses, while its error says that waiting can cure it (a method Class that returns "retry",
// and a reason other than that the collection is missing).
func patiently[T any](ctx context.Context, op func(context.Context) (T, error)) (T, error) {
	pause := 250 * time.Millisecond
	for n := 1; ; n++ {
		v, err := op(ctx)
		if err == nil || n == attempts || !passing(err) || ctx.Err() != nil {
			return v, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return v, err
		}
		pause *= 4
	}
}

func passing(err error) bool {
	var class interface{ Class() string }
	var reason interface{ Reason() string }
	return errors.As(err, &class) && class.Class() == "retry" &&
		(!errors.As(err, &reason) || reason.Reason() != chroma.ReasonCollectionMissing)
}

// patient is an Index whose reads are called patiently.
type patient struct{ Index }

// Get is Index.Get.
func (p patient) Get(ctx context.Context, ids []string) (map[string]map[string]any, error) {
	return patiently(ctx, func(ctx context.Context) (map[string]map[string]any, error) { return p.Index.Get(ctx, ids) })
}

// Records is Index.Records.
func (p patient) Records(ctx context.Context, ids []string) (map[string]chroma.Match, error) {
	return patiently(ctx, func(ctx context.Context) (map[string]chroma.Match, error) { return p.Index.Records(ctx, ids) })
}

// IDs is Index.IDs.
func (p patient) IDs(ctx context.Context, offset, limit int) ([]string, error) {
	return patiently(ctx, func(ctx context.Context) ([]string, error) { return p.Index.IDs(ctx, offset, limit) })
}

// Count is Index.Count.
func (p patient) Count(ctx context.Context) (int, error) { return patiently(ctx, p.Index.Count) }
