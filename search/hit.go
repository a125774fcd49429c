package search

import (
	"context"
	"time"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

// Hit is one chunk of a row that was found.
type Hit struct {
	Table string
	Row   string      // the row's name within its table, "42"; Index.Row takes it
	Key   []KeyColumn // the same, column by column; nil where only a hash of it is stored
	// Record is the id under which Chroma holds the chunk.
	Record string

	Chunk, Chunks int // which of how many, from 0
	Start, End    int // bytes of the row's text that the chunk has: Text is text[Start:End]

	// Score is 1 - Distance for cosine and ip, 1 / (1 + Distance) for l2: more is nearer.
	Score, Distance float64
	Text            string         // of the chunk
	Metadata        map[string]any // the user's, of the row; never nil
	Version         *Version       // of the row; nil if the record tells none
}

// KeyColumn is one column of a row's key.
type KeyColumn struct {
	Column string  // empty: the settings do not name it, as it is of the primary key
	Value  *string // its text; nil: null
}

// Version is what change of the row the index holds.
type Version struct {
	LSN        uint64
	CommitTime time.Time // zero: not known
	// TextLSN and TextCommitTime are those of the row's text, older where changes since did not carry the text.
	TextLSN        uint64
	TextCommitTime time.Time
}

func versionOf(row, text connector.Version) *Version {
	if row.LSN == 0 && row.CommitTime.IsZero() {
		return nil
	}
	return &Version{LSN: row.LSN, CommitTime: row.CommitTime, TextLSN: text.LSN, TextCommitTime: text.CommitTime}
}

// score turns a distance round.
func score(distance string, d float64) float64 {
	if distance == chroma.L2 {
		return 1 / (1 + d)
	}
	return 1 - d
}

// hits completes the chosen records with what their rows' first ones tell. A record whose row is gone by then, or that the row does not
// have any more, is left out, and has gets the number of chunks that the row does have: the index is being written.
func (t *table) hits(ctx context.Context, col Collection, chosen []candidate, has map[string]int) ([]Hit, error) {
	records, err := t.missingOf(ctx, col, chosen)
	if err != nil {
		return nil, err
	}
	hits := make([]Hit, 0, len(chosen))
	for _, c := range chosen {
		whole := c.complete(records)
		first, there := c.Match, whole
		if c.chunk > 0 {
			first, there = records[c.row]
		}
		if !there || !whole {
			has[c.row] = 0
			if there {
				has[c.row] = c.chunk
			}
			continue
		}
		hit, current := t.hit(c, first.Metadata)
		if !current {
			has[c.row] = hit.Chunks
			continue
		}
		hit.Score = score(col.Distance(), c.Distance)
		hits = append(hits, hit)
	}
	return hits, nil
}

// missingOf fetches the first records of rows found by a later chunk, and the records of which only the id is known.
func (t *table) missingOf(ctx context.Context, col Collection, chosen []candidate) (map[string]chroma.Match, error) {
	var ids []string
	for _, c := range chosen {
		if !c.whole {
			ids = append(ids, c.ID)
		}
		if c.chunk > 0 {
			ids = append(ids, c.row)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	return col.Records(ctx, ids) //nolint:wrapcheck // classified by the caller
}

// hit tells what a record is, and whether its row still has it. A mark that cannot be read costs no more than the version.
func (t *table) hit(c candidate, first map[string]any) (Hit, bool) {
	state, err := document.ParseState(first)
	if err != nil {
		state = document.State{}
	}
	h := Hit{
		Table: t.name, Record: c.ID, Chunk: c.chunk, Chunks: max(state.Chunks, 1), Distance: c.Distance, Text: c.Document,
		Metadata: document.UserMetadata(c.Metadata), Version: versionOf(state.Version, state.TextVersion),
	}
	h.Row = t.ids.Name(c.row, fullKey(c.Metadata))
	h.Key = t.keyOf(h.Row)
	h.Start, h.End = bounds(c.Metadata, c.Document)
	if state.Chunks > 0 && c.chunk >= state.Chunks {
		return h, false
	}
	h.Chunks = max(h.Chunks, c.chunk+1)
	return h, true
}

// keyOf names the key's columns where the settings do.
func (t *table) keyOf(name string) []KeyColumn {
	values := document.KeyValues(name)
	key := make([]KeyColumn, len(values))
	for i, v := range values {
		key[i].Value = v
		if len(t.key) == len(values) {
			key[i].Column = t.key[i]
		}
	}
	if len(key) == 0 {
		return nil
	}
	return key
}

// bounds is a chunk's place in its row's text. A record that does not say is all of it.
func bounds(metadata map[string]any, text string) (start, end int) {
	from, hasStart := metadata[document.KeyStart].(int64)
	to, hasEnd := metadata[document.KeyEnd].(int64)
	if !hasStart || !hasEnd || from < 0 || to-from != int64(len(text)) {
		return 0, len(text)
	}
	return int(from), int(to)
}
