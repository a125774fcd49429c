package indexer

import (
	"context"
	"fmt"
	"sync"
)

// opener opens a collection when it is first needed, and again when it turns out to be gone.
type opener[S Store] struct {
	open func(ctx context.Context) (S, error)
	one  chan struct{} // held while opening: the others wait for the result

	mu     sync.Mutex
	store  S
	usable bool // store is one
	turn   int  // counts the stores that were opened
}

func newOpener[S Store](open func(ctx context.Context) (S, error)) *opener[S] {
	return &opener[S]{open: open, one: make(chan struct{}, 1)}
}

// reasonMissing is the reason by which a store says that the collection is no longer there.
const reasonMissing = "collection_missing"

// attempt runs op on the store. It is one attempt: whoever calls it retries.
func (o *opener[S]) attempt(ctx context.Context, op func(context.Context, S) error) error {
	store, turn, err := o.get(ctx)
	if err != nil {
		return fmt.Errorf("open the collection: %w", err)
	}
	if err = op(ctx, store); err != nil && Reason(err) == reasonMissing {
		o.drop(turn)
		return &fault{class: ClassRetry, reason: reasonMissing, text: "the collection is gone and is opened again", err: err}
	}
	return err
}

func (o *opener[S]) get(ctx context.Context) (store S, turn int, err error) {
	if store, turn, ok := o.opened(); ok {
		return store, turn, nil
	}
	select {
	case o.one <- struct{}{}:
		defer func() { <-o.one }()
	case <-ctx.Done():
		return store, 0, ctx.Err()
	}
	if store, turn, ok := o.opened(); ok {
		return store, turn, nil
	}
	if store, err = o.open(ctx); err != nil {
		return store, 0, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.store, o.usable = store, true
	o.turn++
	return store, o.turn, nil
}

func (o *opener[S]) opened() (S, int, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.store, o.turn, o.usable
}

// drop forgets the store of that turn; a later one, opened by somebody else meanwhile, stays.
func (o *opener[S]) drop(turn int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.turn == turn {
		o.usable = false
	}
}
