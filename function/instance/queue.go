package instance

import (
	"context"
	"slices"
	"sync"
)

// queue is a queue without a bound for one reader: its writers must not block, and what is in flight is bounded elsewhere.
type queue[T any] struct {
	mu       sync.Mutex
	items    []T
	finished bool
	wake     chan struct{}
}

func newQueue[T any]() *queue[T] { return &queue[T]{wake: make(chan struct{}, 1)} }

// add appends an item; it refuses once the queue is finished.
func (q *queue[T]) add(item T) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.finished {
		return false
	}
	q.items = append(q.items, item)
	q.signal()
	return true
}

// finish ends the queue: what is in it may still be taken.
func (q *queue[T]) finish() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.finished = true
	q.signal()
}

func (q *queue[T]) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)
}

// take waits for items and returns up to most of them; none when the queue is finished and empty, or when ctx has ended.
func (q *queue[T]) take(ctx context.Context, most int) []T {
	for ctx.Err() == nil {
		items, over := q.cut(most)
		if len(items) > 0 || over {
			return items
		}
		select {
		case <-q.wake:
		case <-ctx.Done():
		}
	}
	return nil
}

func (q *queue[T]) cut(most int) (items []T, over bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(most, len(q.items))
	items = slices.Clone(q.items[:n])
	clear(q.items[:n]) // their array stays for as long as others wait
	if q.items = q.items[n:]; len(q.items) == 0 {
		q.items = nil
	}
	return items, q.finished
}

func (q *queue[T]) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}
