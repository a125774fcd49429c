//go:build e2e

package chaos

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/function/document"
)

// observer has seen versions of rows.
type observer struct {
	chroma  *chroma.Client
	ids     []string
	oldest  map[string]int64 // what a row may be seen as from now on
	present map[string]bool
	back    []string
	looks   int // while there was anything to see
}

func newObserver(client *chroma.Client) *observer {
	o := &observer{chroma: client, oldest: map[string]int64{}, present: map[string]bool{}}
	for id := range rows {
		o.ids = append(o.ids, strconv.Itoa(id+1))
	}
	return o
}

// run looks again and again until ctx ends.
func (o *observer) run(ctx context.Context) {
	for rest(ctx, 500*time.Millisecond) { // a look costs Chroma a tenth of a second
		o.look(ctx)
	}
}

// look reads every row once. A row that is gone was deleted by something newer than what was seen of it, so it must not come back as that.
func (o *observer) look(ctx context.Context) {
	c, err := o.chroma.Collection(ctx, collection)
	if err != nil {
		return // it is not there yet, or Chroma is away
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
			o.back = append(o.back, fmt.Sprintf("%s: row %s to %d, when it could be %d at least", time.Now().Format(time.TimeOnly), id, lsn, o.oldest[id]))
		default:
			o.oldest[id], o.present[id] = lsn, true
			versions++
		}
	}
	if versions > 0 {
		o.looks++
	}
}
