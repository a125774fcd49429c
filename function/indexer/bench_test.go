package indexer

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/rowvec/rowvec/connector"
)

// free answers at once and keeps nothing but what was added, until that is looked at: what is measured is the indexer.
type free struct {
	vector []float32
	added  *sync.Map // metadata by id
}

func (free) Split(texts []string) []int {
	counts := make([]int, 0, len(texts)/64+1)
	for n := len(texts); n > 0; n -= 64 {
		counts = append(counts, min(n, 64))
	}
	return counts
}

func (f free) Embed(_ context.Context, texts []string) ([][]float32, error) {
	vectors := make([][]float32, len(texts))
	for i := range vectors {
		vectors[i] = f.vector
	}
	return vectors, nil
}

func (f free) Get(_ context.Context, ids []string) (map[string]map[string]any, error) {
	found := map[string]map[string]any{}
	for _, id := range ids {
		if meta, is := f.added.LoadAndDelete(id); is {
			found[id] = meta.(map[string]any)
		}
	}
	return found, nil
}

func (free) Upsert(context.Context, []string, [][]float32, []string, []map[string]any) error {
	return nil
}

func (f free) Add(_ context.Context, ids []string, _ [][]float32, _ []string, metadatas []map[string]any) error {
	for i, id := range ids {
		f.added.Store(id, metadatas[i])
	}
	return nil
}

func (free) Update(context.Context, []string, []map[string]any) error { return nil }
func (free) Below(context.Context, map[string]int64, int, int) (map[string]map[string]any, error) {
	return nil, nil
}
func (free) Delete(context.Context, []string) error { return nil }

// BenchmarkTable measures Submit to settled, one goroutine feeding new rows.
func BenchmarkTable(b *testing.B) {
	world := free{vector: make([]float32, 384), added: &sync.Map{}}
	writer := NewWriter(func(context.Context) (Store, error) { return world, nil })
	var running sync.WaitGroup
	running.Go(func() { writer.Run(context.Background()) })
	table := NewTable(TableConfig{Table: "app.articles", Builder: newBuilder(b, articles())}, NewEmbedPool(world, 4), writer, Options{})
	changes := make([]*connector.Change, 4096)
	for i := range changes {
		changes[i] = upserted(i, 1, fmt.Sprint("a product of number ", i))
	}
	var settled sync.WaitGroup
	settled.Add(b.N)
	settle := func(Outcome) { settled.Done() }
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		_ = table.Submit(context.Background(), Record{Change: changes[i%len(changes)], Bytes: 300, Received: time.Now(), Settle: settle})
	}
	settled.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	table.Drain(context.Background())
	writer.Stop(context.Background())
	running.Wait()
}

// BenchmarkPlan measures the plan of a batch of 512 rows that the index holds in an older version.
func BenchmarkPlan(b *testing.B) {
	builder := newBuilder(b, articles())
	stored := storedAs(b, articles(), upserted(1, 1, "what it was"))
	rows := make([][]*item, 512)
	for i := range rows {
		rows[i] = itemsOf(upserted(1, i+2, fmt.Sprint("a product of number ", i)))
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, items := range rows {
			if d := planned(builder, items, stored); d.action != index {
				b.Fatal(d.action)
			}
		}
	}
}
