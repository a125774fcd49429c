package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/vbauerster/mpb/v8/cwriter"
)

// screen writes what the demo shows: emphasis on a terminal, plain lines anywhere else.
type screen struct {
	out   io.Writer
	plain bool
}

func newScreen(out io.Writer) *screen {
	file, ok := out.(*os.File)
	terminal := ok && cwriter.IsTerminal(int(file.Fd()))
	return &screen{out: out, plain: !terminal || os.Getenv("NO_COLOR") != ""} // https://no-color.org
}

// The emphasis of a terminal (ECMA-48).
const (
	bold = "1"
	cyan = "36"
)

func (s *screen) style(code, text string) string {
	if s.plain {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// section begins a part.
func (s *screen) section(number int, title string) {
	heading := fmt.Sprintf("%d. %s", number, title)
	fmt.Fprintf(s.out, "\n%s\n%s\n", s.style(bold, heading), strings.Repeat("-", len([]rune(heading))))
}

func (s *screen) line(format string, args ...any) { fmt.Fprintf(s.out, format+"\n", args...) }

func (s *screen) blank() { fmt.Fprintln(s.out) }

// command shows a command before it runs, so that it can be copied.
func (s *screen) command(line string) { fmt.Fprintf(s.out, "\n%s\n", s.style(cyan, "$ "+line)) }

// output shows what a command printed.
func (s *screen) output(text string) { fmt.Fprint(s.out, indent(text, "  ")) }

// table aligns rows of cells.
func (s *screen) table(rows [][]string) {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, cells := range rows {
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	_ = w.Flush() // into memory
	s.output(text.String())
}

// indent puts a margin before each line that is not empty, and ends with a line end; nothing stays nothing.
func indent(text, margin string) string {
	text = strings.Trim(text, "\n")
	if text == "" {
		return ""
	}
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		if l = strings.TrimRight(l, " \t\r"); l != "" {
			l = margin + l
		}
		lines[i] = l
	}
	return strings.Join(lines, "\n") + "\n"
}

// round is a duration for people.
func round(d time.Duration) string {
	if d >= time.Minute {
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
