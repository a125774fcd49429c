package indexer

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

// lagging is a store that shows what it held some time ago.
type lagging struct {
	*fakeStore
	by time.Duration

	mu    sync.Mutex
	views []view
}

type view struct {
	at    time.Time
	metas map[string]map[string]any
}

func (l *lagging) Add(ctx context.Context, ids []string, vectors [][]float32, documents []string, metas []map[string]any) error {
	err := l.fakeStore.Add(ctx, ids, vectors, documents, metas)
	l.fakeStore.mu.Lock()
	defer l.fakeStore.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	v := view{time.Now(), map[string]map[string]any{}}
	for id, e := range l.entries {
		v.metas[id] = maps.Clone(e.meta)
	}
	l.views = append(l.views, v)
	return err
}

func (l *lagging) Get(ctx context.Context, ids []string) (map[string]map[string]any, error) {
	if _, err := l.fakeStore.Get(ctx, ids); err != nil {
		return nil, err
	}
	if err := sleep(ctx, 3*time.Millisecond); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	shown := map[string]map[string]any{}
	for _, v := range l.views {
		if time.Since(v.at) < l.by {
			continue
		}
		for _, id := range ids {
			if meta, is := v.metas[id]; is {
				shown[id] = meta
			}
		}
	}
	return shown, nil
}

// slowToShow starts a rig whose store lags.
func slowToShow(t *testing.T, by time.Duration) *rig {
	t.Helper()
	r := newRig(t, chunked)
	r.stop()
	l := &lagging{fakeStore: r.store, by: by}
	r.open = func(context.Context) (Store, error) { return l, nil }
	r.start()
	return r
}

// A row that never stands as it was written is tried at the pace of a back-off.
func TestAStoreThatShowsLateIsNotFlooded(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"few words", long} {
		synctest.Test(t, func(t *testing.T) {
			r := slowToShow(t, time.Second)
			c := upserted(1, 10, text)
			kinds(t, r.submit(c)) // stale, where it is shown at last before its own write is known to be done
			requireIndexIs(t, r, []*connector.Change{c})
			require.Less(t, len(r.store.ops()), 60)
			require.LessOrEqual(t, len(r.embedder.seen()), 2, "vectors are kept")
			<-time.After(time.Second)
			require.Equal(t, Running, r.table.Condition().State)
		})
	}
}

// A drain does not wait for one that would go on for ever, and the status tells of it.
func TestARowThatNeverStandsIsToldAndGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := slowToShow(t, 24*time.Hour)
		p := r.submit(upserted(1, 10, "few words"))[0]
		<-time.After(time.Hour)
		require.Less(t, len(r.store.ops()), 4*3600/4, "a pass in four seconds")
		c := r.table.Condition()
		require.Equal(t, Retrying, c.State)
		require.Contains(t, c.Cause, "row 1 of app.articles is not in the index as it was just written")
		require.Greater(t, time.Since(c.Since), 59*time.Minute, "one trouble, not one for each wait")
		began := time.Now()
		r.table.Drain(t.Context())
		require.Less(t, time.Since(began), time.Second)
		require.Equal(t, Interrupted, p.outcome(t).Kind)
	})
}

// A row that comes back because its newest change is poison has lost that one: it does not wait.
func TestARowOfManyPoisonChangesDoesNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(r *rig) {
			r.embedder.fault = func(_ context.Context, texts []string) error {
				if strings.HasPrefix(texts[0], "bad") {
					return errRefuse
				}
				return nil
			}
		})
		release := r.plug()
		all := []*receipt{}
		for i := range 2 * idlePasses {
			all = append(all, r.submit(upserted(1, 2+i, fmt.Sprint("bad ", i)))...)
		}
		good := r.submit(upserted(1, 1, "good"))[0]
		began := time.Now()
		release()
		require.Equal(t, Indexed, good.outcome(t).Kind)
		require.Less(t, time.Since(began), defaultBackoff().base)
		for _, p := range all {
			require.Equal(t, Poison, p.outcome(t).Kind)
		}
	})
}
