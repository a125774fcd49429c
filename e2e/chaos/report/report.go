// Package report writes what a chaos run was like: a table for reading, and a picture of throughput, freshness and memory over time with the faults marked.
package report

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is one run.
type Report struct {
	Seed    uint64
	Length  time.Duration // as asked for
	Faults  []Fault
	Totals  []Total
	Seconds []Second // from the start of the run
}

// Fault is one that happened. Times are from the start of the run.
type Fault struct {
	Name      string
	Component string
	At        time.Duration
	Held      time.Duration // until what failed was given back
	Recovery  time.Duration // from there until fresh rows were in the index
}

// Total is one figure of the whole run, with its unit.
type Total struct{ Name, Value string }

// Second is what happened within one second.
type Second struct {
	Settled   int           // records
	Freshness time.Duration // from commit to index, of the slowest in a hundred; 0 where nothing became durable
	Resident  int64         // bytes of the larger instance; 0 where none ran
}

// Text is the report as tables.
func (r *Report) Text() string {
	var out strings.Builder
	_, _ = fmt.Fprintf(&out, "Chaos of seed %d, %v: %d faults\n\n", r.Seed, r.Length, len(r.Faults)) // a strings.Builder takes everything
	_, _ = fmt.Fprintf(&out, "%4s%8s%10s%18s  %s\n", "#", "at", "held", "recovered after", "fault")
	for n, f := range r.Faults {
		_, _ = fmt.Fprintf(&out, "%4d%8s%10s%18s  %s\n", n+1, clock(f.At), seconds(f.Held), seconds(f.Recovery), f.Name)
	}
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w)
	for _, t := range r.Totals {
		_, _ = fmt.Fprintf(w, "%s\t%s\n", t.Name, t.Value)
	}
	_ = w.Flush()
	return out.String()
}

func clock(d time.Duration) string {
	d = d.Round(time.Second)
	return fmt.Sprintf("%d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
