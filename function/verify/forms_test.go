package verify

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/function/wire"
)

// TestTheFormIsFoundOut: whatever the source's settings are, an index that was filled under them is equal.
func TestTheFormIsFoundOut(t *testing.T) {
	t.Parallel()
	for _, f := range wire.Forms(false) {
		t.Run(fmt.Sprintf("%+v", f), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(r *rig) {
				r.table.columns = append(r.table.columns, Column{Name: "d", Type: "date", Modifier: -1, SQL: "date"})
				r.spec.Text = "{{.title}} {{.price}}"
				r.spec.Metadata = append(r.spec.Metadata, document.Field{Column: "d"})
			})
			var rows []Row
			for id := range 20 {
				rows = append(rows, append(article(id), Value{Text: fmt.Sprintf("2026-01-%02d", id+1)}))
			}
			r.table.put(rows...)
			r.index(f, rows...)
			report := r.run()
			requireFaults(t, nil, report)
			require.Empty(t, report.Unchecked)
			r.patch("3", map[string]any{"d": "another"})
			r.patch("4", map[string]any{"cost": "0.01"})
			requireFaults(t, map[Kind][]string{Metadata: {"3", "4"}}, r.run())
			require.True(t, r.repair().Equal)
		})
	}
}

// TestATypeOfUnknownFormRaisesNoFalseAlarm: the source wrote a column in a way that nobody knows here.
func TestATypeOfUnknownFormRaisesNoFalseAlarm(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(r *rig) {
		r.table.columns = append(r.table.columns, Column{Name: "iv", Type: "interval", Modifier: -1, SQL: "interval"})
		r.spec.Metadata = append(r.spec.Metadata, document.Field{Column: "iv"})
	})
	for id := range 10 {
		row := append(article(id), Value{Text: "P1D"})
		r.table.put(row)
		r.index(wire.Form{}, row)
		r.patch(row[0].Text, map[string]any{"iv": int64(86_400_000_000)})
	}
	report := r.run()
	requireFaults(t, nil, report)
	require.Len(t, report.Unchecked, 1)
	require.Equal(t, "metadata iv", report.Unchecked[0].What)
	require.Equal(t, 10, report.Unchecked[0].Values)
	require.Contains(t, report.Unchecked[0].Why, "interval")
	r.patch("3", map[string]any{"title": "another"})
	requireFaults(t, map[Kind][]string{Metadata: {"3"}}, r.run())

	// A repair leaves what it cannot know, and guesses where nothing is.
	r.forge("4", "another", nil)
	r.drop("5")
	r.patch("6", map[string]any{"title": "another", "iv": nil})
	require.True(t, r.repair().Equal)
	stored, err := r.col.Get(t.Context(), []string{"3", "4", "5", "6"})
	require.NoError(t, err)
	for id, want := range map[string]any{"3": int64(86_400_000_000), "4": int64(86_400_000_000), "5": "P1D", "6": "P1D"} {
		require.Equal(t, want, stored[id]["iv"], id)
	}
}

func TestATextOfUnknownFormRaisesNoFalseAlarm(t *testing.T) {
	t.Parallel()
	guess := func(r *rig) {
		r.table.columns = append(r.table.columns, Column{Name: "iv", Type: "interval", Modifier: -1, SQL: "interval"})
		r.spec.Text = "{{.title}} {{.iv}}"
	}
	r := newRig(t, guess)
	for id := range 10 {
		row := append(article(id), Value{Text: "P1D"})
		r.table.put(row)
		wired := slices.Clone(row)
		wired[6].Text = "PT24H"
		r.index(wire.Form{}, wired)
	}
	report := r.run()
	requireFaults(t, nil, report)
	require.Equal(t, "text", report.Unchecked[0].What)
	require.Equal(t, 10, report.Unchecked[0].Values)
	r.drop("2")
	r.forge("99", "a ghost", nil)
	r.forge("3#1", "a tail", nil)
	requireFaults(t, map[Kind][]string{Missing: {"2"}, Ghost: {"99"}, Chunks: {"3"}}, r.run())
}

// TestAColumnWrittenInNoKnownFormIsLeftOut: a type with known forms, none of which the index has.
func TestAColumnWrittenInNoKnownFormIsLeftOut(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill(20)
	for id := range 20 {
		r.patch(strconv.Itoa(id+1), map[string]any{"at": int64(1767323045678)}) // time.precision.mode: connect, say
	}
	report := r.run()
	requireFaults(t, nil, report)
	require.Equal(t, []Unchecked{{
		What: "metadata at", Why: "column at of type timestamptz: its form on the wire cannot be told", Values: 20,
	}}, report.Unchecked)
}

func TestFourByteFloatsAreComparedAsSuch(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(r *rig) {
		r.table.columns = append(r.table.columns, Column{Name: "w", Type: "float4", Modifier: -1, SQL: "real"})
		r.spec.Metadata = append(r.spec.Metadata, document.Field{Column: "w"})
	})
	row := append(article(1), Value{Text: "0.31"})
	r.table.put(row)
	r.index(wire.Form{}, row)
	r.patch("1", map[string]any{"w": 0.3100000023841858})
	report := r.run()
	requireFaults(t, nil, report)
	require.Empty(t, report.Unchecked)
	r.patch("1", map[string]any{"w": 0.32})
	requireFaults(t, map[Kind][]string{Metadata: {"1"}}, r.run())
}
