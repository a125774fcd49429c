package verify

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/function/wire"
)

// probeRows is how many rows are looked at to find out the form, fewer where they are large.
const probeRows = 200

// enough is how many stored values must differ from what every form expects before it is told that none fits.
const enough = 5

// probe finds out in which form the source writes, from a few rows that the index holds. Only a form that is known is believed: values that
// fit none are faults, however many they are, as nothing else tells them from a column that was written wrong. Columns whose type has no
// known form cannot be compared where they differ. A table of exact types needs no probe.
func (c *comparison) probe(ctx context.Context) error {
	all := wire.Forms(c.table.Columns, c.Schemas)
	c.form = all[0]
	c.judge = c.newJudge()
	if !c.ambiguous() {
		return nil
	}
	rows, err := c.Source.Sample(ctx, c.table, firstPage)
	if n := min(nextPage(rows), probeRows); err == nil && len(rows) == firstPage && n > firstPage {
		rows, err = c.Source.Sample(ctx, c.table, n)
	}
	if err != nil {
		return err
	}
	var best *score
	known := map[string]chroma.Match{}
	for _, f := range all {
		s, err := c.score(ctx, rows, f, known)
		if err != nil {
			return err
		}
		if best == nil || s.points > best.points {
			best = s
		}
	}
	c.form = best.form
	for key, column := range c.judge.columns {
		c.judge.unfit[key] = column.Sureness() == wire.Formed && best.differ[key] >= enough && best.equal[key] == 0
	}
	return nil
}

func (c *comparison) ambiguous() bool {
	return slices.ContainsFunc(c.table.Columns, func(col Column) bool { return col.Sureness() != wire.Exact })
}

// newJudge knows the columns whose form is not exact.
func (c *comparison) newJudge() *judge {
	j := &judge{
		columns: map[string]*Column{}, lenient: map[string]bool{}, unfit: map[string]bool{}, chunked: c.Chunked, textGuess: c.textColumn(wire.Guessed),
	}
	for _, f := range c.Fields {
		col, has := c.table.column(f.Column)
		if !has || col.Sureness() == wire.Exact && col.Type != "float8" {
			continue
		}
		key := f.As
		if key == "" {
			key = f.Column
		}
		j.columns[key] = col
		if col.Sureness() == wire.Guessed && col.Type != "float4" {
			j.lenient[key] = true
		}
	}
	return j
}

// textColumn returns the first column of the text that is known as badly as that. A template that goes through the row has all columns.
func (c *comparison) textColumn(as wire.Certainty) string {
	names := c.Builder.Columns()
	if len(names) == 0 || strings.Contains(c.Text, "range") && readsWhole(c.Text) {
		names = nil
		for i := range c.table.Columns {
			names = append(names, c.table.Columns[i].Name)
		}
	}
	for _, name := range names {
		if col, has := c.table.column(name); has && col.Sureness() == as {
			return name
		}
	}
	return ""
}

// score is how well a form fits.
type score struct {
	form          wire.Form
	points        int
	equal, differ map[string]int // by metadata key; "" is the text
}

// score compares rows in a form. known are records that were read for another one, as ids seldom depend on it; those without an id are not there.
func (c *comparison) score(ctx context.Context, rows []Row, f wire.Form, known map[string]chroma.Match) (*score, error) {
	entries, err := entriesIn(c.table, f, c.Builder, rows)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, e := range entries {
		if _, has := known[e.id]; !has {
			ids = append(ids, e.id)
			known[e.id] = chroma.Match{}
		}
	}
	records, err := c.Index.Records(ctx, ids)
	if err != nil {
		return nil, err //nolint:wrapcheck // the index names its operation
	}
	maps.Copy(known, records)
	s := &score{form: f, equal: map[string]int{}, differ: map[string]int{}}
	for _, e := range entries {
		if m := known[e.id]; m.ID != "" && e.doc != nil && !e.doc.Empty {
			s.compare(c.judge, e, m)
		}
	}
	return s, nil
}

func (s *score) compare(j *judge, e *entry, m chroma.Match) {
	s.points++ // for the id
	s.tell("", m.Document == e.doc.Chunks[0].Text)
	stored := document.UserMetadata(m.Metadata)
	for key := range j.columns {
		want, wanted := e.doc.Metadata[key]
		if have, has := stored[key]; wanted && has {
			s.tell(key, j.same(key, want, have))
		}
	}
}

func (s *score) tell(key string, equal bool) {
	if equal {
		s.points++
		s.equal[key]++
	} else {
		s.differ[key]++
	}
}
