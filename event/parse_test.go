package event

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParsePassesOverWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	e := full()
	text := strings.Replace(string(e.AppendJSON(nil)), "{", `{"later":{"a":[1]},`, 1)
	got, err := Parse([]byte(strings.Replace(text, `"indexed"`, `"of_tomorrow"`, 1)))
	require.NoError(t, err)
	e.Outcome = "of_tomorrow"
	require.Equal(t, e, got)
}

func TestParseRefusesWhatIsNoEvent(t *testing.T) {
	t.Parallel()
	e := full()
	whole := string(e.AppendJSON(nil))
	edit := func(old, with string) string {
		require.Contains(t, whole, old)
		return strings.Replace(whole, old, with, 1)
	}
	for text, want := range map[string]string{
		"":                                       "not a JSON object",
		"planted":                                "not a JSON object: fault at byte 1",
		"[]":                                     "the whole is of the wrong type",
		"null":                                   "version is missing",
		"{}":                                     "version is missing",
		edit(`"version":1`, `"version":0`):       "version is missing",
		edit(`"public/default/shop"`, `""`):      "function is empty",
		edit(`"outcome":"indexed",`, ""):         "outcome is empty",
		edit(`"settledAt":`, `"settled":`):       "settledAt is missing",
		edit(`"chunks":5`, `"chunks":-5`):        "a count is negative",
		edit(`"chunks":5`, `"chunks":"planted"`): "chunks is of the wrong type",
		edit(`"chunks":5`, `"chunks":5.5`):       "chunks is of the wrong type",
		edit(`"lsn":"18`, `"lsn":"planted`):      "lsn is no whole number",
		edit(`"lsn":"18`, `"lsn":"-18`):          "lsn is no whole number",
		edit(`"settledAt":"2023`, `"settledAt":"planted`): "a time is not RFC 3339",
		whole + strings.Repeat(" ", maxEvent):             "expected at most 65536",
	} {
		_, err := Parse([]byte(text))
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "planted")
	}
}

func TestParseNamesAnotherVersion(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{"version":2,"function":"f"}`, `{"version":2,"function":{"tenant":"t"},"chunks":[1]}`} {
		_, err := Parse([]byte(text))
		var other *VersionError
		require.ErrorAs(t, err, &other)
		require.Equal(t, 2, other.Found)
		require.ErrorContains(t, err, "version 2, this reader knows 1")
	}
}

func FuzzParse(f *testing.F) {
	e := full()
	f.Add(e.AppendJSON(nil))
	e.OldRow, e.Row, e.CommittedAt = "", "<\u2028\xff", at(-10_000_000_000_000_000)
	f.Add(e.AppendJSON(nil))
	f.Add([]byte(`{"version":1,"function":"f","outcome":"x","settledAt":"0001-01-01T00:00:00+23:59"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := Parse(data)
		if err != nil {
			return
		}
		again, err := Parse(first.AppendJSON(nil))
		if first.SettledAt.UTC().Year() < 1 {
			return // reads as a time that is not known
		}
		require.NoError(t, err, "what can be read can be written and read")
		require.Equal(t, again.AppendJSON(nil), first.AppendJSON(nil))
	})
}
