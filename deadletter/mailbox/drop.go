package mailbox

import (
	"context"
	"errors"

	"github.com/rowvec/rowvec/deadletter"
)

// work is what redriving and dropping have in common.
type work struct {
	options   Options
	registrar *registrar
	tally     deadletter.Tally
	result    *Result
	at        Progress
}

func newWork(s *Survey, o Options) *work {
	return &work{
		options: o, registrar: s.box.registrar(), tally: deadletter.Tally{}, result: &Result{Errors: []string{}}, at: Progress{Entries: s.Entries},
	}
}

func (w *work) passed() {
	w.at.Passed++
	w.report()
}

func (w *work) report() {
	if w.options.Report != nil {
		w.at.Done, w.at.Skipped = w.result.Done, w.result.InVain+w.result.Foreign+w.result.NoSource
		w.options.Report(w.at)
	}
}

// count counts letters as done.
func (w *work) count(letters []*Letter) {
	for _, l := range letters {
		w.result.Done++
		w.tally.Add(&l.Letter)
		if w.options.Each != nil {
			w.options.Each(l)
		}
	}
	w.report()
}

func (w *work) finish() *Result {
	w.result.Counts = w.tally.Counts()
	return w.result
}

// Drop acknowledges letters: they are gone. When ctx ends, the rest stays. The result is there beside an error, too.
func (s *Survey) Drop(ctx context.Context, o Options) (*Result, error) {
	w := newWork(s, o)
	defer w.registrar.close()
	var round []*Letter
	flush := func() error {
		letters := round
		round = nil
		if !o.DryRun && len(letters) > 0 {
			if err := w.registrar.acknowledge(ctx, letters); err != nil {
				return err
			}
		}
		w.count(letters)
		return nil
	}
	err := s.Read(ctx, w.passed, func(l *Letter) error {
		if !o.Filter.Match(&l.Letter) {
			return nil
		}
		w.result.Matched++
		l.Payload = nil
		round = append(round, l)
		full := o.Limit > 0 && w.result.Done+len(round) >= o.Limit
		if full || len(round) >= roundLetters {
			if err := flush(); err != nil {
				return err
			}
		}
		if full {
			return ErrStop
		}
		return nil
	})
	var silent *SilentError
	if err == nil || errors.As(err, &silent) {
		err = errors.Join(err, flush())
	}
	return w.finish(), err
}
