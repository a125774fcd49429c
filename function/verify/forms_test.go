package verify

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/function/wire"
)

// TestTheFormIsFoundOut: whatever the source's settings are, an index that was filled under them is equal.
func TestTheFormIsFoundOut(t *testing.T) {
	t.Parallel()
	types := []Column{{Type: "numeric"}, {Type: "timestamp"}, {Type: "timestamptz"}}
	for _, f := range wire.Forms(types, false) {
		t.Run(fmt.Sprintf("%+v", f), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(r *rig) {
				for _, kind := range []string{"date", "time", "timestamp"} {
					r.table.columns = append(r.table.columns, Column{Name: kind, Type: kind, Modifier: -1, SQL: kind})
					r.spec.Metadata = append(r.spec.Metadata, document.Field{Column: kind})
				}
				r.spec.Text = "{{.title}} {{.price}} {{.timestamp}}"
			})
			var rows []Row
			for id := range 20 {
				day := fmt.Sprintf("2026-01-%02d", id+1)
				rows = append(rows, append(article(id), text(day, "03:04:05.678901", day+" 03:04:05.678901")...))
			}
			r.table.put(rows...)
			r.index(f, rows...)
			report := r.run()
			requireFaults(t, nil, report)
			require.Empty(t, report.Unchecked)
			r.patch("3", map[string]any{"date": "another"})
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
	require.True(t, r.repair().Clean())
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
	r.forge("99", "a ghost", mark())
	r.forge("3#1", "a tail", mark())
	requireFaults(t, map[Kind][]string{Missing: {"2"}, Ghost: {"99"}, Chunks: {"3"}}, r.run())
}

// TestAColumnThatIsWrongInEveryRowIsNotEqual: that no row fits does not make the values right, neither in metadata nor in the text.
func TestAColumnThatIsWrongInEveryRowIsNotEqual(t *testing.T) {
	t.Parallel()
	for name, wrong := range map[string]map[string]any{
		"another number":               {"cost": "0.01"},
		"another moment":               {"at": "1999-12-31T00:00:00Z"},
		"a form that nobody writes":    {"at": int64(1767323045678)},
		"another day, in another form": {"day": "1999-12-31"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(r *rig) {
				r.table.columns = append(r.table.columns, Column{Name: "day", Type: "date", Modifier: -1, SQL: "date"})
				r.spec.Metadata = append(r.spec.Metadata, document.Field{Column: "day"})
			})
			var all []string
			for id := range 20 {
				row := append(article(id), text("2026-01-02")...)
				r.table.put(row)
				r.index(wire.Form{}, row)
				r.patch(row[0].Text, wrong)
				all = append(all, row[0].Text)
			}
			report := r.run()
			requireFaults(t, map[Kind][]string{Metadata: all}, report)
			require.Contains(t, report.Examples[Metadata][0].Found, "in every row that was looked at")
			require.True(t, r.repair().Equal)
		})
	}
}

func TestATextThatIsWrongInEveryRowIsNotEqual(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(r *rig) { r.spec.Text = "{{.title}} costs {{.price}}" })
	var all []string
	for id := range 20 {
		row := article(id)
		r.table.put(row)
		wrong := slices.Clone(row)
		wrong[3].Text = "0.01"
		r.index(wire.Form{}, wrong)
		all = append(all, row[0].Text)
	}
	report := r.run()
	require.Equal(t, 20, report.Faults[Stale], all)
	require.False(t, report.Clean())
	require.Empty(t, report.Unchecked)
}

// TestWhatEqualsTheGuessIsChecked: a type of no known form whose values are as expected leaves no doubt.
func TestWhatEqualsTheGuessIsChecked(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(r *rig) {
		r.table.columns = append(r.table.columns, Column{Name: "iv", Type: "interval", Modifier: -1, SQL: "interval"})
		r.spec.Metadata = append(r.spec.Metadata, document.Field{Column: "iv"})
	})
	for id := range 3 {
		row := append(article(id), Value{Text: "P1D"})
		r.table.put(row)
		r.index(wire.Form{}, row)
	}
	report := r.run()
	require.True(t, report.Equal, "%+v", report)
	r.patch("1", map[string]any{"iv": "P2D"})
	report = r.run()
	require.True(t, report.Clean())
	require.False(t, report.Equal)
	require.Equal(t, 1, report.Unchecked[0].Values)
	r.patch("1", map[string]any{"title": "another"})
	report = r.run()
	require.Equal(t, 1, report.Faults[Metadata])
	require.Equal(t, 1, report.Unchecked[0].Values, "however often the row is compared")
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
