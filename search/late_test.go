package search_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/search"
)

// mute is a collection that gives no answer.
type mute struct{ *shelf }

func (mute) answer(ctx context.Context, op string) error {
	<-ctx.Done()
	return fmt.Errorf("chroma %s: %w", op, ctx.Err())
}

func (m mute) Nearest(ctx context.Context, _ chroma.Question) ([]chroma.Match, error) {
	return nil, m.answer(ctx, "query")
}

func (m mute) Records(ctx context.Context, _ []string) (map[string]chroma.Match, error) {
	return nil, m.answer(ctx, "get")
}

func (m mute) Vectors(ctx context.Context, _ []string) (map[string]chroma.Match, error) {
	return nil, m.answer(ctx, "get")
}

func (m mute) Count(ctx context.Context) (int, error) { return 0, m.answer(ctx, "count") }

// TestWhoWasSlowIsKnownToTheOperator: and to nobody else.
func TestWhoWasSlowIsKnownToTheOperator(t *testing.T) {
	t.Parallel()
	search1 := func(ctx context.Context, x *search.Index) (err error) { _, err = ask(ctx, x, "boots"); return err }
	for want, tt := range map[string]struct {
		service string
		hold    bool
		fail    error
		ask     func(ctx context.Context, x *search.Index) error
	}{
		"the embedding endpoint":                                          {search.Embedding, true, nil, search1},
		"context deadline exceeded: rate: Wait(n=1) would exceed":         {search.Embedding, false, fmt.Errorf("%w: rate: Wait(n=1) would exceed", context.DeadlineExceeded), search1},
		"search in collection c: chroma query: context deadline exceeded": {search.Chroma, false, nil, search1},
		"row of collection c: chroma get: context deadline exceeded": {search.Chroma, false, nil, func(ctx context.Context, x *search.Index) (err error) {
			_, err = x.Row(ctx, "", "1", false)
			return err
		}},
		"similar rows in collection c: chroma get: context deadline exceeded": {search.Chroma, false, nil, func(ctx context.Context, x *search.Index) (err error) {
			_, err = x.Similar(ctx, "", "1", 3)
			return err
		}},
		"count of collection c: chroma count: context deadline exceeded": {search.Chroma, false, nil, func(ctx context.Context, x *search.Index) (err error) { _, err = x.Count(ctx, "", false); return err }},
	} {
		synctest.Test(t, func(t *testing.T) {
			e := &embedder{asked: map[string]int{}, fail: tt.fail}
			if tt.hold {
				e.hold = make(chan struct{})
			}
			x := indexOver(mute{&shelf{}}, e, []string{"a.b"}, search.Options{Timeout: 5 * time.Second})
			defer x.Close()
			err := tt.ask(t.Context(), x)
			told := failureOf(t, err, search.Unavailable, search.ReasonTimeout)
			require.Equal(t, tt.service, told.Service)
			require.ErrorContains(t, err, want)
			require.NotContains(t, told.Message, "collection")
			require.NotContains(t, told.Message, "exceed")
		})
	}
}
