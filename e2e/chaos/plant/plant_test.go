package plant_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/e2e/chaos/plant"
)

var plants = []plant.Plant{
	{Number: 1, Row: "11", Stage: "embed", Reason: "bad_request"},
	{Number: 2, Row: "12", Stage: "embed", Reason: "bad_vector"},
	{Number: 12, Stage: "decode", Reason: "bad_payload"},
}

// letters are the right ones.
func letters() []plant.Letter {
	found := make([]plant.Letter, 0, len(plants))
	for _, p := range plants {
		found = append(found, plant.Letter{
			Payload: `{"body":"before"} ` + p.Mark() + `"`, Row: p.Row, Stage: p.Stage, Reason: p.Reason, MessageID: "1:" + p.Mark(),
		})
	}
	return found
}

func TestExact(t *testing.T) {
	t.Parallel()
	v := plant.Judge(plants, letters())
	require.True(t, v.Exact(), "%+v", v)
	require.Equal(t, plant.Verdict{Expected: 3, Letters: 3}, v)
	require.True(t, plant.Judge(nil, nil).Exact())
}

func TestTwiceIsCountedAndNoFault(t *testing.T) {
	t.Parallel()
	found := letters()
	again, resent := found[0], found[1]
	resent.MessageID = "2:7"
	v := plant.Judge(plants, append(found, again, resent))
	require.True(t, v.Exact(), "%+v", v)
	require.Equal(t, plant.Verdict{Expected: 3, Letters: 5, Again: 1, Resent: 1}, v)
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func([]plant.Letter) []plant.Letter
		want   func(plant.Verdict) []string
		says   string
	}{
		"missing": {
			func(l []plant.Letter) []plant.Letter { return l[1:] }, func(v plant.Verdict) []string { return v.Missing }, `plant-1: row "11"`,
		},
		"of no plant": {
			func(l []plant.Letter) []plant.Letter {
				return append(l, plant.Letter{Payload: "a good row", Row: "5", Reason: "bad_request", MessageID: "9"})
			},
			func(v plant.Verdict) []string { return v.Unexpected }, "a good row",
		},
		"of a plant that was not planted": {
			func(l []plant.Letter) []plant.Letter {
				return append(l, plant.Letter{Payload: "plant-123", MessageID: "9"})
			},
			func(v plant.Verdict) []string { return v.Unexpected }, "plant-123",
		},
		"another reason": {
			func(l []plant.Letter) []plant.Letter { l[1].Reason = "bad_request"; return l },
			func(v plant.Verdict) []string { return v.Wrong }, "plant-2",
		},
		"another row": {
			func(l []plant.Letter) []plant.Letter { l[0].Row = "12"; return l }, func(v plant.Verdict) []string { return v.Wrong }, "plant-1",
		},
		"another stage": {
			func(l []plant.Letter) []plant.Letter { l[2].Stage = "embed"; return l }, func(v plant.Verdict) []string { return v.Wrong }, "plant-12",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := plant.Judge(plants, c.change(letters()))
			require.False(t, v.Exact())
			require.Len(t, c.want(v), 1)
			require.Contains(t, c.want(v)[0], c.says)
			require.Len(t, append(append(v.Missing, v.Unexpected...), v.Wrong...), 1, "%+v", v)
		})
	}
}

// An update's payload tells both what the row was and what it is.
func TestTheLastMarkCounts(t *testing.T) {
	t.Parallel()
	found := letters()
	found[1].Payload = `{"before":{"body":"plant-1 unspeakable"},"after":{"body":"plant-2 innumerable"}}`
	require.True(t, plant.Judge(plants, found).Exact())
	require.Len(t, strings.Split(plant.Judge(plants, nil).Missing[2], ":"), 2, "the shortest first: %v", plant.Judge(plants, nil).Missing)
}
