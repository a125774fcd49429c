//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// workload is what the shop's people do: they change products, write reviews and search.
type workload struct {
	gateway  string
	products []row
	random   *rand.Rand
	next     int64 // id of the review to come

	end  context.CancelFunc
	done sync.WaitGroup
	err  error // of the worker; read after done
}

const (
	workPeriod  = 200 * time.Millisecond
	burstPeriod = 80 * time.Second // an import changes many rows at once
	burstRows   = 20
)

// newWorkload fills the tables.
func newWorkload(t *testing.T) *workload {
	t.Helper()
	w := &workload{products: catalogue(t), random: rand.New(rand.NewPCG(5, 11)), next: 61}
	insert(t, "products", w.products...)
	insert(t, "reviews", reviews(w.products, int(w.next-1))...)
	return w
}

// start works until stop, or the end of the test.
func (w *workload) start(t *testing.T) {
	t.Helper()
	w.startAfter(t, func(context.Context) error { return nil })
}

// startWith is start once a product with the title is there.
func (w *workload) startWith(t *testing.T, title string) {
	t.Helper()
	w.startAfter(t, func(ctx context.Context) error {
		return every(ctx, workPeriod, func(context.Context, time.Duration) (bool, error) {
			var there bool
			err := world.db.QueryRow(ctx, "SELECT EXISTS (SELECT FROM app.products WHERE title = $1)", title).Scan(&there)
			return there, err
		})
	})
}

func (w *workload) startAfter(t *testing.T, wait func(context.Context) error) {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	w.end = end
	w.done.Go(func() {
		if w.err = wait(ctx); w.err == nil {
			w.err = every(ctx, workPeriod, w.step)
		}
	})
	t.Cleanup(func() {
		end()
		w.done.Wait()
	})
}

// stop ends the work, which must not have failed.
func (w *workload) stop(t *testing.T) {
	t.Helper()
	w.end()
	w.done.Wait()
	require.ErrorIs(t, w.err, context.Canceled)
}

// every calls act each period, with the time since its beginning, until that says that it is done.
func every(ctx context.Context, period time.Duration, act func(ctx context.Context, since time.Duration) (bool, error)) error {
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for begun := time.Now(); ; {
		if done, err := act(ctx, time.Since(begun)); done || err != nil {
			return errors.Join(ctx.Err(), err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// step is a fifth of a second's work: more and less of it as a day goes on, a day being burstPeriod.
func (w *workload) step(ctx context.Context, since time.Duration) (bool, error) {
	tide := 1 + math.Sin(2*math.Pi*since.Seconds()/burstPeriod.Seconds())
	errs := []error{w.search(ctx)}
	for range w.random.IntN(2 + int(4*tide)) {
		errs = append(errs, w.change(ctx))
	}
	if phase := (since + burstPeriod/2) % burstPeriod; phase < workPeriod && since > workPeriod {
		errs = append(errs,
			w.exec(ctx, "UPDATE app.products SET price = price + 1 WHERE id > $1", 8*burstRows),
			w.exec(ctx, "UPDATE app.products SET body = body || ' Now with free returns.' WHERE id % 2 = 0 AND id <= $1", 2*burstRows))
	}
	return false, errors.Join(errs...)
}

// change is one change of one row.
func (w *workload) change(ctx context.Context) error {
	p := w.products[w.random.IntN(len(w.products))]
	switch n := w.random.IntN(1000); {
	case n < 620:
		return w.exec(ctx, "UPDATE app.products SET price = $2 WHERE id = $1", p.ID, fmt.Sprintf("%d.90", 5+w.random.IntN(300)))
	case n < 760:
		text := p.Body + " " + verdicts[w.random.IntN(len(verdicts))]
		return w.exec(ctx, "UPDATE app.products SET body = $2 WHERE id = $1", p.ID, text)
	case n < 900:
		w.next++
		r := reviews(w.products, int(w.next))[w.next-1]
		return w.exec(ctx, "INSERT INTO app.reviews (id, title, body, price, tags) VALUES ($1, $2, $3, 0, $4)", r.ID, r.Title, r.Body, r.Tags)
	case n < 999:
		return w.exec(ctx, "DELETE FROM app.reviews WHERE id = (SELECT min(id) FROM app.reviews WHERE id < $1)", w.next-30)
	default: // somebody pastes a manual
		return w.exec(ctx, "UPDATE app.reviews SET body = $1 WHERE id = (SELECT max(id) FROM app.reviews)", strings.Repeat(verdicts[0]+" ", 80))
	}
}

func (w *workload) exec(ctx context.Context, statement string, args ...any) error {
	if _, err := world.db.Exec(ctx, statement, args...); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// search asks for something now and then.
func (w *workload) search(ctx context.Context) error {
	if w.random.IntN(2) == 0 {
		return nil
	}
	p := w.products[w.random.IntN(len(w.products))]
	question := url.Values{"table": {"app.products"}, "q": {"something like " + p.Title}, "topK": {"10"}}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.gateway+"/v1/search?"+question.Encode(), http.NoBody)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+allToken)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	if err := answer.Body.Close(); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("a search was answered %s", answer.Status)
	}
	return nil
}
