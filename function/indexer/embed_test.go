package indexer

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// refusing fails requests that hold one of the texts.
func refusing(err error, texts ...string) func(context.Context, []string) error {
	return func(_ context.Context, asked []string) error {
		if slices.ContainsFunc(asked, func(text string) bool { return slices.Contains(texts, text) }) {
			return err
		}
		return nil
	}
}

func TestEqualTextsAreEmbeddedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		release := r.plug()
		var receipts []*receipt
		for i := range 12 {
			receipts = append(receipts, r.submit(upserted(i, 1, fmt.Sprint("text ", i%3)))...)
		}
		release()
		kinds(t, receipts)
		calls := r.embedder.seen()
		require.Equal(t, []string{"text 0", "text 1", "text 2"}, calls[len(calls)-1].ids)
		require.Equal(t, 9, r.ledger.saved)
		for i := range 12 {
			e, _ := r.store.get(strconv.Itoa(i))
			require.Equal(t, vectorOf(fmt.Sprint("text ", i%3)), e.vector)
		}
	})
}

func TestRequestsAreBoundedOverTables(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := func(ctx context.Context, _ []string) error { return sleep(ctx, time.Second) }
		r := newRig(t, func(r *rig) { r.embedder.size, r.embedder.fault = 1, slow })
		twin := NewTable(TableConfig{Table: "app.twin", Builder: newBuilder(t, articles())}, r.pool, r.writer, Options{})
		defer twin.Drain(t.Context())
		var receipts []*receipt
		for i := range 20 {
			receipts = append(receipts, r.submit(upserted(i, 1, strconv.Itoa(i)))...)
			rec, p := record(upserted(100+i, 1, fmt.Sprint("twin ", i)), 1)
			require.NoError(t, twin.Submit(t.Context(), rec))
			receipts = append(receipts, p)
		}
		kinds(t, receipts)
		require.Equal(t, 2, r.embedder.most)
	})
}

func TestARefusedRequestIsBisected(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(r *rig) {
			r.embedder.size = 8
			r.embedder.fault = refusing(errRefuse, "text 3")
		})
		release := r.plug()
		var receipts []*receipt
		for i := range 8 {
			receipts = append(receipts, r.submit(upserted(i, 1, fmt.Sprint("text ", i)))...)
		}
		release()
		for i, p := range receipts {
			o := p.outcome(t)
			if i != 3 {
				require.Equal(t, Indexed, o.Kind, "row %d", i)
				continue
			}
			require.Equal(t, Poison, o.Kind)
			require.Equal(t, "bad_request", o.Reason)
			require.Equal(t, "embed", o.Stage)
			require.Equal(t, "3", o.RowID)
			require.ErrorIs(t, o.Err, errRefuse)
			require.Positive(t, o.Attempts)
		}
		require.NotContains(t, r.store.ids(), "3")
		require.Equal(t, []Kind{Indexed}, kinds(t, r.submit(upserted(3, 2, "mended"))), "the row itself is free")
		require.Equal(t, Running, r.table.Condition().State)
	})
}

func TestAPoisonedChangeGivesWayToTheOneBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(r *rig) { r.embedder.fault = refusing(errRefuse, "bad") })
		release := r.plug()
		receipts := r.submit(upserted(1, 1, "one"), upserted(1, 2, "two"), upserted(1, 3, "bad"))
		release()
		require.Equal(t, []Kind{Superseded, Indexed, Poison}, kinds(t, receipts))
		e, _ := r.store.get("1")
		require.Equal(t, "two", e.document)
	})
}

func TestAnEndpointThatRefusesEverythingHalts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		mended := time.Now().Add(time.Minute)
		r := newRig(t, func(r *rig) {
			r.embedder.fault = func(context.Context, []string) error {
				if time.Now().Before(mended) {
					return errRefuse
				}
				return nil
			}
		})
		p := r.submit(upserted(1, 1, "innocent"))[0]
		synctest.Wait()
		require.Equal(t, Halted, r.table.Condition().State)
		require.Contains(t, r.table.Condition().Cause, "refuses every text")
		require.Equal(t, Indexed, p.outcome(t).Kind, "no record is condemned for a setting")
		require.Equal(t, []State{Halted, Running}, r.ledger.states())
	})
}

func TestAnOutageOfTheEndpointIsWaitedOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		back := time.Now().Add(time.Hour)
		r := newRig(t, func(r *rig) {
			r.embedder.fault = func(context.Context, []string) error {
				if time.Now().Before(back) {
					return errOutage
				}
				return nil
			}
		})
		p := r.submit(upserted(1, 1, "x"))[0]
		synctest.Wait()
		require.Equal(t, Retrying, r.table.Condition().State)
		require.Equal(t, Indexed, p.outcome(t).Kind)
		require.WithinRange(t, p.at, back, back.Add(8*time.Second))
		require.Equal(t, Running, r.table.Condition().State)
		require.Equal(t, []State{Retrying, Running}, r.ledger.states())
		require.Less(t, len(r.embedder.seen()), 1100, "capped, not constant, back-off")
	})
}

func TestARevokedKeyHaltsAndIsProbed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		renewed := time.Now().Add(45 * time.Second)
		r := newRig(t, func(r *rig) {
			r.embedder.fault = func(context.Context, []string) error {
				if time.Now().Before(renewed) {
					return errKey
				}
				return nil
			}
		})
		p := r.submit(upserted(1, 1, "x"))[0]
		synctest.Wait()
		require.Equal(t, Condition{State: Halted, Cause: errKey.Error(), Since: time.Now()}, r.table.Condition())
		rec, later := record(upserted(2, 1, "y"), 1)
		require.NoError(t, r.table.Submit(t.Context(), rec), "intake goes on by itself once the key is good")
		require.Equal(t, 15*time.Second, time.Since(renewed), "probed at 30 s and 60 s")
		require.Equal(t, []Kind{Indexed, Indexed}, kinds(t, []*receipt{p, later}))
	})
}

func TestAShortAnswerIsRetried(t *testing.T) {
	t.Parallel()
	pool := NewEmbedPool(shortAnswers{}, 1)
	_, err := pool.embed(t.Context(), []string{"a", "b"})
	require.Equal(t, ClassRetry, Classify(err))
	require.Equal(t, "bad_answer", Reason(err))
	require.Equal(t, [][]string{{"a"}, {"b", "c"}}, pool.split([]string{"a", "b", "c"}), "no text is lost to a wrong split")
}

type shortAnswers struct{}

func (shortAnswers) Split([]string) []int { return []int{1, 0} }
func (shortAnswers) Embed(context.Context, []string) ([][]float32, error) {
	return [][]float32{{1}}, nil
}
