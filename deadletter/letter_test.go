package deadletter

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 5, 6, 12, 0, 0, 0, time.UTC)

func TestALetterIsReadFromItsProperties(t *testing.T) {
	t.Parallel()
	p := map[string]string{
		"own": "kept", PropClass: Class, PropReason: "bad_request", PropStage: "embed", PropMessage: "no", PropTable: "app.a", PropRow: "7",
		PropVersion: "4711@1700000000000", PropSourceTopic: "t", PropMessageID: "1:2:0:-1", PropFunction: "a/b/c", PropInstance: "3",
		PropAttempts: "2", PropTime: Timestamp(noon), PropPublishTime: Timestamp(noon.Add(-time.Hour)), PropRedriven: "1",
		PropHistory:      `[{"reason":"too_large","stage":"embed","times":1,"last":"2026-05-06T11:00:00Z"}]`,
		PropFirstAttempt: Timestamp(noon.Add(-30 * time.Minute)), PropLastAttempt: Timestamp(noon),
	}
	l := Read(Message{ID: "5:6", Payload: []byte("x"), Key: "k", OrderingKey: "o", PublishTime: noon.Add(time.Minute), Properties: p})
	require.Equal(t, Letter{
		Life: Life{
			FirstAttempt: noon.Add(-30 * time.Minute), LastAttempt: noon, Redriven: 1,
			History: []Failure{{Reason: "too_large", Stage: "embed", Times: 1, Last: noon.Add(-time.Hour)}},
		},
		ID: "5:6", Class: "poison", Reason: "bad_request", Stage: "embed", Message: "no", Table: "app.a", Row: "7", Version: "4711@1700000000000",
		SourceTopic: "t", MessageID: "1:2:0:-1", Function: "a/b/c", Instance: "3", Attempts: 2, Time: noon, PublishTime: noon.Add(-time.Hour),
		Payload: []byte("x"), Key: "k", OrderingKey: "o", Properties: p,
	}, l)
	require.Equal(t, map[string]string{"own": "kept"}, l.Own())
}

func TestALetterOfNobody(t *testing.T) {
	t.Parallel()
	l := Read(Message{PublishTime: noon, Properties: map[string]string{PropAttempts: "x", PropTime: "y", PropHistory: "[", PropRedriven: "-4"}})
	require.Equal(t, noon, l.Time, "when it was published")
	require.Zero(t, l.Attempts)
	require.Zero(t, l.Redriven)
	require.Empty(t, l.History)
	require.Contains(t, l.Advice(), "Not a dead letter of rowvec")
}

func TestALifeGoesOn(t *testing.T) {
	t.Parallel()
	properties := map[string]string{}
	fail := func(hour int, reason string) Life {
		l := NextLife(properties, noon.Add(time.Duration(hour)*time.Hour-time.Minute), noon.Add(time.Duration(hour)*time.Hour))
		properties = map[string]string{PropReason: reason, PropStage: "embed", PropTime: Timestamp(noon.Add(time.Duration(hour) * time.Hour))}
		l.Write(properties)
		return l
	}
	first := fail(0, "a")
	require.Equal(t, Life{FirstAttempt: noon.Add(-time.Minute), LastAttempt: noon}, first)
	require.Zero(t, first.InVain("a"))
	require.Equal(t, 1, fail(1, "a").InVain("a"))
	third := fail(2, "b")
	require.Zero(t, third.InVain("b"))
	require.Equal(t, []Failure{{Reason: "a", Stage: "embed", Times: 2, First: noon, Last: noon.Add(time.Hour)}}, third.History)
	for hour := range MaxInVain {
		l := Letter{Life: fail(3+hour, "b"), Reason: "b"}
		require.Equal(t, hour+1, l.InVain("b"))
		require.Equal(t, hour+1 >= MaxInVain, l.Hopeless())
	}
	for n := range 3 * MaxHistory {
		fail(10+n, string(rune('c'+n)))
	}
	last := ReadLife(properties)
	require.Len(t, last.History, MaxHistory, "bounded")
	require.Equal(t, noon.Add(-time.Minute), last.FirstAttempt, "never forgotten")
	require.Equal(t, 3*MaxHistory+2+MaxInVain, last.Redriven)
}

