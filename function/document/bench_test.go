package document_test

import (
	"strings"
	"testing"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

func BenchmarkBuild(b *testing.B) {
	spec := articleSpec("{{.title}}: {{.body}}")
	spec.Metadata = []document.Field{{Column: "title"}, {Column: "price"}, {Column: "tags"}, {Column: "created_at"}}
	builder := newBuilder(b, spec)
	c := insert(int64(123456), connector.Row{
		"id": int64(123456), "title": "Trail shoe", "body": strings.Repeat("Light shoe for muddy trails. ", 14), "price": 89.9,
		"tags": []any{"outdoor", "run"}, "created_at": "2026-01-02T01:04:05.678901Z", "active": true, "n": int64(3),
	})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := builder.Build(c); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRecords(b *testing.B) {
	spec := articleSpec("{{.title}}")
	spec.Metadata = []document.Field{{Column: "title"}, {Column: "price"}}
	doc := build(b, spec, insert(int64(1), connector.Row{"title": "Trail shoe", "price": 89.9}))
	stored := &document.State{Keys: []string{"price", "title"}}
	b.ReportAllocs()
	for b.Loop() {
		doc.Records(version(1), stored)
	}
}

func BenchmarkSplit(b *testing.B) {
	for name, text := range map[string]string{
		"english":    strings.Repeat("The quick brown fox jumps over the lazy dog, and sleeps. It rained.\n\n", 1<<20)[:100<<10],
		"ideographs": strings.Repeat("我喜欢猫，也喜欢狗。", 100<<10/30),
		"one-word":   strings.Repeat("x", 100<<10),
	} {
		b.Run(name, func(b *testing.B) {
			chunker := document.NewChunker(document.ChunkSpec{Tokens: 256, Overlap: 32}, nil)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				chunker.Split(text)
			}
		})
	}
}

func BenchmarkEstimate(b *testing.B) {
	text := strings.Repeat("The quick brown fox jumps over the lazy dog. ", 20)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		document.Estimate{}.Count(text)
	}
}
