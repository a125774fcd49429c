package progress

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
)

// barWidth is the number of characters of a bar between its brackets.
const barWidth = 24

// Task is one line of a board. A nil Task shows nothing, so that work can be written with a task and done without.
type Task struct {
	board *Board
	bar   *mpb.Bar
	name  string

	mu          sync.Mutex
	begun       time.Time // of the phase
	phase       string
	done, total int64
	unit        string
	over        bool
}

// Phase says what the task does now; the time shown counts from here.
func (t *Task) Phase(format string, args ...any) {
	t.set(false, fmt.Sprintf(format, args...))
}

// Amount shows a bar for the present phase: done of total, in unit ("MB", "rows"). It may be called often.
func (t *Task) Amount(done, total int64, unit string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done, t.total, t.unit = done, total, unit
}

// Done ends the task well, with a word on the result.
func (t *Task) Done(format string, args ...any) { t.set(true, "ready: "+fmt.Sprintf(format, args...)) }

// Fail ends the task badly. Only the first line of the error is shown: the whole of it goes to whoever called.
func (t *Task) Fail(err error) {
	first, _, _ := strings.Cut(err.Error(), "\n")
	t.set(true, "failed: "+first)
}

func (t *Task) set(over bool, phase string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	if t.over || (t.phase == phase && !over) {
		t.mu.Unlock()
		return
	}
	t.phase, t.over, t.begun, t.done, t.total = phase, over, time.Now(), 0, 0
	t.mu.Unlock()
	t.board.print(t)
	if over {
		t.finish()
	}
}

// finish lets the terminal's line stand as it is.
func (t *Task) finish() {
	if t.bar != nil {
		t.bar.SetTotal(-1, true)
	}
}

func (t *Task) pending() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.over
}

// line is the task as text: name, phase, bar, time.
func (t *Task) line() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := fmt.Sprintf("%-10s %s", t.name, t.phase)
	if t.over {
		return text
	}
	if t.total > 0 {
		filled := int(min(t.done, t.total) * barWidth / t.total)
		text += fmt.Sprintf("  [%s%s] %d/%d %s", strings.Repeat("=", filled), strings.Repeat(" ", barWidth-filled), t.done, t.total, t.unit)
	}
	if waited := time.Since(t.begun); waited >= time.Second {
		text += fmt.Sprintf("  %ds", int(waited.Seconds()))
	}
	return text
}
