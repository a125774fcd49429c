package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/rowvec/rowvec/deadletter"
)

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("print the result: %w", err)
	}
	return nil
}

// second is a time as tables show it.
func second(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

// shown is a value in a table or line: short, without control characters.
func shown(text string) string {
	if text == "" {
		return "-"
	}
	return snippet(text)
}

func (l *dlqListing) write(w io.Writer, asJSON bool) error {
	if asJSON {
		return printJSON(w, l)
	}
	if l.Total == 0 {
		fmt.Fprintf(w, "%s: no letters\n", l.Topic)
		return nil
	}
	fmt.Fprintf(w, "%s: %s\n\n", l.Topic, letters(l.Total))
	if err := writeCounts(w, l.Counts); err != nil {
		return err
	}
	return writeLetters(w, l.Letters, l.Total)
}

func letters(n int) string {
	if n == 1 {
		return "1 letter"
	}
	return fmt.Sprintf("%d letters", n)
}

func writeCounts(w io.Writer, counts []deadletter.Count) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "REASON\tTABLE\tLETTERS\tOLDEST\tNEWEST")
	for _, c := range counts {
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\n", shown(c.Reason), shown(c.Table), c.Letters, second(c.Oldest), second(c.Newest))
	}
	return flushed(t)
}

func flushed(t *tabwriter.Writer) error {
	if err := t.Flush(); err != nil {
		return fmt.Errorf("print the result: %w", err)
	}
	return nil
}

func writeLetters(w io.Writer, list []dlqLetter, total int) error {
	if len(list) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "TIME\tREASON\tTABLE\tROW\tREDRIVEN\tID\tMESSAGE")
	for _, l := range list {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n",
			second(l.Time), shown(l.Reason), shown(l.Table), shown(l.Row), l.Redriven, l.ID, shown(l.Message))
	}
	if err := flushed(t); err != nil {
		return err
	}
	if more := total - len(list); more > 0 {
		fmt.Fprintf(w, "and %d more\n", more)
	}
	return nil
}

func (r *dlqResult) write(w io.Writer, asJSON bool) error {
	if asJSON {
		return printJSON(w, r)
	}
	verb := r.verb
	if r.DryRun {
		verb = "would be " + verb
	}
	fmt.Fprintf(w, "%s: %s %s\n", r.Topic, letters(r.Done), verb)
	for _, left := range []struct {
		n   int
		why string
	}{
		{r.InVain, fmt.Sprintf("redriven %d times for nothing: mend the cause, then --again", deadletter.MaxInVain)},
		{r.Foreign, "not of a function of rowvec: no " + deadletter.PropSourceTopic},
		{r.NoSource, "their source topic cannot be sent to"},
		{r.Failed, "the broker did not take them"},
	} {
		if left.n > 0 {
			fmt.Fprintf(w, "  %d left: %s\n", left.n, left.why)
		}
	}
	for _, e := range r.Errors {
		fmt.Fprintf(w, "  %s\n", e)
	}
	if len(r.Counts) > 0 {
		fmt.Fprintln(w)
		if err := writeCounts(w, r.Counts); err != nil {
			return err
		}
	}
	return writeLetters(w, r.Letters, r.Done)
}

func (d *dlqDetail) write(w io.Writer, asJSON bool) error {
	if asJSON {
		return printJSON(w, d)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(name, value string) {
		if value != "" && value != "-" {
			fmt.Fprintf(t, "%s\t%s\n", name, value)
		}
	}
	line("id", d.ID)
	line("reason", strings.TrimSpace(plainText(d.Reason)+" "+within(d.Stage, d.Class)))
	line("message", plainText(d.Message))
	line("advice", d.Advice)
	line("table", plainText(d.Table))
	line("row", plainText(d.Row))
	line("version", plainText(d.Version))
	line("first attempt", second(d.FirstAttempt))
	line("last attempt", second(d.LastAttempt))
	line("given up", second(d.Time))
	line("attempts", strconv.Itoa(d.Attempts))
	line("redriven", strconv.Itoa(d.Redriven))
	for _, f := range d.History {
		line("before", fmt.Sprintf("%s ×%d, %s to %s", plainText(f.Reason), f.Times, second(f.First), second(f.Last)))
	}
	line("source topic", plainText(d.SourceTopic))
	line("message id", plainText(d.MessageID))
	line("published", second(d.PublishTime))
	line("event time", second(d.EventTime))
	line("function", plainText(d.Function))
	line("instance", plainText(d.Instance))
	line("left out", plainText(d.Properties[deadletter.PropOmitted]))
	for _, name := range slices.Sorted(maps.Keys(d.Properties)) {
		if !strings.HasPrefix(name, deadletter.Prefix) {
			line("property "+plainText(name), plainText(d.Properties[name]))
		}
	}
	if err := flushed(t); err != nil {
		return err
	}
	return d.writeBodies(w)
}

// writeBodies prints key and payload, JSON indented.
func (d *dlqDetail) writeBodies(w io.Writer) error {
	for _, body := range []struct {
		name string
		v    any
	}{{"key", d.Key}, {"ordering key", d.OrderingKey}, {"payload", d.Payload}} {
		if body.v == nil {
			continue
		}
		var text strings.Builder
		if err := printJSON(&text, body.v); err != nil {
			return err
		}
		fmt.Fprintf(w, "\n%s:\n", body.name)
		for line := range strings.Lines(text.String()) {
			fmt.Fprintln(w, plainText(strings.TrimSuffix(line, "\n")))
		}
	}
	return nil
}

func within(stage, class string) string {
	parts := slices.DeleteFunc([]string{plainText(class), plainText(stage)}, func(s string) bool { return s == "" })
	if len(parts) == 0 {
		return ""
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// plainText has no control characters, which a terminal would obey, nor those that turn the direction of writing.
func plainText(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return ' '
		}
		return r
	}, text)
}
