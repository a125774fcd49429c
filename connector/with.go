package connector

import "maps"

// With returns the change with other values of some columns of its row as it is after. The change itself is left alone.
func (c *Change) With(columns Row) *Change {
	filled := *c
	filled.After = maps.Clone(c.After)
	maps.Copy(filled.After, columns)
	return &filled
}
