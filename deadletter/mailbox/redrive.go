package mailbox

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	"golang.org/x/time/rate"

	"github.com/rowvec/rowvec/deadletter"
)

// Options choose letters and say how they are treated.
type Options struct {
	Filter deadletter.Filter
	Limit  int            // of letters that are treated; 0: all
	DryRun bool           // only say what would be done
	Each   func(*Letter)  // called for each letter that was, or would be, treated; may be nil
	Report func(Progress) // called after each step; may be nil

	Again bool    // redrive: also what was redriven deadletter.MaxInVain times for nothing
	Rate  float64 // redrive: letters per second; 0: as fast as the broker confirms
}

// Progress is how far a redrive or a drop is.
type Progress struct {
	Passed, Entries int // messages looked at, and about how many there are
	Done            int // letters redriven or dropped
	Skipped         int
}

// Result says what became of the letters. It is the JSON of `rowvec dlq`: keys are added, never changed.
type Result struct {
	Matched  int                `json:"matched"`  // letters that the filter chose
	Done     int                `json:"done"`     // redriven or dropped; with DryRun those that would be
	InVain   int                `json:"inVain"`   // left because redriving has failed too often
	Foreign  int                `json:"foreign"`  // left because they are no letters of a function
	NoSource int                `json:"noSource"` // left because their source topic cannot be sent to
	Failed   int                `json:"failed"`   // left because the broker did not take them
	Counts   []deadletter.Count `json:"counts"`   // of those done
	Errors   []string           `json:"errors"`   // why source topics cannot be sent to
}

// A round of letters is sent at once, and acknowledged when the broker has confirmed all of it.
const (
	roundLetters = 100
	roundBytes   = 8 << 20
	finish       = 10 * time.Second // for what is under way when the work is ended
)

// Redrive sends the letters to their source topics again, and acknowledges each when the broker has confirmed it there: at least once,
// and never lost. What fails again comes back as a letter later than the survey, so no letter is sent twice. When ctx ends, what is
// under way is finished, and the rest stays. The result is there beside an error, too.
func (s *Survey) Redrive(ctx context.Context, o Options) (*Result, error) {
	d := &redrive{
		work: newWork(s, o), post: s.box.post(), limit: rate.NewLimiter(rate.Inf, 1), size: roundLetters,
	}
	if o.Rate > 0 {
		d.limit.SetLimit(rate.Limit(o.Rate))
		d.size = max(1, min(roundLetters, int(o.Rate)))
	}
	defer d.post.close()
	defer d.registrar.close()
	err := s.Read(ctx, d.passed, func(l *Letter) error { return d.take(ctx, l) })
	var silent *SilentError
	if err == nil || errors.As(err, &silent) {
		err = errors.Join(err, d.flush(ctx))
	}
	err = errors.Join(err, d.failure)
	for _, topic := range slices.Sorted(maps.Keys(d.post.refused)) {
		d.result.Errors = append(d.result.Errors, d.post.refused[topic].text())
	}
	return d.finish(), err
}

// redrive is one run of Redrive.
type redrive struct {
	*work
	post  *post
	limit *rate.Limiter
	size  int
	round []*Letter
	bytes int

	failure error // of the first letter that the broker refused while it took others
}

// take adds a letter to the round, and sends the round when it is full.
func (d *redrive) take(ctx context.Context, l *Letter) error {
	if !d.options.Filter.Match(&l.Letter) {
		return nil
	}
	d.result.Matched++
	switch {
	case l.SourceTopic == "":
		d.result.Foreign++
		return nil
	case l.Hopeless() && !d.options.Again:
		d.result.InVain++
		return nil
	}
	open, err := d.post.open(ctx, l.SourceTopic)
	if err != nil {
		return err
	}
	if !open {
		d.result.NoSource++
		return nil
	}
	d.round = append(d.round, l)
	d.bytes += len(l.Payload)
	full := d.options.Limit > 0 && d.result.Done+len(d.round) >= d.options.Limit
	if full || len(d.round) >= d.size || d.bytes >= roundBytes {
		if err := d.flush(ctx); err != nil {
			return err
		}
	}
	if full {
		return ErrStop
	}
	return nil
}

// flush sends the round and acknowledges what was confirmed, even when ctx ends or a letter fails meanwhile.
func (d *redrive) flush(ctx context.Context) error {
	round := d.round
	d.round, d.bytes = nil, 0
	if len(round) == 0 {
		return nil
	}
	if d.options.DryRun {
		d.count(round)
		return nil
	}
	if err := d.registrar.attach(ctx, round); err != nil {
		return err
	}
	a := d.send(ctx, round)
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendTimeout)
	defer cancel()
	if err := d.registrar.acknowledge(ending, a.confirmed); err != nil {
		return errors.Join(a.stopped, fmt.Errorf("%d letters were sent, and will be sent once more, which changes nothing: %w", len(a.confirmed), err))
	}
	d.result.Failed += a.failed
	d.count(a.confirmed)
	switch {
	case a.stopped != nil:
		return a.stopped
	case a.failed > 0 && len(a.confirmed) == 0:
		return a.failure // it is not this or that letter
	case d.failure == nil:
		d.failure = a.failure
	}
	return nil
}

// answers are what the broker said to a round.
type answers struct {
	confirmed []*Letter
	failed    int
	failure   error // of the first letter that failed
	stopped   error // why the others were not sent, or not answered
}

// send sends a round and waits for the answers. What the client has taken is finished when ctx ends, as far as that does not take long.
func (d *redrive) send(ctx context.Context, round []*Letter) (a answers) {
	type answer struct {
		letter *Letter
		err    error
	}
	arrived := make(chan answer, len(round)) // a late answer never blocks
	sending := context.WithoutCancel(ctx)
	open := 0
	for _, l := range round {
		producer, err := d.next(ctx, l)
		if err != nil {
			a.stopped = err
			break
		}
		send(sending, producer, l, func(err error) { arrived <- answer{l, err} })
		open++
	}
	silence := time.NewTimer(sendTimeout)
	defer silence.Stop()
	ended := ctx.Done()
	for open > 0 {
		select {
		case got := <-arrived:
			open--
			if got.err == nil {
				a.confirmed = append(a.confirmed, got.letter)
				continue
			}
			if a.failed++; a.failure == nil {
				a.failure = fmt.Errorf("send letter %s to %s: %w", got.letter.ID, got.letter.SourceTopic, got.err)
			}
		case <-ended:
			ended = nil
			silence.Reset(finish)
			a.stopped = ctx.Err()
		case <-silence.C:
			a.stopped = errors.Join(a.stopped, errUnanswered)
			return a
		}
	}
	return a
}

// next waits until a letter may be sent.
func (d *redrive) next(ctx context.Context, l *Letter) (pulsar.Producer, error) {
	if err := d.limit.Wait(ctx); err != nil {
		return nil, err
	}
	return d.post.producer(ctx, l.SourceTopic)
}
