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

// collection opens a table's collection.
func (x *Index) collection(ctx context.Context, t *table) (Collection, error) {
	if known := x.known(t.collection); known != nil {
		return known, nil
	}
	col, err := x.open(ctx, t.collection)
	if err != nil {
		x.forget(t.collection)
		return nil, absent(t, behind(Chroma, "", err))
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

// comparable makes sure that vectors of questions compare with those of the table. What was seen to the contrary is looked at again first.
func (x *Index) comparable(ctx context.Context, t *table) error {
	for again := false; ; again = true {
		col, err := x.collection(ctx, t)
		if err != nil {
			return err
		}
		if err = x.sameModel(t, col); err == nil || again {
			return err
		}
		x.forget(t.collection)
	}
}

// sameModel refuses a collection that was filled with another model, or has vectors of another length than the settings ask for. One
// that does not tell its model was filled before the function said so; what length a model gives is only known when it has given it.
func (x *Index) sameModel(t *table, col Collection) error {
	filled, told := col.Metadata()[document.KeyModel].(string)
	if told && filled != x.model {
		return x.mismatch(ReasonModelMismatch, fmt.Sprintf("the index of table %s was made with the embedding model %s, and questions with %s do not compare with it",
			t.name, quoted(filled), quoted(x.model)), t)
	}
	if has := col.Dimensions(); has > 0 && x.dimensions > 0 && has != x.dimensions {
		return x.mismatch(chroma.ReasonDimensionMismatch, fmt.Sprintf("the vectors of table %s have %d dimensions, and those of questions %d",
			t.name, has, x.dimensions), t)
	}
	return nil
}

func (x *Index) mismatch(reason, message string, t *table) error {
	return &Error{
		Kind: Misconfigured, Service: Embedding, Message: message, reason: reason,
		err: fmt.Errorf("set embedding.model and embedding.dimensions to what filled collection %s, or let the function fill it with the new ones", t.collection),
	}
}

// absent says what a missing collection means.
func absent(t *table, err error) error {
	var e *Error
	if errors.As(err, &e) && missing(err) {
		e.Kind = NotFound
		e.Message = fmt.Sprintf("table %s has no index yet: the function makes it with the first row", t.name)
		e.err = fmt.Errorf("collection %s: %w", t.collection, e.err)
	}
	return err
}

func missing(err error) bool {
	var told classified
	return errors.As(err, &told) && told.Reason() == chroma.ReasonCollectionMissing
}
