// Package progress shows what several tasks at once are doing: as live lines on a terminal, as plain lines anywhere else.
package progress

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/cwriter"
	"github.com/vbauerster/mpb/v8/decor"
)

const (
	// refreshEvery is how often the lines on a terminal are drawn anew.
	refreshEvery = 150 * time.Millisecond
	// reminderEvery is how often a plain line says that a task still works on the same thing: a log should show a wait, not be filled by it.
	reminderEvery = 10 * time.Second
)

// Board is a set of lines, one for each task. Its methods may be called from several goroutines.
type Board struct {
	out   io.Writer
	bars  *mpb.Progress // nil when plain
	begun time.Time

	mu    sync.Mutex
	tasks []*Task
	stop  chan struct{}
	ended sync.WaitGroup
}

// New opens a board on out; nil shows nothing. Close must be called before anybody else writes there.
func New(out io.Writer) *Board {
	b := &Board{out: out, begun: time.Now(), stop: make(chan struct{})}
	if out == nil {
		b.out = io.Discard
	}
	if file, ok := out.(*os.File); ok && drawable(int(file.Fd())) {
		b.bars = mpb.New(mpb.WithOutput(out), mpb.WithRefreshRate(refreshEvery))
		return b
	}
	b.ended.Go(b.remind)
	return b
}

// drawable reports whether lines can be redrawn there: it is a terminal, and one that knows its size.
func drawable(fd int) bool {
	width, height, err := cwriter.GetSize(fd)
	return cwriter.IsTerminal(fd) && err == nil && width > 0 && height > 0
}

// Task adds a line. The name should be short and stand for the whole task.
func (b *Board) Task(name string) *Task {
	t := &Task{board: b, name: name, begun: time.Now(), phase: "waiting"}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tasks = append(b.tasks, t)
	if b.bars != nil {
		draw := mpb.BarFillerFunc(func(w io.Writer, s decor.Statistics) error {
			_, err := io.WriteString(w, cut(t.line(), s.AvailableWidth))
			return err
		})
		t.bar = b.bars.MustAdd(0, draw, mpb.BarFillerTrim())
	}
	return t
}

// Close ends the board and leaves the last state of its lines on the screen.
func (b *Board) Close() {
	b.mu.Lock()
	select {
	case <-b.stop:
	default:
		close(b.stop)
	}
	for _, t := range b.tasks {
		t.finish()
	}
	b.mu.Unlock()
	b.ended.Wait()
	if b.bars != nil {
		b.bars.Wait()
	}
}

// remind says now and then what plain tasks still wait for.
func (b *Board) remind() {
	tick := time.NewTicker(reminderEvery)
	defer tick.Stop()
	for {
		select {
		case <-b.stop:
			return
		case <-tick.C:
		}
		b.mu.Lock()
		tasks := append([]*Task(nil), b.tasks...)
		b.mu.Unlock()
		for _, t := range tasks {
			if t.pending() {
				b.print(t)
			}
		}
	}
}

// print writes a plain line; on a terminal the line is redrawn without it.
func (b *Board) print(t *Task) {
	if b.bars != nil {
		return
	}
	line := t.line()
	b.mu.Lock()
	defer b.mu.Unlock()
	_, _ = fmt.Fprintf(b.out, "%6.1fs  %s\n", time.Since(b.begun).Seconds(), strings.TrimRight(line, " ")) // nobody to tell when the output is gone
}

// cut keeps a line within the terminal's width: a wrapped line cannot be redrawn in place.
func cut(line string, width int) string {
	runes := []rune(line)
	if width <= 0 || len(runes) <= width {
		return line
	}
	return string(runes[:width-1]) + "…"
}
