package indexer

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// nowAndThen refuses every seventh call, whatever it is of.
func nowAndThen() func() error {
	var calls atomic.Int64
	return func() error {
		if calls.Add(1)%7 == 0 {
			return errRefuse
		}
		return nil
	}
}

// A proxy that refuses now and then condemns nobody, whether rows come one by one or together.
func TestARefusalNowAndThenCondemnsNobody(t *testing.T) {
	t.Parallel()
	for name, flaky := range map[string]func(*rig){
		"endpoint": func(r *rig) {
			refuse := nowAndThen()
			r.embedder.size = 4
			r.embedder.fault = func(context.Context, []string) error { return refuse() }
		},
		"index": func(r *rig) {
			refuse := nowAndThen()
			r.store.before = func(op string, _ []string) error {
				if op != opUpsert {
					return nil
				}
				return refuse()
			}
		},
		"tombstones": func(r *rig) {
			refuse := nowAndThen()
			r.stones.before = func(op string, _ []string) error {
				if op != opUpsert {
					return nil
				}
				return refuse()
			}
		},
	} {
		for _, together := range []int{1, 4} {
			t.Run(fmt.Sprint(name, together), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					r := newRig(t, chunked, flaky)
					var receipts []*receipt
					for i := 0; i < 100; i += together {
						var some []*receipt
						for j := range together {
							some = append(some, r.submit(upserted(i+j, 1, fmt.Sprint("text ", i+j)), deleted(1000+i+j, 1))...)
						}
						kinds(t, some)
						receipts = append(receipts, some...)
					}
					for i, kind := range kinds(t, receipts) {
						require.Contains(t, []Kind{Indexed, Deleted}, kind, "change %d", i)
					}
				})
			})
		}
	}
}

// A text is asked for again only where nothing else speaks against it.
func TestWhatACondemnedTextCosts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		texts []string
		asked [][]string
	}{
		"alone":       {[]string{"bad"}, [][]string{{"bad"}, {"bad"}, {plainText}}},
		"with others": {[]string{"a", "b", "bad", "c"}, [][]string{{"a", "b", "bad", "c"}, {"a", "b"}, {"bad"}, {plainText}, {"c"}}},
		"twice":       {[]string{"a", "bad", "bad 2"}, [][]string{{"a", "bad", "bad 2"}, {"a"}, {"bad"}, {plainText}, {"bad 2"}, {"bad 2"}, {plainText}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(r *rig) {
					r.embedder.size = 4
					r.embedder.fault = refusing(errRefuse, "bad", "bad 2")
				})
				release := r.plug()
				var receipts []*receipt
				for i, text := range c.texts {
					receipts = append(receipts, r.submit(upserted(i, 1, text))...)
				}
				before := len(r.embedder.seen())
				release()
				kinds(t, receipts)
				var asked [][]string
				for _, call := range r.embedder.seen()[before:] {
					asked = append(asked, slices.Clone(call.ids))
				}
				require.Equal(t, c.asked, asked)
			})
		})
	}
}
