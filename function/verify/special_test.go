package verify

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/function/wire"
)

// What becomes of NaN and the infinities depends on settings that verify cannot see: each of the possible ends is right, and nothing else.
func TestSpecialNumbers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind         string
		value        any
		right, wrong []any
	}{
		{"float8", "NaN", []any{nil, "NaN"}, []any{"Infinity", 1.5, ""}},
		{"float4", math.NaN(), []any{nil, "NaN"}, []any{"x"}},
		{"float8", math.Inf(1), []any{nil, "Infinity"}, []any{"-Infinity"}},
		{"float8", math.Inf(-1), []any{nil, "-Infinity"}, []any{"Infinity"}},
		{"numeric", "NAN", []any{nil, "NAN", "NaN"}, []any{"0"}},
		{"numeric", "NEGATIVE_INFINITY", []any{nil, "NEGATIVE_INFINITY", "-Infinity"}, []any{"POSITIVE_INFINITY"}},
		{"numeric", "1.5", nil, []any{nil, "NaN"}},
		{"text", "NaN", nil, []any{nil, "x"}},
		{"float8", nil, nil, []any{"NaN"}},
	} {
		j := judge{columns: map[string]*Column{"as": {Name: "n", Type: c.kind}}}
		e := &entry{change: &connector.Change{After: connector.Row{"n": c.value}}}
		for _, have := range c.right {
			require.True(t, j.special(e, "as", have), "%s %v: %v", c.kind, c.value, have)
		}
		for _, have := range c.wrong {
			require.False(t, j.special(e, "as", have), "%s %v: %v", c.kind, c.value, have)
		}
		require.False(t, j.special(e, "other", nil))
	}
}

// The index of a function with schemas has no key for NaN, that of one without has its name; neither is a fault, whatever verify was told
// of schemas, and a stale number is one.
func TestRowsWithSpecialNumbersAreEqual(t *testing.T) {
	t.Parallel()
	for _, indexed := range []wire.Form{{Temporals: wire.TemporalNumbers}, {Temporals: wire.TemporalText}} {
		for _, told := range []bool{false, true} {
			r := newRig(t, func(r *rig) {
				r.table.columns = []Column{
					{Name: "id", Type: "int8", Modifier: -1},
					{Name: "title", Type: "text", Modifier: -1},
					{Name: "body", Type: "text", Modifier: -1},
					{Name: "f", Type: "float8", Modifier: -1},
				}
				r.spec.Metadata = []document.Field{{Column: "f", As: "size"}}
			})
			r.config.Schemas = told
			rows := []Row{text("1", "a", "b", "NaN"), text("2", "a", "b", "-Infinity"), text("3", "a", "b", "1.5"), text("4", "a", "b", "\x00")}
			r.table.put(rows...)
			r.index(indexed, rows...)
			require.True(t, r.run().Equal, "%+v, told %v", indexed, told)

			r.patch("1", map[string]any{"size": 2.5})
			r.patch("4", map[string]any{"size": "NaN"})
			faults := r.run()
			require.Equal(t, 2, faults.Faults[Metadata], "%+v, told %v", indexed, told)
			require.Equal(t, 2, faults.Total())
			require.True(t, r.repair().Equal)
			require.True(t, r.run().Equal)
		}
	}
}
