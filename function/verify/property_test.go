package verify

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/function/wire"
)

// TestPlantedFaultsAreFoundAndNoOthers fills tables at random, plants faults of the five kinds in random rows, and wants exactly these
// to be found, and to be gone after a repair.
func TestPlantedFaultsAreFoundAndNoOthers(t *testing.T) {
	t.Parallel()
	for seed := range uint64(30) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 4))
			r := newRig(t, func(r *rig) {
				if rng.IntN(3) > 0 {
					r.spec.Chunk = &document.ChunkSpec{Tokens: 4 + rng.IntN(20), Overlap: rng.IntN(3)}
				}
				r.spec.PrefixIDs = rng.IntN(4) == 0
			})
			forms := wire.Forms(r.table.columns, false)
			f := forms[rng.IntN(len(forms))]
			var rows []Row
			for id := range 20 + rng.IntN(200) {
				rows = append(rows, randomRow(rng, id))
			}
			r.table.put(rows...)
			r.index(f, rows...)
			requireFaults(t, nil, r.run())
			planted := r.plantRandomly(rng)
			report := r.run()
			requireFaults(t, planted, report)
			report = r.repair()
			require.True(t, report.Equal, "%+v", report)
			for kind, ids := range planted {
				require.Equal(t, len(ids), report.Repair.Mended[kind], kind)
			}
		})
	}
}

// randomRow has texts of all lengths and nulls here and there.
func randomRow(rng *rand.Rand, id int) Row {
	row := article(id)
	row[2].Text = strings.Repeat("Some wörds, and more. ", rng.IntN(12))
	row[3].Text = fmt.Sprintf("%d.%02d", rng.IntN(100), rng.IntN(100))
	for _, c := range []int{2, 3, 4} {
		if rng.IntN(6) == 0 {
			row[c] = Value{Null: true}
		}
	}
	return row
}

func (r *rig) plantRandomly(rng *rand.Rand) map[Kind][]string {
	r.t.Helper()
	ids, err := r.col.IDs(r.t.Context(), 0, 10_000)
	require.NoError(r.t, err)
	chunks := map[string]int{}
	for _, id := range ids {
		row, _ := document.RowOf(id)
		chunks[row]++
	}
	all := slices.Sorted(func(yield func(string) bool) {
		for id := range chunks {
			if !yield(id) {
				return
			}
		}
	})
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	planted := map[Kind][]string{}
	for _, id := range all[:1+rng.IntN(15)] {
		kind := Kinds()[rng.IntN(5)]
		if kind == Ghost {
			id = strings.TrimSuffix(id, id[strings.LastIndexByte(id, '/')+1:]) + strconv.Itoa(1000+len(planted[Ghost]))
		}
		planted[kind] = append(planted[kind], id)
		r.plantOne(rng, kind, id, chunks[id])
	}
	return planted
}

func (r *rig) plantOne(rng *rand.Rand, kind Kind, id string, chunks int) {
	r.t.Helper()
	switch kind {
	case Missing:
		r.drop(document.ChunkIDs(id, 0, 1+rng.IntN(chunks))...)
	case Stale:
		r.forge(document.ChunkIDs(id, 0, chunks)[rng.IntN(chunks)], "another text", nil)
	case Ghost:
		r.forge(document.ChunkIDs(id, 0, 2)[rng.IntN(2)], "a ghost", mark(map[string]any{"title": "x"}))
	case Metadata:
		r.patch(document.ChunkIDs(id, 0, chunks)[rng.IntN(chunks)], []map[string]any{{"title": "y"}, {"title": nil}, {"more": 1.5}}[rng.IntN(3)])
	case Chunks:
		if chunks > 1 && rng.IntN(2) == 0 {
			r.drop(document.ChunkIDs(id, 1, 2)...)
		} else {
			r.forge(document.ChunkIDs(id, chunks, chunks+1)[0], "a tail", map[string]any{document.KeyRow: id})
		}
	}
}
