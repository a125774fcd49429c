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
)

// A text that fails once beside one that is taken may have met the endpoint's weak moment.
func TestATextAloneStallsTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var failed atomic.Int32
		r := newRig(t, func(r *rig) {
			r.embedder.fault = func(_ context.Context, texts []string) error {
				if slices.Contains(texts, "bad") && failed.Add(1) <= stallFailures+1 {
					return errOutage
				}
				return nil
			}
		})
		require.Equal(t, Indexed, r.submit(upserted(1, 1, "bad"))[0].outcome(t).Kind)
		require.EqualValues(t, stallFailures+2, failed.Load())
		require.Zero(t, r.pool.voucher.healed(), "it was not set aside")
	})
}

// twoRequests hands in a request's worth of rows twice, made by text of the request's name and the row's place in it. Each has rows 0 to 7.
func (r *rig) twoRequests(text func(of string, i int) string) (all []*receipt) {
	release := r.plug()
	for n, of := range []string{"a", "b"} {
		for i := range 8 {
			all = append(all, r.submit(upserted(8*n+i, 1, text(of, i)))...)
		}
	}
	release()
	return all
}

// eights has requests of eight texts, and batches that are one.
func eights(r *rig) { r.embedder.size, r.batch.MaxRecords = 8, 8 }

// While one request is searched another that failed as often leaves the endpoint to it.
func TestOneRequestIsSearchedAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, eights, func(r *rig) {
			r.embedder.fault = func(ctx context.Context, texts []string) error {
				if err := sleep(ctx, time.Second); err != nil {
					return err
				}
				return breaking(always)(ctx, texts)
			}
		})
		r.submit(upserted(99, 1, "a text that the endpoint takes"))[0].outcome(t)
		all := r.twoRequests(func(of string, i int) string {
			if i == 5 {
				return of + " bad"
			}
			return fmt.Sprint(of, " good ", i)
		})
		for i, p := range all {
			if i%8 != 5 {
				require.Equal(t, Indexed, p.outcome(t).Kind)
			}
		}
		searched := map[string][]time.Time{} // halves and less
		whole := map[string][]time.Time{}
		for _, c := range r.embedder.seen() {
			switch of, _, _ := strings.Cut(c.ids[0], " "); {
			case of != "a" && of != "b":
			case len(c.ids) == 8:
				whole[of] = append(whole[of], c.at)
			case len(c.ids) > 1:
				searched[of] = append(searched[of], c.at)
			}
		}
		first, second := "a", "b"
		if searched["b"][0].Before(searched["a"][0]) {
			first, second = "b", "a"
		}
		from, to := searched[first][0], searched[first][len(searched[first])-1]
		meanwhile := 0
		for _, at := range whole[second] {
			if at.After(from) && at.Before(to) {
				meanwhile++
			}
		}
		require.Zero(t, meanwhile)
		require.True(t, searched[second][0].After(to))
	})
}

// A request that is searched has a text that is refused, and one that is bisected has one that stalls: neither waits for the other.
func TestASearchBesideABisection(t *testing.T) {
	t.Parallel()
	for range 8 {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, eights, func(r *rig) {
				stalls := breaking(always)
				r.embedder.fault = func(ctx context.Context, texts []string) error {
					for _, text := range texts { // the first at fault decides
						if strings.HasSuffix(text, "refused") {
							return errRefuse
						}
						if err := stalls(ctx, []string{text}); err != nil {
							return err
						}
					}
					return nil
				}
			})
			r.submit(upserted(99, 1, "a text that the endpoint takes"))[0].outcome(t)
			all := r.twoRequests(func(of string, i int) string {
				switch {
				case of == "a" && i == 0, of == "b" && i == 7:
					return of + " bad"
				case i == 0 || i == 7:
					return of + " refused"
				default:
					return fmt.Sprint(of, " good ", i)
				}
			})
			for i, p := range all {
				switch i {
				case 0, 15:
				case 7, 8:
					require.Equal(t, Poison, p.outcome(t).Kind)
				default:
					require.Equal(t, Indexed, p.outcome(t).Kind)
				}
			}
			<-time.After(time.Minute)
			require.Zero(t, len(r.pool.lane)+len(r.pool.search))
		})
	}
}

// A drain that begins while another text is asked for, to vouch, asks for nothing after it.
func TestADrainBesideATextThatVouches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		vouching := make(chan struct{}, 10)
		r := newRig(t, func(r *rig) {
			r.embedder.fault = func(ctx context.Context, texts []string) error {
				if strings.HasPrefix(texts[0], plainText) {
					vouching <- struct{}{}
					return sleep(ctx, 5*time.Second)
				}
				return breaking(always)(ctx, texts)
			}
		})
		p := r.submit(upserted(1, 1, "bad"))[0]
		<-vouching
		asked := r.asked(time.Time{})
		began := time.Now()
		r.table.Drain(t.Context())
		require.LessOrEqual(t, time.Since(began), 5*time.Second)
		require.Equal(t, Interrupted, p.outcome(t).Kind)
		require.Equal(t, asked, r.asked(time.Time{}))
	})
}
