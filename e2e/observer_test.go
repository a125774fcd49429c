//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/rowvec/rowvec/function/document"
)

// observer has seen versions of rows.
type observer struct {
	collection string
	ids        []string
	oldest     map[string]int64 // what a row may be seen as from now on
	present    map[string]bool
	back       []string
	looks      int // while there was anything to see
}

// observe polls the rows 1 to n of a collection until the returned function is called, which returns what was seen to go back, and how
// often rows were seen.
func observe(t *testing.T, collection string, n int) (stop func() (back []string, looks int)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	o := &observer{collection: collection, oldest: map[string]int64{}, present: map[string]bool{}}
	for id := range n {
		o.ids = append(o.ids, strconv.Itoa(id+1))
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		pause := time.NewTicker(500 * time.Millisecond) // a look costs Chroma a fifth of a second
		defer pause.Stop()
		for ctx.Err() == nil {
			o.look(ctx)
			select {
			case <-pause.C:
			case <-ctx.Done():
			}
		}
	}()
	stop = sync.OnceValues(func() ([]string, int) { cancel(); <-ended; return o.back, o.looks })
	t.Cleanup(func() { stop() })
	return stop
}

// look reads every row once. A row that is gone was deleted by something newer than what was seen of it, so it must not come back as that.
func (o *observer) look(ctx context.Context) {
	c, err := world.chroma.Collection(ctx, o.collection)
	if err != nil {
		return // it is not there yet, or we are done
	}
	seen, err := c.Get(ctx, o.ids)
	if err != nil {
		return
	}
	versions := 0
	for _, id := range o.ids {
		lsn, _ := seen[id][document.KeyLSN].(int64) // 0: announced, not yet written
		switch {
		case seen[id] == nil && o.present[id]:
			o.oldest[id]++
			o.present[id] = false
		case lsn == 0:
		case lsn < o.oldest[id]:
			o.back = append(o.back, fmt.Sprintf("row %s to %d, when it could be %d at least", id, lsn, o.oldest[id]))
		default:
			o.oldest[id], o.present[id] = lsn, true
			versions++
		}
	}
	if versions > 0 { // a look that sees no version watches nothing
		o.looks++
	}
}
