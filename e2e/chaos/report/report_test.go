package report_test

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/e2e/chaos/report"
	"github.com/rowvec/rowvec/e2e/chaos/schedule"
)

// sample is what a run could be like.
func sample(length time.Duration) *report.Report {
	r := &report.Report{Seed: 7, Length: length, Totals: []report.Total{{Name: "changes", Value: "9,000 of the workload"}, {Name: "looks", Value: "480"}}}
	for _, f := range schedule.Draw(7, length) {
		r.Faults = append(r.Faults, report.Fault{Name: f.Name, Component: f.Component, At: f.At, Held: f.Hold, Recovery: (f.Cost - f.Hold) / 3})
	}
	fault := 0
	for n := range int(length.Seconds()) {
		at := time.Duration(n) * time.Second
		for fault+1 < len(r.Faults) && r.Faults[fault+1].At <= at {
			fault++
		}
		f := r.Faults[fault]
		s := report.Second{Settled: 30 + n%7, Freshness: 150 * time.Millisecond, Resident: int64(45+n%3) << 20}
		switch since := at - f.At; {
		case since >= 0 && since < f.Held:
			s.Settled, s.Freshness = 0, 0
		case since >= f.Held && since < f.Held+2*time.Second:
			s.Settled, s.Freshness = 30*int(1+f.Held.Seconds()), f.Held+time.Second
		}
		r.Seconds = append(r.Seconds, s)
	}
	return r
}

func TestText(t *testing.T) {
	t.Parallel()
	r := &report.Report{
		Seed: 3, Length: 5 * time.Minute,
		Faults: []report.Fault{
			{Name: "chroma killed", At: 65 * time.Second, Held: 1500 * time.Millisecond, Recovery: 2 * time.Second},
			{Name: "broker restarted", At: 25 * time.Minute, Held: 31 * time.Second, Recovery: 12340 * time.Millisecond},
		},
		Totals: []report.Total{{Name: "changes", Value: "12"}, {Name: "dead letters", Value: "3 for 3"}},
	}
	require.Equal(t, `Chaos of seed 3, 5m0s: 2 faults

   #      at      held   recovered after  fault
   1    1:05     1.5 s             2.0 s  chroma killed
   2   25:00    31.0 s            12.3 s  broker restarted

changes       12
dead letters  3 for 3
`, r.Text())
}

// drawn reads an SVG: its texts, and how many elements of each name it has. Numbers must be numbers.
func drawn(t *testing.T, svg string) (texts []string, elements map[string]int) {
	t.Helper()
	elements = map[string]int{}
	decoder := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return texts, elements
		}
		require.NoError(t, err, "the picture is well-formed")
		switch element := token.(type) {
		case xml.StartElement:
			elements[element.Name.Local]++
			for _, a := range element.Attr {
				if v, err := strconv.ParseFloat(a.Value, 64); err == nil {
					require.False(t, math.IsNaN(v) || math.IsInf(v, 0), "%s of %s", a.Name.Local, element.Name.Local)
				}
				require.NotContains(t, a.Value, "NaN")
			}
		case xml.CharData:
			if text := strings.TrimSpace(string(element)); text != "" {
				texts = append(texts, text)
			}
		}
	}
}

func TestPicture(t *testing.T) {
	t.Parallel()
	for _, length := range []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute} {
		r := sample(length)
		texts, elements := drawn(t, r.Picture())
		for _, f := range r.Faults {
			require.Contains(t, texts, f.Name)
		}
		for _, c := range schedule.Components() {
			require.Contains(t, texts, c, "the legend has every part")
		}
		require.Contains(t, texts, "0:00")
		require.Contains(t, texts, "100 ms")
		require.Contains(t, texts, "10 s")
		require.GreaterOrEqual(t, elements["path"], 4, "three curves, one of them with its area")
		require.GreaterOrEqual(t, elements["rect"], 2*len(r.Faults))
		if dir := os.Getenv("CHAOS_SAMPLE"); dir != "" { // for looking at it
			require.NoError(t, os.WriteFile(dir+"/sample-"+length.String()+".svg", []byte(r.Picture()), 0o600))
		}
	}
}

// What a run that failed at once leaves can be drawn, too.
func TestPictureOfNothing(t *testing.T) {
	t.Parallel()
	texts, _ := drawn(t, (&report.Report{}).Picture())
	require.Contains(t, texts, "Chaos of seed 0: 0 faults in 0s")
	texts, _ = drawn(t, (&report.Report{
		Length: time.Second, Seconds: []report.Second{{}}, Faults: []report.Fault{{Name: `a < b & "c"`, Component: "another", At: time.Hour}},
	}).Picture())
	require.Contains(t, texts, `a < b & "c"`)
}
