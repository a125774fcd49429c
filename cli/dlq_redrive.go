package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/rowvec/rowvec/deadletter"
	"github.com/rowvec/rowvec/deadletter/mailbox"
)

func newDLQRedrive(open openMailbox) *cobra.Command {
	var o dlqOptions
	c := &cobra.Command{
		Use:   "redrive [flags] [ID...]",
		Short: "Send dead letters through the function again",
		Long: fmt.Sprintf(`Publish the letters to their source topics again, and acknowledge each when the broker has confirmed it there: none is lost, and
one may be sent twice, which changes nothing. Where the index has something newer, a letter changes nothing either. One that fails
again comes back as a letter with its history, and is left alone by the redrive that sent it.

A letter that was redriven %d times in succession for nothing is left, so that a redrive by a timer does not go round in circles;
--again sends it all the same. Exits with 1 when letters had to stay that should have gone.`, deadletter.MaxInVain),
		Example: `  rowvec dlq redrive -f function.yaml --dry-run
  rowvec dlq redrive --reason text_too_long --table app.articles --rate 200`,
		Args: args(cobra.ArbitraryArgs),
		RunE: func(c *cobra.Command, ids []string) error {
			filter, err := o.filter(ids, time.Now())
			if err != nil {
				return &usageError{c.CommandPath(), err}
			}
			return o.with(open, func(box *mailbox.Mailbox) error {
				return o.treat(c.Context(), box, &filter, redriven, (*mailbox.Survey).Redrive, outputOf(c))
			})
		},
	}
	o.treatFlags(c)
	c.Flags().BoolVar(&o.again, "again", false, "also what was redriven so often for nothing")
	c.Flags().Float64Var(&o.rate, "rate", 0, "letters per second; 0: as fast as the broker confirms them")
	return c
}

func newDLQDrop(open openMailbox) *cobra.Command {
	var o dlqOptions
	c := &cobra.Command{
		Use:   "drop [flags] [ID...]",
		Short: "Let dead letters go for good",
		Long: `Acknowledge the letters: they are gone. Nothing is changed in the index; a row whose letter is dropped stays as it is there until its
next change, or until rowvec verify --repair.`,
		Example: `  rowvec dlq drop -f function.yaml --reason bad_payload --dry-run
  rowvec dlq drop 42:7 42:9`,
		Args: args(cobra.ArbitraryArgs),
		RunE: func(c *cobra.Command, ids []string) error {
			filter, err := o.filter(ids, time.Now())
			switch {
			case err == nil && filter.Empty() && !o.all:
				err = errors.New("say which letters: by id, --reason, --table, --row, --since, --until, or --all")
			case err == nil && !filter.Empty() && o.all:
				err = errors.New("--all: not beside ids and other filters")
			}
			if err != nil {
				return &usageError{c.CommandPath(), err}
			}
			return o.with(open, func(box *mailbox.Mailbox) error {
				return o.treat(c.Context(), box, &filter, dropped, (*mailbox.Survey).Drop, outputOf(c))
			})
		},
	}
	o.treatFlags(c)
	c.Flags().BoolVar(&o.all, "all", false, "all letters")
	return c
}

func (o *dlqOptions) treatFlags(c *cobra.Command) {
	o.filterFlags(c)
	c.Flags().IntVar(&o.limit, "limit", 0, "so many letters, the oldest first; 0: all")
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "only say which letters it would be")
}

// What redrive and drop say they did.
const (
	redriven = "redriven"
	dropped  = "dropped"
)

// dlqResult is what `rowvec dlq redrive --json` and `drop --json` print: a contract.
type dlqResult struct {
	Topic  string `json:"topic"`
	DryRun bool   `json:"dryRun"`
	mailbox.Result
	Letters []dlqLetter `json:"letters"` // with --dry-run those that would be, the first of them

	verb string
}

// treat redrives or drops.
func (o *dlqOptions) treat(
	ctx context.Context, box *mailbox.Mailbox, filter *deadletter.Filter, verb string,
	do func(*mailbox.Survey, context.Context, mailbox.Options) (*mailbox.Result, error), out output,
) error {
	s, err := survey(ctx, box)
	if err != nil {
		return err
	}
	show := o.display(out.stderr, verb)
	r := &dlqResult{Topic: box.Topic(), DryRun: o.dryRun, Letters: []dlqLetter{}, verb: verb}
	options := mailbox.Options{
		Filter: *filter, Limit: o.limit, DryRun: o.dryRun, Again: o.again, Rate: o.rate, Report: show.progress,
		Each: func(l *mailbox.Letter) {
			if o.dryRun && len(r.Letters) < listedLetters {
				r.Letters = append(r.Letters, newDLQLetter(l))
			}
		},
	}
	result, failed := do(s, ctx, options)
	show.close()
	r.Result = *result
	if err := r.write(out.stdout, o.asJSON); err != nil {
		return errors.Join(failed, err)
	}
	switch {
	case failed != nil:
		return interrupted(ctx, failed)
	case r.NoSource > 0:
		return ErrNotOK // the result says why
	default:
		return nil
	}
}
