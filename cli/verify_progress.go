package cli

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/cwriter"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/rowvec/rowvec/function/verify"
)

// display shows how far a comparison is. Its methods may be called from several goroutines; close comes last.
type display interface {
	progress(verify.Progress)
	waiting(cause string)
	close()
}

// progress picks the display: a bar on a terminal, lines elsewhere, nothing beside JSON.
func (o *verifyOptions) progress(out io.Writer) display {
	file, isFile := out.(*os.File)
	switch {
	case o.asJSON:
		return silent{}
	case isFile && drawable(int(file.Fd())):
		return newBar(out)
	default:
		return &lines{out: out, every: 5 * time.Second, last: time.Now()}
	}
}

// drawable reports whether a bar can be redrawn there: it is a terminal, and one that knows its size.
func drawable(fd int) bool {
	width, height, err := cwriter.GetSize(fd)
	return cwriter.IsTerminal(fd) && err == nil && width > 0 && height > 0
}

type silent struct{}

func (silent) progress(verify.Progress) {}
func (silent) waiting(string)           {}
func (silent) close()                   {}

// status is the text of a bar or line.
type status struct {
	mu    sync.Mutex
	last  verify.Progress
	cause string
}

// set notes a state and reports whether it is another phase.
func (s *status) set(p verify.Progress) (turned bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	turned = p.Phase != s.last.Phase
	s.last = p
	return turned
}

func (s *status) wait(cause string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cause = cause
}

func (s *status) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := s.last.Table + " " + s.last.Phase
	if s.last.Total > 0 {
		text += fmt.Sprintf(" %d of about %d", s.last.Done, s.last.Total)
	}
	if s.last.Faults > 0 {
		text += fmt.Sprintf(", %d faults", s.last.Faults)
	}
	if s.cause != "" {
		text += ", waiting: " + snippet(s.cause)
	}
	return text
}

// lines prints a line for each phase, and now and then within one.
type lines struct {
	status

	out   io.Writer
	every time.Duration
	last  time.Time
}

func (l *lines) progress(p verify.Progress) {
	if turned := l.set(p); turned || time.Since(l.last) >= l.every {
		l.last = time.Now()
		fmt.Fprintln(l.out, l.text())
	}
}

func (l *lines) waiting(cause string) { l.wait(cause) }
func (l *lines) close()               {}

// bar is one line of a terminal.
type bar struct {
	status

	bars *mpb.Progress
	bar  *mpb.Bar
}

const refreshEvery = 150 * time.Millisecond

func newBar(out io.Writer) *bar {
	b := &bar{bars: mpb.New(mpb.WithOutput(out), mpb.WithRefreshRate(refreshEvery), mpb.WithWidth(40))}
	b.bar = b.bars.AddBar(0, mpb.BarRemoveOnComplete(), mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return " " + b.text() })))
	return b
}

func (b *bar) progress(p verify.Progress) {
	b.set(p)
	b.bar.SetTotal(int64(p.Total)+1, false) // never full before close
	b.bar.SetCurrent(int64(p.Done))
}

func (b *bar) waiting(cause string) { b.wait(cause) }

func (b *bar) close() {
	b.bar.Abort(true)
	b.bars.Wait()
}
