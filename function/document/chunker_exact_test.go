package document_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/document"
)

// Under exact counts every chunk is within the limit, nothing is left out, characters stay whole, and chunks are filled.
func FuzzSplitByExactTokens(f *testing.F) {
	f.Add("One two three. Four five.\n\nSix seven eight nine ten.", uint8(4), uint8(1))
	f.Add("我喜欢猫。e\u0301🇩🇪👨‍👩‍👧 สวัสดี\r\n\r\n\u2029x", uint8(0), uint8(3))
	f.Add(strings.Repeat("x", 300)+strings.Repeat(" ", 90), uint8(9), uint8(8))
	f.Add(strings.Repeat("It's 12345 hello-worlds, isn't it?\x7f ", 20), uint8(12), uint8(6))
	counter := exact(f)
	f.Fuzz(func(t *testing.T, text string, tokens, overlap uint8) {
		text = strings.ToValidUTF8(text, "?")
		limit := int(tokens)%64 + 4
		requireSound(t, text, limit, 0, counter)
		requireSound(t, text, limit, int(overlap)%limit, counter)
		require.Equal(t, text, strings.Join(split(text, limit, 0, counter), ""))
	})
}

func TestChunksOfExactTokensAreFull(t *testing.T) {
	t.Parallel()
	counter := exact(t)
	prose := strings.Repeat("The quick brown fox jumps over the lazy dog and then it sleeps under a tree for the rest of the day ", 100)
	chunks := split(prose, 256, 32, counter)
	for _, c := range chunks[:len(chunks)-1] {
		require.Greater(t, counter.Count(c), 240)
		require.LessOrEqual(t, counter.Count(c), 256)
	}
	spans := document.NewChunker(document.ChunkSpec{Tokens: 256, Overlap: 32}, counter).Split(prose)
	for i := range spans[1:] {
		shared := counter.Count(prose[spans[i+1].Start:spans[i].End])
		require.LessOrEqual(t, shared, 32)
		require.Greater(t, shared, 24, "the overlap that was asked for")
	}
}

func BenchmarkSplitByExactTokens(b *testing.B) {
	for name, text := range map[string]string{
		"english":    strings.Repeat("The quick brown fox jumps over the lazy dog, and sleeps. It rained.\n\n", 1<<20)[:100<<10],
		"ideographs": strings.Repeat("我喜欢猫，也喜欢狗。", 100<<10/30),
		"one-word":   strings.Repeat("x", 100<<10),
	} {
		b.Run(name, func(b *testing.B) {
			chunker := document.NewChunker(document.ChunkSpec{Tokens: 256, Overlap: 32}, exact(b))
			chunker.Split(text)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				chunker.Split(text)
			}
		})
	}
}

func BenchmarkTruncate(b *testing.B) {
	spec := limited(8191, exact(b))
	builder := newBuilder(b, spec)
	for name, size := range map[string]int{"untouched": 4 << 10, "long": 1 << 20} {
		row := textRow(strings.Repeat("The quick brown fox jumps over the lazy dog. ", size/45))
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := builder.Build(row); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
