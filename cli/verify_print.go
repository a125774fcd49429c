package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/rowvec/rowvec/function/verify"
)

func (r *verifyResult) write(w io.Writer, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(r); err != nil {
			return fmt.Errorf("print the result: %w", err)
		}
		return nil
	}
	for _, t := range r.Tables {
		if err := writeReport(w, t); err != nil {
			return fmt.Errorf("print the result: %w", err)
		}
	}
	return nil
}

// writeReport prints one table: the verdict, the counts, the first faults of each kind. Reports hold no control characters.
func writeReport(w io.Writer, r *verify.Report) error {
	fmt.Fprintf(w, "%s: %s\n", r.Table, verdict(r))
	if r.Error != "" {
		return nil
	}
	writeNotes(w, r)
	if r.Repair != nil {
		writeRepair(w, r.Repair)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, kind := range verify.Kinds() {
		if r.Faults[kind] == 0 {
			continue
		}
		fmt.Fprintf(t, "  %s: %d\n", kind, r.Faults[kind])
		fmt.Fprintln(t, "    ROW\tEXPECTED\tFOUND")
		for _, e := range r.Examples[kind] {
			fmt.Fprintf(t, "    %s\t%s\t%s\n", e.Row, snippet(e.Expected), snippet(e.Found))
		}
		if more := r.Faults[kind] - len(r.Examples[kind]); more > 0 {
			fmt.Fprintf(t, "    and %d more\n", more)
		}
	}
	return t.Flush() //nolint:wrapcheck // write says what was printed
}

func verdict(r *verify.Report) string {
	scope := fmt.Sprintf("%d rows and %d records compared in %.1f s", r.Rows, r.Records, r.Seconds)
	if r.Sampled > 0 {
		scope = "a sample of " + scope
	}
	switch {
	case r.Error != "":
		return "not compared: " + r.Error
	case r.Equal && r.Sampled > 0:
		return "no difference in " + scope
	case r.Equal:
		return "equal (" + scope + ")"
	case r.Clean():
		return "no difference in what could be compared (" + scope + ")"
	default:
		return fmt.Sprintf("NOT equal: %d faults (%s)", r.Total(), scope)
	}
}

func writeNotes(w io.Writer, r *verify.Report) {
	if r.OnTheWay > 0 {
		fmt.Fprintf(w, "  %d rows differed at first: their changes were still on the way\n", r.OnTheWay)
	}
	if r.Unsettled > 0 {
		fmt.Fprintf(w, "  %d rows changed each time they were compared: run it again when they change less\n", r.Unsettled)
	}
	if r.Foreign > 0 {
		fmt.Fprintf(w, "  %d records of others in the collection: left alone\n", r.Foreign)
	}
	for _, u := range r.Unchecked {
		values := ""
		if u.Values > 0 {
			values = fmt.Sprintf(" (%d values)", u.Values)
		}
		fmt.Fprintf(w, "  not checked: %s%s: %s\n", u.What, values, u.Why)
	}
}

func writeRepair(w io.Writer, r *verify.Repair) {
	var parts []string
	for _, kind := range verify.Kinds() {
		if n := r.Mended[kind]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, kind))
		}
	}
	if len(parts) == 0 {
		parts = []string{"nothing"}
	}
	fmt.Fprintf(w, "  mended: %s\n", strings.Join(parts, ", "))
	if r.Refused != "" {
		fmt.Fprintf(w, "  not mended: %s\n", r.Refused)
	}
	for _, f := range r.Failed {
		fmt.Fprintf(w, "  not mended: row %s (%s): %s\n", f.Row, f.Kind, f.Reason)
	}
}
