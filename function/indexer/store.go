package indexer

import (
	"context"
	"fmt"
	"sync"
)

// opener opens the collection when it is first needed, and again when it turns out to be gone.
type opener struct {
	open func(ctx context.Context) (Store, error)
	one  chan struct{} // held while opening: the others wait for the result

	mu    sync.Mutex
	store Store
	turn  int // counts the stores that were opened
}

func newOpener(open func(ctx context.Context) (Store, error)) *opener {
	return &opener{open: open, one: make(chan struct{}, 1)}
}

// reasonMissing is the reason by which a store says that the collection is no longer there.
const reasonMissing = "collection_missing"

// attempt runs op on the store. It is one attempt: whoever calls it retries.
func (o *opener) attempt(ctx context.Context, op func(context.Context, Store) error) error {
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

func (o *opener) get(ctx context.Context) (Store, int, error) {
	if store, turn := o.opened(); store != nil {
		return store, turn, nil
	}
	select {
	case o.one <- struct{}{}:
		defer func() { <-o.one }()
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	}
	if store, turn := o.opened(); store != nil {
		return store, turn, nil
	}
	store, err := o.open(ctx)
	if err != nil {
		return nil, 0, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.store = store
	o.turn++
	return store, o.turn, nil
}

func (o *opener) opened() (Store, int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.store, o.turn
}

// drop forgets the store of that turn; a later one, opened by somebody else meanwhile, stays.
func (o *opener) drop(turn int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.turn == turn {
		o.store = nil
	}
}
