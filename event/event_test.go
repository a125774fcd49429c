package event

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func at(ms int64) time.Time { return time.UnixMilli(1_700_000_000_000 + ms).UTC() }

func ptr(n int64) *int64 { return &n }

// full has every field. None of its times ends in a zero, which encoding/json would leave out.
func full() Event {
	return Event{
		Version: Version, Function: "public/default/shop", Instance: 3, Table: "app.articles", Row: "7/bob%2Fsmith", OldRow: "6/x",
		Operation: Update, Outcome: Indexed, Reason: "r", Stage: "embed", LSN: "18446744073709551615",
		CommittedAt: at(1), ReceivedAt: at(41), SettledAt: at(121), DurableAt: at(121), FreshnessMs: ptr(120),
		Chunks: 5, Texts: 2, Attempts: 3, Topic: "persistent://public/default/store.app.articles", MessageID: "12:3:-1:0", Redelivered: 1,
	}
}

func TestTheContractIsWhatTheGoldenFilesSay(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]Event{
		"full": full(),
		"decode": {
			Version: Version, Function: "public/default/shop", Outcome: Poison, Reason: "bad_payload", Stage: "decode",
			ReceivedAt: at(1), SettledAt: at(2), Attempts: 1, Topic: "persistent://public/default/store.app.articles", MessageID: "1:2:0:-1",
		},
	} {
		want, err := os.ReadFile("testdata/" + name + ".json")
		require.NoError(t, err)
		require.Equal(t, strings.TrimSpace(string(want)), string(e.AppendJSON(nil)))
		got, err := Parse(want)
		require.NoError(t, err)
		require.Equal(t, e, got)
	}
}

// reflected is an Event that encoding/json encodes by its tags.
type reflected Event

func TestTheEncoderWritesWhatTheTagsSay(t *testing.T) {
	t.Parallel()
	e := full()
	whole := reflect.ValueOf(e)
	for i := range whole.NumField() {
		require.False(t, whole.Field(i).IsZero(), "full leaves out %s", whole.Type().Field(i).Name)
	}
	for n := -1; n < whole.NumField(); n++ {
		part := full()
		if n >= 0 { // without one field at a time
			reflect.ValueOf(&part).Elem().Field(n).SetZero()
		}
		part.Version = Version
		if part.FreshnessMs = nil; !part.CommittedAt.IsZero() && !part.DurableAt.IsZero() {
			part.FreshnessMs = ptr(120)
		}
		want, err := json.Marshal(reflected(part))
		require.NoError(t, err)
		wrote := string(part.AppendJSON(nil))
		if part.SettledAt.IsZero() {
			require.NotContains(t, wrote, "settledAt")
			continue
		}
		require.Equal(t, string(want), wrote)
		through, err := json.Marshal(part)
		require.NoError(t, err)
		require.Equal(t, wrote, string(through), "json.Marshal takes the same way")
	}
}

func TestAnEventSaysOnlyWhatIsKnown(t *testing.T) {
	t.Parallel()
	e := Event{Function: "f", Outcome: Stale, SettledAt: at(5)}
	require.JSONEq(t, `{"version":1,"function":"f","instance":0,"outcome":"stale","settledAt":"2023-11-14T22:13:20.005Z","chunks":0,"texts":0}`,
		string(e.AppendJSON(nil)))
	e.CommittedAt = at(0)
	require.NotContains(t, string(e.AppendJSON(nil)), "freshnessMs", "nothing became durable")
	e.CommittedAt, e.DurableAt = at(10), at(5)
	require.Contains(t, string(e.AppendJSON(nil)), `"freshnessMs":0`, "clocks that disagree")
	e.CommittedAt = time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC)
	require.NotContains(t, string(e.AppendJSON(nil)), "committedAt", "RFC 3339 has no such year")
	e.SettledAt = at(5).In(time.FixedZone("", 3600)).Add(999_999 * time.Nanosecond)
	require.Contains(t, string(e.AppendJSON(nil)), `"settledAt":"2023-11-14T22:13:20.005Z"`)
}

func TestTextsAreEscapedAndBounded(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`a"b\c`, "line\nline\x00", "<script>&", "gr\u00fc\u00df \u65e5\u672c \U0001F600", "\u2028", "~ }", strings.Repeat("x", maxText)} {
		e := full()
		e.Row = text
		got, err := Parse(e.AppendJSON(nil))
		require.NoError(t, err)
		require.Equal(t, e, got)
	}
	e := full()
	e.Row = "<b>"
	require.NotContains(t, string(e.AppendJSON(nil)), "<b>", "safe inside a page, too")
	e.Row = strings.Repeat("\u65e5", maxText)
	got, err := Parse(e.AppendJSON(nil))
	require.NoError(t, err)
	require.LessOrEqual(t, len(got.Row), maxText)
	require.True(t, utf8.ValidString(got.Row) && strings.HasSuffix(got.Row, "\u65e5..."), got.Row)
	e.Row = "bad \xff text"
	got, err = Parse(e.AppendJSON(nil))
	require.NoError(t, err)
	require.Equal(t, "bad \uFFFD text", got.Row)
}

func TestKeyKeepsRowsApart(t *testing.T) {
	t.Parallel()
	e := full()
	require.Equal(t, "app.articles/7/bob%2Fsmith", e.Key())
	e.Row = ""
	require.Empty(t, e.Key())
	e.Row, e.Table = "7", ""
	require.Empty(t, e.Key())
}

func TestDurableOutcomes(t *testing.T) {
	t.Parallel()
	for outcome, want := range map[Outcome]bool{
		Indexed: true, MetadataOnly: true, Deleted: true, Stale: false, Superseded: false, Ignored: false, Poison: false, "": false,
	} {
		require.Equal(t, want, outcome.Durable(), outcome)
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	e := full()
	buffer := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buffer = e.AppendJSON(buffer[:0])
	}
}

func BenchmarkParse(b *testing.B) {
	e := full()
	text := e.AppendJSON(nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}
