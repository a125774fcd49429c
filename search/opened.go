package search

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/function/document"
)

// maxAge is how long a collection's model is taken for what it was, and doubtAge how long one is that does not fit: it is looked at again,
// but not for every question.
const (
	maxAge   = 30 * time.Second
	doubtAge = time.Second
)

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

// comparable makes sure that vectors of questions, of that length (0: not known yet), compare with those of the table. What was seen to
// the contrary a while ago is looked at again first.
func (x *Index) comparable(ctx context.Context, t *table, length int) error {
	for again := false; ; again = true {
		col, err := x.collection(ctx, t)
		if err != nil {
			return err
		}
		if err = x.sameModel(t, col, length); err == nil || again || !x.older(t.collection, doubtAge) {
			return err
		}
		x.forget(t.collection)
	}
}

// older reports whether a collection was looked at longer ago.
func (x *Index) older(name string, age time.Duration) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	known := x.opened[name]
	return known == nil || time.Since(known.at) >= age
}

// modelOf is the model that a collection's vectors are of; empty where it does not tell, as it was filled before the function said so.
func modelOf(col Collection) string {
	model, _ := col.Metadata()[document.KeyModel].(string)
	return model
}

// sameModel refuses a collection that was filled with another model, or has vectors of another length.
func (x *Index) sameModel(t *table, col Collection, length int) error {
	if filled := modelOf(col); filled != "" && filled != x.model {
		return x.mismatch(ReasonModelMismatch, fmt.Sprintf("the index of table %s was made with the embedding model %s, and questions with %s do not compare with it",
			t.name, quoted(filled), quoted(x.model)), t)
	}
	if has := col.Dimensions(); has > 0 && length > 0 && has != length {
		return x.mismatch(chroma.ReasonDimensionMismatch, fmt.Sprintf("the vectors of table %s have %d dimensions, and those of questions %d",
			t.name, has, length), t)
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
