package indexer

import (
	"context"
	"fmt"
	"slices"
	"strings"
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
		<-time.After(2 * time.Second)
		require.Equal(t, Running, r.table.Condition().State)
	})
}

// More texts stall than there are batches, in different batches and alone.
func TestManyTextsThatStall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		on := true
		r := newRig(t, func(r *rig) { r.embedder.fault = breaking(func() bool { return on }) })
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
		on = false
		back := time.Now()
		for _, p := range slices.Delete(slices.Clone(bad), 3, 4) {
			require.Equal(t, Indexed, p.outcome(t).Kind)
		}
		require.LessOrEqual(t, time.Since(back), reviveMost+reviveLook, "the first is asked for within a minute, the others at once")
		require.Zero(t, r.table.queue.shelved)
	})
}

// In an outage nothing stalls: one request tries per step, and everything is there soon after.
func TestAnOutageStallsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		down := false
		r := newRig(t, func(r *rig) {
			r.embedder.fault = func(context.Context, []string) error {
				if down {
					return errOutage
				}
				return nil
			}
		})
		down = true
		var all []*receipt
		for i := range 20 {
			all = append(all, r.submit(upserted(i, 1, fmt.Sprint("text ", i)))...)
		}
		<-time.After(time.Minute)
		settling := time.Now()
		<-time.After(10 * time.Minute)
		require.Empty(t, r.table.aside.stalled)
		require.LessOrEqual(t, len(r.embedder.seen())-len(r.before(settling)), 600/4*2, "a step is 4 s on average; at random")
		down = false
		back := time.Now()
		for _, p := range all {
			require.Equal(t, Indexed, p.outcome(t).Kind)
		}
		require.Less(t, time.Since(back), 9*time.Second)
		require.LessOrEqual(t, len(r.embedder.seen())-len(r.before(back)), 3*6, "a plain text for each request, and none is halved")
	})
}

func (r *rig) before(at time.Time) (calls []call) {
	for _, c := range r.embedder.seen() {
		if c.at.Before(at) {
			calls = append(calls, c)
		}
	}
	return calls
}

// An endpoint that has only strength for small texts for an hour condemns none.
func TestABrownOutThatTakesSmallTextsOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		weak := true
		r := newRig(t, func(r *rig) {
			r.embedder.fault = func(_ context.Context, texts []string) error {
				if weak && len(strings.Join(texts, "")) > 20 {
					return errOutage
				}
				return nil
			}
		})
		var all []*receipt
		for i := range 20 {
			all = append(all, r.submit(upserted(i, 1, fmt.Sprintf("a text of more than %d letters", 20+i)))...)
		}
		<-time.After(time.Hour)
		for _, p := range all {
			require.False(t, p.settled())
		}
		weak = false
		back := time.Now()
		for _, p := range all {
			require.Equal(t, Indexed, p.outcome(t).Kind)
		}
		require.LessOrEqual(t, time.Since(back), reviveMost+reviveLook)
	})
}

// What asks too much is told so with 429, and is no fault of the texts.
func TestALimitStallsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, limit := range []error{limited{errOutage}, faulty{class: ClassRetry, reason: "rate_limited", after: time.Second}} {
			r := newRig(t, func(r *rig) { r.embedder.fault = refusing(limit, "a") })
			r.submit(upserted(1, 1, "a"))
			<-time.After(10 * time.Minute)
			require.Empty(t, r.table.aside.stalled)
			for _, c := range r.embedder.seen() {
				require.Equal(t, []string{"a"}, c.ids, "no plain text either")
			}
			r.stop()
		}
	})
}

// limited is a 429 that does not say when to come again.
type limited struct{ faulty }

func (limited) Status() int { return 429 }

// A row whose text stalls gets changes that leave the text as it is: nothing is asked for them.
func TestAChangeBesideATextThatStallsAsksNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		on := true
		r := newRig(t, func(r *rig) { r.embedder.fault = breaking(func() bool { return on }) })
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
		on = false
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
		on := true
		r := newRig(t, func(r *rig) {
			r.spec.Chunk = &document.ChunkSpec{Tokens: 4}
			r.embedder.fault = breaking(func() bool { return on })
		})
		p := r.submit(upserted(1, 1, "one two three four bad six seven eight"))[0]
		<-time.After(10 * time.Minute)
		require.False(t, p.settled())
		on = false
		o := p.outcome(t)
		require.Equal(t, Indexed, o.Kind)
		require.Equal(t, o.Chunks, o.Texts)
		taken := map[string]int{}
		for _, c := range r.embedder.seen() {
			if !slices.ContainsFunc(c.ids, func(text string) bool { return strings.Contains(text, "bad") }) {
				for _, text := range c.ids {
					taken[text]++
				}
			}
		}
		delete(taken, plainText)
		require.Len(t, taken, o.Chunks-1)
		for text, n := range taken {
			require.Equal(t, 1, n, text)
		}
	})
}

// A text that stalled is refused in the end.
func TestATextThatStallsAndThenIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var answer error = errOutage
		r := newRig(t, func(r *rig) {
			r.embedder.fault = func(_ context.Context, texts []string) error {
				if slices.Contains(texts, "bad") {
					return answer
				}
				return nil
			}
		})
		p := r.submit(upserted(1, 1, "bad"))[0]
		<-time.After(time.Minute)
		answer = errRefuse
		o := p.outcome(t)
		require.Equal(t, Poison, o.Kind)
		require.Equal(t, "bad_request", o.Reason)
		<-time.After(2 * time.Second)
		require.Zero(t, r.table.queue.shelved)
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
		asked := func() bool {
			r.embedder.mu.Lock()
			defer r.embedder.mu.Unlock()
			return r.embedder.active > 0
		}
		<-time.After(10 * time.Minute)
		for !asked() {
			<-time.After(time.Second)
		}
		began := time.Now()
		r.table.Drain(t.Context())
		require.Zero(t, time.Since(began))
		require.Equal(t, Interrupted, p.outcome(t).Kind)
	})
}

// What stalls is bounded as what waits is: then no more comes in, until the endpoint takes it.
func TestTextsThatStallAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		on := true
		r := newRig(t, func(r *rig) { r.embedder.fault = breaking(func() bool { return on }) })
		var all []*receipt
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Hour)
		defer cancel()
		for i := range 200 {
			rec, p := record(upserted(i, 1, fmt.Sprint("bad ", i)), 100)
			if err := r.table.Submit(ctx, rec); err != nil {
				break
			}
			all = append(all, p)
		}
		require.Less(t, len(all), waitingBatches*16+2*16+waitingBatches*16)
		on = false
		for _, p := range all {
			require.Equal(t, Indexed, p.outcome(t).Kind)
		}
		require.Equal(t, Indexed, r.submit(upserted(500, 1, "good"))[0].outcome(t).Kind)
	})
}
