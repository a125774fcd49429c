package search

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/function/document"
)

// Row is a row as the index holds it.
type Row struct {
	Table    string
	ID       string      // its name within the table, as Hit.Row
	Key      []KeyColumn // as Hit.Key
	Text     string      // all of it, put together from its chunks
	Metadata map[string]any
	Version  *Version
	Chunks   []Chunk // at least one
	// Model is the embedding model of the collection's vectors; empty where the collection does not tell.
	Model string
	// Vector is the chunk's or, of several, their mean (for cosine: of their directions); only if it was asked for.
	Vector []float32
}

// Chunk is one piece of a row's text and the record that holds it.
type Chunk struct {
	Record     string
	Start, End int       // Row.Text[Start:End]
	Vector     []float32 // only if it was asked for
}

// reads is how often a row is read whose records do not fit each other, and rest the pause in between.
const (
	reads = 4
	rest  = 50 * time.Millisecond
)

// Row returns the stored row of that name, as Hit.Row and Row.ID have it, with vectors if wanted. Errors are *Error, of kind NotFound when
// the index does not hold the row, or ctx's own.
func (x *Index) Row(ctx context.Context, table, id string, withVector bool) (*Row, error) {
	t, err := x.named(table, id)
	if err != nil {
		return nil, err
	}
	limited, cancel := x.limited(ctx)
	defer cancel()
	var row *Row
	err = x.on(limited, t, func(ctx context.Context, col Collection) (err error) {
		if row, err = t.read(ctx, col, id, withVector); row != nil {
			row.Model = modelOf(col)
		}
		return behind(Chroma, "", err)
	})
	return row, t.settled(ctx, limited, "row of", err)
}

func (x *Index) named(table, id string) (*table, error) {
	t, err := x.table(table)
	switch {
	case err != nil:
		return nil, err
	case id == "" || len(id) > maxText:
		return nil, invalid("id", "expected a row's id of 1 to %d bytes", maxText)
	}
	return t, nil
}

// read reads a row until its records fit each other: a change of several records is not one step.
func (t *table) read(ctx context.Context, col Collection, name string, vectors bool) (*Row, error) {
	id := t.ids.Row(name)
	for n := 1; ; n++ {
		row, err := t.attempt(ctx, col, id, vectors)
		if row != nil || err != nil {
			return row, err
		}
		if n == reads {
			return nil, &Error{Kind: Unavailable, Message: "the row is being written; ask again", reason: ReasonUnsettled, retryAfter: time.Second}
		}
		if err := pause(ctx, rest); err != nil {
			return nil, err
		}
	}
}

// attempt reads the first record and, if it tells of others, all of them at once. A nil row and no error: they do not fit.
func (t *table) attempt(ctx context.Context, col Collection, id string, vectors bool) (*Row, error) {
	fetch := col.Records
	if vectors {
		fetch = col.Vectors
	}
	found, err := fetch(ctx, []string{id})
	if err != nil {
		return nil, err //nolint:wrapcheck // classified by the caller
	}
	state, err := t.state(found, id)
	if err != nil {
		return nil, err
	}
	if state.Chunks > 1 {
		if found, err = fetch(ctx, document.ChunkIDs(id, 0, state.Chunks)); err != nil {
			return nil, err //nolint:wrapcheck // classified by the caller
		}
		planned := state.Chunks
		if state, err = t.state(found, id); err != nil {
			return nil, err
		}
		if state.Chunks != planned {
			return nil, nil
		}
	}
	return t.assemble(id, found, state, col.Distance()), nil
}

// state reads a row's mark.
func (t *table) state(found map[string]chroma.Match, id string) (*document.State, error) {
	first, has := found[id]
	if !has || id == document.ProbeID || t.shared && !t.ids.Owns(id, fullKey(first.Metadata)) {
		return nil, notFound("the index holds no such row of table %s", t.name)
	}
	state, err := document.ParseState(first.Metadata)
	if err != nil {
		return nil, &Error{
			Kind: Misconfigured, Service: Chroma, Message: "what is stored of the row cannot be read", reason: ReasonDamaged,
			err: fmt.Errorf("table %s, record %s: %w", t.name, quoted(id), err),
		}
	}
	state.Chunks = max(state.Chunks, 1)
	return &state, nil
}

// assemble puts the text together; nil when a record is missing or does not go with the others.
func (t *table) assemble(id string, found map[string]chroma.Match, state *document.State, distance string) *Row {
	ids, first := document.ChunkIDs(id, 0, state.Chunks), found[id]
	if first.Metadata[document.KeyLSN] != nil && state.Fingerprint == "" {
		return nil // announced: its records are about to change
	}
	row := &Row{Table: t.name, ID: t.ids.Name(id, fullKey(first.Metadata)), Metadata: state.Metadata, Version: versionOf(state.Version, state.TextVersion)}
	row.Key = t.keyOf(row.ID)
	var text strings.Builder
	for _, id := range ids {
		m, has := found[id]
		if !has {
			return nil
		}
		c := Chunk{Record: id, Vector: m.Vector}
		c.Start, c.End = bounds(m.Metadata, m.Document)
		if c.Start > text.Len() || len(ids) > 1 && c.End <= text.Len() { // a gap, or nothing new
			return nil
		}
		text.WriteString(m.Document[text.Len()-c.Start:])
		row.Chunks = append(row.Chunks, c)
	}
	row.Text = text.String()
	row.Vector = mean(row.Chunks, distance == chroma.Cosine)
	return row
}

// mean is the middle of the chunks' vectors; for directions each counts alike, however long it is. The first one's where they cancel out.
func mean(chunks []Chunk, directions bool) []float32 {
	first := chunks[0].Vector
	if len(chunks) == 1 || len(first) == 0 {
		return first
	}
	sum := make([]float64, len(first))
	for _, c := range chunks {
		weight := 1.0
		if directions {
			weight = 1 / max(length(c.Vector), math.SmallestNonzeroFloat32)
		}
		for i := range min(len(sum), len(c.Vector)) {
			sum[i] += weight * float64(c.Vector[i])
		}
	}
	out := make([]float32, len(sum))
	for i := range sum {
		out[i] = float32(sum[i] / float64(len(chunks)))
	}
	if length(out) < 1e-6 {
		return first
	}
	return out
}

func length(vector []float32) float64 {
	var square float64
	for _, v := range vector {
		square += float64(v) * float64(v)
	}
	return math.Sqrt(square)
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
