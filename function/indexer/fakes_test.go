package indexer

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// faulty is an error as an adapter would return it.
type faulty struct {
	class  Class
	reason string
	after  time.Duration
}

func (f faulty) Error() string             { return "scripted: " + string(f.class) + " " + f.reason }
func (f faulty) Class() string             { return string(f.class) }
func (f faulty) Reason() string            { return f.reason }
func (f faulty) RetryAfter() time.Duration { return f.after }

var (
	errOutage = faulty{class: ClassRetry, reason: "unavailable"}
	errRefuse = faulty{class: ClassPoison, reason: "bad_request"}
	errKey    = faulty{class: ClassHalt, reason: "unauthorized"}
)

// entry is one record of a fakeStore.
type entry struct {
	vector   []float32
	document string
	meta     map[string]any
}

// call is one call that a fake saw, at the fake clock's time.
type call struct {
	op  string
	ids []string // texts, for an embedder
	at  time.Time
}

// fakeStore behaves as Chroma does: metadata merges, nil removes a key, unknown ids are ignored.
type fakeStore struct {
	mu      *sync.Mutex // of its own, unless a test watches two stores at once
	entries map[string]entry
	calls   []call
	before  func(op string, ids []string) error         // fails a call that had no effect
	after   func(op string, ids []string) error         // fails a call that had its effect: the answer was lost
	hold    func(ctx context.Context, op string)        // runs before a call, outside the lock
	late    func(op string, ids []string) time.Duration // fails a call at once that has its effect then; 0: does not
	pending sync.WaitGroup                              // of late
	watch   func(id string, before, after *entry)       // sees every change of a record; nil: absent
}

// puts reports whether an operation writes whole records.
func puts(op string) bool { return op == opAdd || op == opUpsert }

func newFakeStore() *fakeStore {
	return &fakeStore{mu: new(sync.Mutex), entries: make(map[string]entry)}
}

func (s *fakeStore) do(ctx context.Context, op string, ids []string, effect func()) error {
	if s.hold != nil {
		s.hold(ctx, op)
	}
	if s.delays(op, ids, effect) {
		return errOutage
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, call{op: op, ids: slices.Clone(ids), at: time.Now()})
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.before != nil {
		if err := s.before(op, ids); err != nil {
			return err
		}
	}
	effect()
	if s.after != nil {
		return s.after(op, ids)
	}
	return nil
}

// delays has a call take effect when its caller has given it up.
func (s *fakeStore) delays(op string, ids []string, effect func()) bool {
	if s.late == nil {
		return false
	}
	d := s.late(op, ids)
	if d == 0 {
		return false
	}
	s.pending.Go(func() {
		<-time.After(d)
		s.mu.Lock()
		defer s.mu.Unlock()
		effect()
	})
	return true
}

func (s *fakeStore) Get(ctx context.Context, ids []string) (found map[string]map[string]any, err error) {
	err = s.do(ctx, "get", ids, func() {
		found = make(map[string]map[string]any)
		for _, id := range ids {
			if e, ok := s.entries[id]; ok {
				found[id] = maps.Clone(e.meta)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

func (s *fakeStore) Upsert(ctx context.Context, ids []string, vectors [][]float32, documents []string, metadatas []map[string]any) error {
	return s.do(ctx, "upsert", ids, func() {
		for i, id := range ids {
			s.put(id, &entry{vector: vectors[i], document: documents[i], meta: s.merged(id, metadatas[i])})
		}
	})
}

func (s *fakeStore) Add(ctx context.Context, ids []string, vectors [][]float32, documents []string, metadatas []map[string]any) error {
	return s.do(ctx, "add", ids, func() {
		for i, id := range ids {
			if _, has := s.entries[id]; !has {
				s.put(id, &entry{vector: vectors[i], document: documents[i], meta: s.merged(id, metadatas[i])})
			}
		}
	})
}

func (s *fakeStore) Update(ctx context.Context, ids []string, metadatas []map[string]any) error {
	return s.do(ctx, "update", ids, func() {
		for i, id := range ids {
			if e, ok := s.entries[id]; ok {
				s.put(id, &entry{vector: e.vector, document: e.document, meta: s.merged(id, metadatas[i])})
			}
		}
	})
}

func (s *fakeStore) Delete(ctx context.Context, ids []string) error {
	return s.do(ctx, "delete", ids, func() {
		for _, id := range ids {
			s.put(id, nil)
		}
	})
}

func (s *fakeStore) Below(ctx context.Context, bounds map[string]int64, offset, limit int) (page map[string]map[string]any, err error) {
	err = s.do(ctx, "below", nil, func() {
		page = make(map[string]map[string]any)
		for _, id := range slices.Sorted(maps.Keys(s.entries)) {
			below := false
			for key, bound := range bounds {
				n, ok := s.entries[id].meta[key].(int64)
				below = below || ok && n < bound
			}
			if offset -= 1; !below {
				offset++
			} else if offset < 0 && len(page) < limit {
				page[id] = maps.Clone(s.entries[id].meta)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

func (s *fakeStore) merged(id string, change map[string]any) map[string]any {
	meta := maps.Clone(s.entries[id].meta)
	if meta == nil {
		meta = make(map[string]any)
	}
	for key, value := range change {
		if value == nil {
			delete(meta, key)
		} else {
			meta[key] = value
		}
	}
	return meta
}

func (s *fakeStore) put(id string, e *entry) {
	if s.watch != nil {
		var before *entry
		if old, ok := s.entries[id]; ok {
			before = &old
		}
		s.watch(id, before, e)
	}
	if e == nil {
		delete(s.entries, id)
		return
	}
	s.entries[id] = *e
}

// ops lists the operations seen, in order.
func (s *fakeStore) ops() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	ops := make([]string, len(s.calls))
	for i, c := range s.calls {
		ops[i] = c.op
	}
	return ops
}

// of returns the calls of one operation.
func (s *fakeStore) of(op string) []call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.calls), func(c call) bool { return c.op != op })
}

func (s *fakeStore) ids() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.entries))
}

func (s *fakeStore) get(id string) (entry, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.entries[id]
	return e, ok
}

// fakeEmbedder answers vectors that tell the text.
type fakeEmbedder struct {
	size  int // texts per request
	fault func(ctx context.Context, texts []string) error

	mu     sync.Mutex
	calls  []call
	active int
	most   int
}

func (e *fakeEmbedder) Split(texts []string) []int {
	var counts []int
	for n := len(texts); n > 0; n -= e.size {
		counts = append(counts, min(n, e.size))
	}
	return counts
}

func (e *fakeEmbedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	e.mu.Lock()
	e.calls = append(e.calls, call{op: "embed", ids: slices.Clone(texts), at: time.Now()})
	e.active++
	e.most = max(e.most, e.active)
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		e.active--
		e.mu.Unlock()
	}()
	if e.fault != nil {
		if err := e.fault(ctx, texts); err != nil {
			return nil, err
		}
	}
	vectors := make([][]float32, len(texts))
	for i, text := range texts {
		vectors[i] = vectorOf(text)
	}
	return vectors, nil
}

// busy is how many requests are at the endpoint.
func (e *fakeEmbedder) busy() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.active
}

func (e *fakeEmbedder) seen() []call {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.calls)
}

func vectorOf(text string) []float32 {
	v := []float32{float32(len(text)), 1, 0}
	for i := range len(text) {
		v[2] = v[2]*31 + float32(text[i])
	}
	return v
}
