// Package observer watches the rows of a collection while they change, and tells of those that went back: the guarantee (DESIGN §5) is not of the end alone.
package observer

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// pause is between two looks: one costs Chroma a tenth of a second and more.
const pause = 500 * time.Millisecond

// Observer has seen versions of rows. Its methods may be called from several goroutines.
type Observer struct {
	chroma     *chroma.Client
	collection string
	ids        []string

	mu    sync.Mutex
	seen  map[string]sighting
	lost  int // how often it was told to forget
	back  []string
	looks int // while there was anything to see
}

// sighting is what was last seen of a row.
type sighting struct {
	version connector.Version
	gone    bool // since then: by something newer than the version
	meta    map[string]any
}

// New returns an observer of the rows whose ids are the numbers from 1 to rows.
func New(client *chroma.Client, collection string, rows int) *Observer {
	o := &Observer{chroma: client, collection: collection, seen: map[string]sighting{}}
	for id := range rows {
		o.ids = append(o.ids, strconv.Itoa(id+1))
	}
	return o
}

// Run looks again and again until ctx ends. A Chroma that does not answer is asked again.
func (o *Observer) Run(ctx context.Context) {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			o.look(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// Forget has the next look be the first: what the index held was lost, so what comes may be older. A look that has begun tells of what was lost.
func (o *Observer) Forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lost++
	clear(o.seen)
}

// Result returns the rows that went back, and how many looks saw any version: a look that sees none watches nothing.
func (o *Observer) Result() (back []string, looks int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.back, o.looks
}

// look reads every row once.
func (o *Observer) look(ctx context.Context) {
	c, err := o.chroma.Collection(ctx, o.collection)
	if err != nil {
		return // it is not there yet, or Chroma is away
	}
	before := o.losses()
	found, err := c.Get(ctx, o.ids)
	if err == nil {
		o.note(found, before)
	}
}

func (o *Observer) losses() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lost
}

// note takes in a look that began after so many losses.
func (o *Observer) note(found map[string]map[string]any, losses int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if losses != o.lost {
		return
	}
	versions := 0
	for _, id := range o.ids {
		if o.saw(id, found[id]) {
			versions++
		}
	}
	if versions > 0 {
		o.looks++
	}
}

// saw takes note of a row's metadata, nil for a row that is not there, and tells whether they have a version.
func (o *Observer) saw(id string, meta map[string]any) bool {
	before, known := o.seen[id]
	if meta == nil {
		before.gone = true
		if known {
			o.seen[id] = before
		}
		return false
	}
	now, err := document.ParseVersion(meta)
	if err != nil || now.LSN == 0 {
		return false // announced, not yet written
	}
	if known && (now.StaleAgainst(before.version) || before.gone && now.SameChange(before.version)) {
		o.back = append(o.back, fmt.Sprintf("%s: row %s went back to %+v from %+v (deleted since: %v); it holds %v, and held %v",
			time.Now().Format(time.TimeOnly), id, now, before.version, before.gone, meta, before.meta))
		return true
	}
	o.seen[id] = sighting{version: now, meta: meta}
	return true
}
