package indexer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/document"
)

// breaking is an endpoint that answers 500 to requests with a text that has "bad" in it, while on says so.
func breaking(on func() bool) func(context.Context, []string) error {
	return func(_ context.Context, texts []string) error {
		if on() && slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, "bad") }) {
			return errOutage
		}
		return nil
	}
}

func always() bool { return true }

// failing is a switch that starts on.
func failing() *atomic.Bool {
	var on atomic.Bool
	on.Store(true)
	return &on
}

// asked counts requests since a time that hold a text with "bad" in it.
func (r *rig) asked(since time.Time) (n int) {
	for _, c := range r.embedder.seen() {
		if !c.at.Before(since) && slices.ContainsFunc(c.ids, func(text string) bool { return strings.Contains(text, "bad") }) {
			n++
		}
	}
	return n
}

func TestATextThatStallsHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(r *rig) { r.embedder.size, r.embedder.fault = 16, breaking(always) })
		release := r.plug()
		var good []*receipt
		bad := r.submit(upserted(1, 1, "bad"))[0]
		for i := range 15 {
			good = append(good, r.submit(upserted(2+i, 1, fmt.Sprint("good ", i)))...)
		}
		release()
		for _, p := range good {
			require.Equal(t, Indexed, p.outcome(t).Kind)
			require.Less(t, p.took(), 10*time.Second)
		}
		later := time.Now()
		<-time.After(time.Hour)
		require.False(t, bad.settled(), "never a dead letter, and never lost")
		require.Less(t, r.asked(later), 90, "about once a minute")
		c := r.table.Condition()
		require.Equal(t, Retrying, c.State)
		require.Contains(t, c.Cause, "row 1 of app.articles")
		require.Contains(t, c.Cause, errOutage.Error())
		require.Less(t, time.Hour-time.Since(c.Since), 10*time.Second, "not told anew by each attempt")

		fixed := r.submit(upserted(1, 2, "good"))[0]
		require.Equal(t, Indexed, fixed.outcome(t).Kind)
		require.Less(t, fixed.took(), time.Second, "a newer change ends the wait")
		require.Equal(t, Superseded, bad.outcome(t).Kind)
		<-time.After(4 * time.Second)
		require.Equal(t, Running, r.table.Condition().State)
	})
}

// More texts stall than there are batches, in different batches and alone.
func TestManyTextsThatStall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		on := failing()
		r := newRig(t, func(r *rig) { r.embedder.fault = breaking(on.Load) })
		require.Equal(t, Indexed, r.submit(upserted(99, 1, "a text that the endpoint takes"))[0].outcome(t).Kind)
		var bad []*receipt
		for i := range 12 {
			bad = append(bad, r.submit(upserted(i, 1, fmt.Sprint("bad ", i)))...)
		}
		<-time.After(time.Minute)
		for i := range 50 {
			p := r.submit(upserted(100+i, 1, fmt.Sprint("good ", i)))[0]
			require.Equal(t, Indexed, p.outcome(t).Kind)
			require.Less(t, p.took(), 2*time.Second)
		}
		require.Equal(t, Indexed, r.submit(upserted(3, 2, "good"))[0].outcome(t).Kind)
		require.Equal(t, Superseded, bad[3].outcome(t).Kind)
		on.Store(false)
		back := time.Now()
		for _, p := range slices.Delete(slices.Clone(bad), 3, 4) {
			require.Equal(t, Indexed, p.outcome(t).Kind)
		}
		require.LessOrEqual(t, time.Since(back), reviveMost+reviveLook, "the first is asked for within a minute, the others at once")
		require.Zero(t, r.shelved())
	})
}

// The same where the endpoint has taken nothing yet, as after a restart: then only a plain text vouches, and it takes minutes.
func TestManyTextsThatStallFromTheStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(r *rig) { r.batch.MaxRecords, r.embedder.fault = 64, breaking(always) })
		for i := range 30 {
			r.submit(upserted(i, 1, fmt.Sprint("bad ", i)))
		}
		good := r.submit(upserted(100, 1, "good"))[0]
		require.Equal(t, Indexed, good.outcome(t).Kind)
		require.Less(t, good.took(), 20*time.Minute)
		<-time.After(5 * time.Minute)
		require.Equal(t, 30, r.inLine())
	})
}

