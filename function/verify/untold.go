package verify

import (
	"slices"

	"github.com/rowvec/rowvec/chroma"
	"github.com/rowvec/rowvec/connector"
)

// leaveUntold makes a change leave the stored values of columns whose form on the wire cannot be told: the function wrote them as the
// source sent them, and what is known here is a guess. A value that is not stored is guessed, and so is what the text or the id is made of.
func (c *comparison) leaveUntold(change *connector.Change, first chroma.Match) {
	if readsWhole(c.Text) {
		return
	}
	text := c.Builder.Columns()
	for key, column := range c.judge.columns {
		_, stored := first.Metadata[key]
		at := slices.IndexFunc(c.table.Columns, func(other Column) bool { return other.Name == column.Name })
		needed := slices.Contains(text, column.Name) || slices.Contains(c.table.Key, at)
		if c.judge.lenient[key] && stored && !needed && change.After[column.Name] != nil {
			change.After[column.Name] = connector.Unavailable{}
		}
	}
}
