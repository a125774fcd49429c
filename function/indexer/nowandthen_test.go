package indexer

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// moody refuses what a bad one is part of, and now and then something else, but nothing twice without a reason.
type moody struct {
	mu   sync.Mutex
	rng  *rand.Rand
	bad  []string
	met  map[string]bool // was refused for no reason
	told int             // refusals for no reason
}

func newMoody(seed uint64, bad ...string) *moody {
	return &moody{rng: rand.New(rand.NewPCG(seed, 3)), bad: bad, met: map[string]bool{}}
}

func (m *moody) refuse(items []string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if slices.ContainsFunc(items, func(item string) bool { return slices.Contains(m.bad, item) }) {
		return errRefuse
	}
	if m.rng.IntN(3) > 0 || slices.ContainsFunc(items, func(item string) bool { return m.met[item] }) {
		return nil
	}
	for _, item := range items {
		m.met[item] = true
	}
	m.told++
	return errRefuse
}

// unfair is how often it refused for no reason.
func (m *moody) unfair() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.told
}

// writing refuses upserts as the mood is.
func (m *moody) writing(op string, ids []string) error {
	if !puts(op) {
		return nil
	}
	return m.refuse(ids)
}

// A proxy that refuses now and then condemns nobody, whether rows come one by one or together, and whoever is to be condemned beside them.
func TestARefusalNowAndThenCondemnsNobody(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		bad   []string
		place func(*rig, *moody)
	}{
		"endpoint": {[]string{"text 2", "text 12"}, func(r *rig, m *moody) {
			r.embedder.size = 4
			r.embedder.fault = func(_ context.Context, texts []string) error { return m.refuse(texts) }
		}},
		"index":      {[]string{"2", "12"}, func(r *rig, m *moody) { r.store.before = m.writing }},
		"tombstones": {nil, func(r *rig, m *moody) { r.stones.before = m.writing }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			unfair := 0
			for seed := range uint64(100) {
				synctest.Test(t, func(t *testing.T) {
					m := newMoody(seed, c.bad...)
					r := newRig(t, func(r *rig) { c.place(r, m) })
					for i := range 8 {
						requireKinds(t, r.changeOf(i), i, c.bad != nil)
					}
					release := r.plug()
					var together [][]*receipt
					for i := 10; i < 18; i++ {
						together = append(together, r.changeOf(i))
					}
					release()
					for i, receipts := range together {
						requireKinds(t, receipts, 10+i, c.bad != nil)
					}
					unfair += m.unfair()
				})
			}
			require.Greater(t, unfair, 100)
		})
	}
}

// changeOf writes a row, and deletes another.
func (r *rig) changeOf(i int) []*receipt {
	return r.submit(upserted(i, 1, fmt.Sprint("text ", i)), deleted(1000+i, 1))
}

func requireKinds(t *testing.T, receipts []*receipt, i int, bad bool) {
	t.Helper()
	want := []Kind{Indexed, Deleted}
	if bad && i%10 == 2 {
		want[0] = Poison
	}
	require.Equal(t, want, kinds(t, receipts), "row %d", i)
}

// A text is asked for again only where nothing else speaks against it.
func TestWhatACondemnedTextCosts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		texts []string
		asked [][]string
	}{
		"alone":            {[]string{"bad"}, [][]string{{"bad"}, {"bad"}, {plainText}}},
		"the last of some": {[]string{"a", "b", "c", "bad"}, [][]string{{"a", "b", "c", "bad"}, {"a", "b"}, {"c"}, {"bad"}, {plainText}}},
		"before another":   {[]string{"a", "b", "bad", "c"}, [][]string{{"a", "b", "bad", "c"}, {"a", "b"}, {"bad"}, {"bad"}, {plainText}, {"c"}}},
		"twice":            {[]string{"bad", "a", "bad 2"}, [][]string{{"bad", "a", "bad 2"}, {"bad"}, {"bad"}, {plainText}, {"a", "bad 2"}, {"a"}, {"bad 2"}, {plainText}}},
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

// A refusal may take its time, and another instance have the row meanwhile: what is sent again is fenced again.
func TestWhatIsSentAgainIsFencedAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stored bool // the row is there before
		put    string
	}{"a row": {true, opUpsert}, "a new row": {false, opAdd}, "a deletion": {false, ""}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				one := newRig(t)
				two := beside(t, one)
				slow, change, put := two.store, upserted(1, 2, "old"), c.put
				deletes := put == ""
				if deletes {
					slow, change, put = two.stones.fakeStore, deleted(1, 2), opUpsert
				}
				if c.stored {
					kinds(t, one.submit(upserted(1, 1, "older")))
				}
				refused := false
				slow.hold = holding(put, 1, 2*time.Second)
				slow.before = func(op string, _ []string) error { // called with the lock held
					if op == put && !refused {
						refused = true
						return errRefuse
					}
					return nil
				}
				p := two.submit(change)[0]
				<-time.After(time.Second)
				newer := upserted(1, 9, "new")
				if deletes {
					newer = deleted(1, 9)
				}
				kinds(t, one.submit(newer))
				require.Equal(t, Stale, p.outcome(t).Kind)
				require.True(t, refused)
				if deletes {
					require.Equal(t, []Kind{Stale}, kinds(t, one.submit(upserted(1, 5, "in between"))))
				}
				e, has := one.store.get("1")
				require.Equal(t, !deletes, has)
				require.True(t, deletes || e.document == "new")
				require.Len(t, slow.of(put), 1, "it is not sent again")
			})
		})
	}
}