// A row whose text stalls gets changes that leave the text as it is: nothing is asked for them.
func TestAChangeBesideATextThatStallsAsksNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		on := failing()
		r := newRig(t, func(r *rig) { r.embedder.fault = breaking(on.Load) })
		var all []*receipt
		all = append(all, r.submit(upserted(1, 1, "bad"))...)
		<-time.After(10 * time.Minute)
		since := time.Now()
		for i := range 20 { // more than a batch holds
			all = append(all, r.submit(upserted(1, 2+i, "bad"))...)
		}
		<-time.After(30 * time.Second)
		require.LessOrEqual(t, r.asked(since), 2, "only what the rest is over for")
		require.Less(t, len(r.store.of("get")), 60, "a look for each change at most")
		on.Store(false)
		require.Equal(t, Indexed, all[20].outcome(t).Kind)
		for _, p := range all[:20] {
			require.Equal(t, Superseded, p.outcome(t).Kind)
		}
	})
}

// Of a document in chunks the others are embedded once, whatever becomes of the one that stalls.
func TestAChunkThatStalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		on := failing()
		r := newRig(t, func(r *rig) {
			r.spec.Chunk = &document.ChunkSpec{Tokens: 4}
			r.embedder.fault = breaking(on.Load)
		})
		p := r.submit(upserted(1, 1, "one two three four bad six seven eight"))[0]
		<-time.After(10 * time.Minute)
		require.False(t, p.settled())
		require.Equal(t, load{1, 100 + 2*4*len(vectorOf(""))}, r.shelved(), "with the vectors of its other chunks")
		on.Store(false)
		o := p.outcome(t)
		require.Equal(t, Indexed, o.Kind)
		require.Equal(t, o.Chunks, o.Texts)
		taken := map[string]int{}
		for _, c := range r.embedder.seen() {
			if !strings.Contains(strings.Join(c.ids, ","), "bad") {
				for _, text := range c.ids {
					taken[text]++
				}
			}
		}
		for i, e := range r.store.entries {
			if !strings.Contains(e.document, "bad") {
				require.Equal(t, 1, taken[e.document], i)
			}
		}
	})
}

// A text that stalled is refused in the end.
func TestATextThatStallsAndThenIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		broken := failing()
		r := newRig(t, func(r *rig) {
			r.embedder.fault = func(_ context.Context, texts []string) error {
				switch {
				case !slices.Contains(texts, "bad"):
					return nil
				case broken.Load():
					return errOutage
				default:
					return errRefuse
				}
			}
		})
		p := r.submit(upserted(1, 1, "bad"))[0]
		<-time.After(time.Minute)
		broken.Store(false)
		o := p.outcome(t)
		require.Equal(t, Poison, o.Kind)
		require.Equal(t, "bad_request", o.Reason)
		<-time.After(4 * time.Second)
		require.Zero(t, r.shelved())
		require.Equal(t, Running, r.table.Condition().State)
	})
}

// A drain waits for no answer to what has failed before.
func TestADrainBesideATextThatStalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(r *rig) {
			r.embedder.fault = func(ctx context.Context, texts []string) error {
				if !slices.Contains(texts, "slow") {
					return nil
				}
				if err := sleep(ctx, 30*time.Second); err != nil {
					return err
				}
				return errOutage
			}
		})
		p := r.submit(upserted(1, 1, "slow"))[0]
		<-time.After(10 * time.Minute)
		for r.embedder.busy() == 0 {
			<-time.After(time.Second)
		}
		began := time.Now()
		r.table.Drain(t.Context())
		require.Zero(t, time.Since(began))
		require.Equal(t, Interrupted, p.outcome(t).Kind)
	})
}
