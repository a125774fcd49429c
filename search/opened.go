package search

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/function/document"
)

// maxAge is how long a collection's model is taken for what it was.
const maxAge = 30 * time.Second

// opened is a collection and when it was looked at.
type opened struct {
	Collection

	at time.Time
}

// on asks a table's collection. When that turns out to be gone it is looked for again, once: somebody may have made it anew.
func (x *Index) on(ctx context.Context, t *table, ask func(context.Context, Collection) error) error {
	for again := false; ; again = true {
		col, err := x.collection(ctx, t)
		if err != nil {
			return err
		}
		err = ask(ctx, col)
		if err == nil || again || !missing(err) {
			return err
		}
		x.forget(t.collection)
	}
}

// collection opens a table's collection and makes sure that its vectors compare with those of the configured model.
func (x *Index) collection(ctx context.Context, t *table) (Collection, error) {
	if known := x.known(t.collection); known != nil {
		return known, nil
	}
	col, err := x.open(ctx, t.collection)
	if err != nil {
		x.forget(t.collection)
		return nil, absent(t, behind(Chroma, "", err))
	}
	if err := x.sameModel(t, col); err != nil {
		x.forget(t.collection)
		return nil, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.opened[t.collection] = &opened{Collection: col, at: time.Now()}
	return col, nil
}

// known returns the handle, unless it is time to look again: then one asks and the others go on with the old one meanwhile.
func (x *Index) known(name string) Collection {
	x.mu.Lock()
	defer x.mu.Unlock()
	known := x.opened[name]
	if known == nil {
		return nil
	}
	if time.Since(known.at) > maxAge {
		known.at = time.Now()
		return nil
	}
	return known.Collection
}

func (x *Index) forget(name string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.opened, name)
}

// sameModel refuses a collection that was filled with another model. One that does not tell was filled before the function said so.
func (x *Index) sameModel(t *table, col Collection) error {
	filled, told := col.Metadata()[document.KeyModel].(string)
	if !told || filled == x.model {
		return nil
	}
	return &Error{
		Kind: Misconfigured, Service: Embedding, reason: ReasonModelMismatch,
		Message: fmt.Sprintf("the index of table %s was made with another embedding model", t.name),
		err: fmt.Errorf("embedding.model: collection %s was filled with %q, the setting is %q: questions need the model of the rows; "+
			"set it back, or let the function fill the collection with the new one", t.collection, filled, x.model),
	}
}

// absent says what a missing collection means.
func absent(t *table, err error) error {
	var e *Error
	if errors.As(err, &e) && missing(err) {
		e.Message = fmt.Sprintf("table %s has no index yet: the function makes it with the first row", t.name)
		e.err = fmt.Errorf("collection %s: %w", t.collection, e.err)
	}
	return err
}

func missing(err error) bool {
	var told classified
	return errors.As(err, &told) && told.Reason() == chroma.ReasonCollectionMissing
}
