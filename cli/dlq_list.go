package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/rowvec/rowvec/deadletter"
	"github.com/rowvec/rowvec/deadletter/mailbox"
)

// listedLetters is how many letters are listed unless --limit says otherwise.
const listedLetters = 50

func newDLQList(open openMailbox) *cobra.Command {
	var o dlqOptions
	c := &cobra.Command{
		Use:   "list [flags]",
		Short: "Count dead letters by reason and table, and list them",
		Example: `  rowvec dlq list -f function.yaml
  rowvec dlq list --reason text_too_long --since 24h --json`,
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			filter, err := o.filter(nil, time.Now())
			if err != nil {
				return &usageError{c.CommandPath(), err}
			}
			return o.with(open, func(box *mailbox.Mailbox) error { return o.list(c.Context(), box, &filter, outputOf(c)) })
		},
	}
	o.filterFlags(c)
	c.Flags().IntVar(&o.limit, "limit", listedLetters, "list so many letters, the oldest first; all are counted. 0: all")
	return c
}

// dlqListing is what `rowvec dlq list --json` prints: a contract.
type dlqListing struct {
	Topic   string             `json:"topic"`
	Total   int                `json:"total"` // letters that the filter chose
	Counts  []deadletter.Count `json:"counts"`
	Letters []dlqLetter        `json:"letters"`
}

// dlqLetter is a letter as it is listed.
type dlqLetter struct {
	ID           string    `json:"id"`
	Time         time.Time `json:"time"`
	Reason       string    `json:"reason"`
	Stage        string    `json:"stage"`
	Table        string    `json:"table"`
	Row          string    `json:"row"`
	Version      string    `json:"version"`
	Message      string    `json:"message"`
	Attempts     int       `json:"attempts"`
	Redriven     int       `json:"redriven"`
	FirstAttempt time.Time `json:"firstAttempt,omitzero"`
	SourceTopic  string    `json:"sourceTopic"`
}

func newDLQLetter(l *mailbox.Letter) dlqLetter {
	return dlqLetter{
		ID: l.ID, Time: l.Time, Reason: l.Reason, Stage: l.Stage, Table: l.Table, Row: l.Row, Version: l.Version, Message: l.Message,
		Attempts: l.Attempts, Redriven: l.Redriven, FirstAttempt: l.FirstAttempt, SourceTopic: l.SourceTopic,
	}
}

func (o *dlqOptions) list(ctx context.Context, box *mailbox.Mailbox, filter *deadletter.Filter, out output) error {
	s, err := survey(ctx, box)
	if err != nil {
		return err
	}
	show := o.display(out.stderr, "read")
	at := mailbox.Progress{Entries: s.Entries}
	listing := &dlqListing{Topic: box.Topic(), Letters: []dlqLetter{}}
	tally := deadletter.Tally{}
	failed := s.Read(ctx, func() { at.Passed++; show.progress(at) }, func(l *mailbox.Letter) error {
		if !filter.Match(&l.Letter) {
			return nil
		}
		listing.Total++
		tally.Add(&l.Letter)
		if o.limit == 0 || len(listing.Letters) < o.limit {
			listing.Letters = append(listing.Letters, newDLQLetter(l))
		}
		return nil
	})
	show.close()
	listing.Counts = tally.Counts()
	var silent *mailbox.SilentError
	if failed != nil && !errors.As(failed, &silent) {
		return failed
	}
	return errors.Join(failed, listing.write(out.stdout, o.asJSON))
}