// A letter holds all that is remembered, so what no function wrote is not.
func TestALifeBelievesNoLongWords(t *testing.T) {
	t.Parallel()
	word, long := strings.Repeat("w", 512), strings.Repeat("w", 513)
	claimed := map[string]string{
		PropReason: long, PropStage: "embed", PropTime: Timestamp(noon),
		PropHistory: `[{"reason":"` + long + `","times":1},{"reason":"` + word + `","times":1},{"reason":"a","stage":"` + long + `","times":1}]`,
	}
	require.Equal(t, []Failure{{Reason: word, Times: 1}}, ReadLife(claimed).History)
	next := NextLife(claimed, noon, noon)
	require.Equal(t, []Failure{{Reason: word, Times: 1}}, next.History)
	require.Equal(t, 1, next.Redriven)
}

// A letter of a build that told neither attempts nor history, sent again by hand.
func TestALifeThatBeganBeforeItWasTold(t *testing.T) {
	t.Parallel()
	old := map[string]string{PropReason: "a", PropTime: Timestamp(noon)}
	l := NextLife(old, noon.Add(time.Hour), noon.Add(time.Hour))
	require.Equal(t, Life{
		FirstAttempt: noon, LastAttempt: noon.Add(time.Hour), Redriven: 1, History: []Failure{{Reason: "a", Times: 1, First: noon, Last: noon}},
	}, l)
}

func TestFilter(t *testing.T) {
	t.Parallel()
	l := &Letter{ID: "1:2", Reason: "a", Table: "app.t", Row: "7", Time: noon}
	for name, c := range map[string]struct {
		f    Filter
		want bool
	}{
		"nothing":       {Filter{}, true},
		"one of two":    {Filter{Reasons: []string{"b", "a"}}, true},
		"another":       {Filter{Reasons: []string{"b"}}, false},
		"all of them":   {Filter{IDs: []string{"1:2"}, Reasons: []string{"a"}, Tables: []string{"app.t"}, Rows: []string{"7"}}, true},
		"not all":       {Filter{Reasons: []string{"a"}, Rows: []string{"8"}}, false},
		"another id":    {Filter{IDs: []string{"1:3"}}, false},
		"another table": {Filter{Tables: []string{"app.u"}}, false},
		"since then":    {Filter{Since: noon}, true},
		"since later":   {Filter{Since: noon.Add(1)}, false},
		"until then":    {Filter{Until: noon}, false},
		"until later":   {Filter{Until: noon.Add(1)}, true},
	} {
		require.Equal(t, c.want, c.f.Match(l), name)
		require.Equal(t, name == "nothing", c.f.Empty(), name)
	}
}

func TestTally(t *testing.T) {
	t.Parallel()
	tally := Tally{}
	for i, reason := range []string{"b", "a", "b", "c"} {
		tally.Add(&Letter{Reason: reason, Table: "t", Time: noon.Add(time.Duration(-i) * time.Hour)})
	}
	require.Equal(t, []Count{
		{Reason: "b", Table: "t", Letters: 2, Oldest: noon.Add(-2 * time.Hour), Newest: noon},
		{Reason: "a", Table: "t", Letters: 1, Oldest: noon.Add(-time.Hour), Newest: noon.Add(-time.Hour)},
		{Reason: "c", Table: "t", Letters: 1, Oldest: noon.Add(-3 * time.Hour), Newest: noon.Add(-3 * time.Hour)},
	}, tally.Counts())
}

func TestAdvice(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ reason, stage, want string }{
		{"text_too_long", "plan", "overflow: truncate"},
		{"bad_envelope", "decode", "not what a Debezium source publishes"},
		{"too_large", "decode", "not what a Debezium source publishes"},
		{"too_large", "embed", "in one request"},
		{"something_new", "write", "what the message says"},
	} {
		l := Letter{Reason: c.reason, Stage: c.stage, SourceTopic: "t"}
		require.Contains(t, l.Advice(), c.want, c.reason)
	}
}

// FuzzReadLife: properties are what anybody may have written.
func FuzzReadLife(f *testing.F) {
	f.Add(`[{"reason":"a","times":1,"last":"2026-05-06T11:00:00Z"}]`, "3", "2026-05-06T11:00:00Z")
	f.Add("null", "9223372036854775807", "")
	f.Fuzz(func(t *testing.T, history, redriven, at string) {
		p := map[string]string{PropHistory: history, PropRedriven: redriven, PropFirstAttempt: at, PropReason: "x"}
		l := NextLife(p, noon, noon)
		out := map[string]string{}
		l.Write(out)
		require.LessOrEqual(t, len(ReadLife(out).History), MaxHistory)
		require.Positive(t, ReadLife(out).Redriven)
	})
}
