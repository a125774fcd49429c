package cli

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/rowvec/rowvec/deadletter/mailbox"
)

// dlqDisplay shows how far a walk through the letters is: a bar on a terminal, a line now and then elsewhere, nothing beside JSON. Its
// methods are called by one goroutine.
type dlqDisplay interface {
	progress(mailbox.Progress)
	close()
}

func (o *dlqOptions) display(out io.Writer, verb string) dlqDisplay {
	file, isFile := out.(*os.File)
	switch {
	case o.asJSON:
		return dlqSilent{}
	case isFile && drawable(int(file.Fd())):
		return newDLQBar(out, verb)
	default:
		return &dlqLines{out: out, verb: verb, every: 5 * time.Second, last: time.Now()}
	}
}

func dlqStatus(p mailbox.Progress, verb string) string {
	text := fmt.Sprintf("%d of about %d messages", min(p.Passed, p.Entries), p.Entries)
	if p.Done > 0 {
		text += fmt.Sprintf(", %d %s", p.Done, verb)
	}
	if p.Skipped > 0 {
		text += fmt.Sprintf(", %d left", p.Skipped)
	}
	return text
}

type dlqSilent struct{}

func (dlqSilent) progress(mailbox.Progress) {}
func (dlqSilent) close()                    {}

type dlqLines struct {
	out   io.Writer
	verb  string
	every time.Duration
	last  time.Time
}

func (l *dlqLines) progress(p mailbox.Progress) {
	if time.Since(l.last) >= l.every {
		l.last = time.Now()
		fmt.Fprintln(l.out, dlqStatus(p, l.verb))
	}
}

func (*dlqLines) close() {}

type dlqBar struct {
	bars *mpb.Progress
	bar  *mpb.Bar

	mu   sync.Mutex // the bar draws from a goroutine of its own
	last mailbox.Progress
}

func newDLQBar(out io.Writer, verb string) *dlqBar {
	b := &dlqBar{bars: mpb.New(mpb.WithOutput(out), mpb.WithRefreshRate(refreshEvery), mpb.WithWidth(40))}
	text := decor.Any(func(decor.Statistics) string {
		b.mu.Lock()
		defer b.mu.Unlock()
		return " " + dlqStatus(b.last, verb)
	})
	b.bar = b.bars.AddBar(0, mpb.BarRemoveOnComplete(), mpb.AppendDecorators(text))
	return b
}

func (b *dlqBar) progress(p mailbox.Progress) {
	b.mu.Lock()
	b.last = p
	b.mu.Unlock()
	b.bar.SetTotal(int64(max(p.Entries, p.Passed))+1, false) // never full before close
	b.bar.SetCurrent(int64(p.Passed))
}

func (b *dlqBar) close() {
	b.bar.Abort(true)
	b.bars.Wait()
}
