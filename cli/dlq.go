package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/rowvec/rowvec/deadletter"
	"github.com/rowvec/rowvec/deadletter/mailbox"
	"github.com/rowvec/rowvec/function/admin"
	"github.com/rowvec/rowvec/function/config"
)

// openMailbox reaches the dead-letter topic of a function; what it returns beside is called in the end.
type openMailbox func(f *config.Function) (*mailbox.Mailbox, func(), error)

// dialMailbox goes where userConfig.pulsar says.
func dialMailbox(f *config.Function) (*mailbox.Mailbox, func(), error) {
	p := f.Config.Pulsar
	for setting, value := range map[string]string{"serviceURL": p.ServiceURL, "adminURL": p.AdminURL} {
		if value == "" {
			return nil, nil, fmt.Errorf("%s.pulsar: rowvec dlq needs serviceURL (pulsar://host:6650) and adminURL (http://host:8080); %s is not set", config.Root, setting)
		}
	}
	token, err := p.Token.Resolve(f.Secret)
	if err != nil {
		return nil, nil, fmt.Errorf("%s.pulsar.token: %w", config.Root, err)
	}
	roots, err := p.CAFile.Pool()
	if err != nil {
		return nil, nil, fmt.Errorf("%s.pulsar.caFile: %w", config.Root, err)
	}
	questions, err := admin.New(admin.Config{URL: p.AdminURL, Token: token, RootCAs: roots})
	if err != nil {
		return nil, nil, fmt.Errorf("%s.pulsar.adminURL: %w", config.Root, err)
	}
	client, err := mailbox.Dial(mailbox.Access{ServiceURL: p.ServiceURL, Token: token, TrustCertsFile: string(p.CAFile)}, slog.New(slog.DiscardHandler))
	if err != nil {
		questions.Close()
		return nil, nil, fmt.Errorf("%s.pulsar.serviceURL: %w", config.Root, err)
	}
	box, err := mailbox.New(mailbox.Config{
		Topic: config.DeadLetterTopic(f.Config, f.Tenant, f.Namespace, f.Name), Subscription: f.SubName, Client: client, Admin: questions,
	})
	if err != nil {
		client.Close()
		questions.Close()
		return nil, nil, fmt.Errorf("%s.deadLetterTopic: %w", config.Root, err)
	}
	return box, func() { box.Close(); client.Close(); questions.Close() }, nil
}

// dlqOptions are the flags of all four commands; each has some of them.
type dlqOptions struct {
	file                  string
	reasons, tables, rows []string
	since, until          string
	limit                 int
	rate                  float64
	dryRun, again, all    bool
	asJSON                bool
}

func newDLQ(open openMailbox) *cobra.Command {
	c := &cobra.Command{
		Use:   "dlq",
		Short: "List, show, redrive and drop dead letters",
		Long: `A dead letter is a change that can never succeed as things are: its text is too long, the endpoint refuses it, the source left out a
column. When the cause is mended, redrive sends the letters through the function again; what is newer in the index stays as it is.

Needs userConfig.pulsar.serviceURL and adminURL. Looking takes nothing away: only redrive and drop acknowledge letters, on the
subscription ` + deadletter.Subscription + `.`,
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			return &usageError{c.CommandPath(), errors.New("expected list, show, redrive or drop")}
		},
	}
	c.AddCommand(newDLQList(open), newDLQShow(open), newDLQRedrive(open), newDLQDrop(open))
	return c
}

// filterFlags are those by which list, redrive and drop choose.
func (o *dlqOptions) filterFlags(c *cobra.Command) {
	fileFlag(c, &o.file)
	c.Flags().StringSliceVar(&o.reasons, "reason", nil, "letters with this reason; may be given several times")
	c.Flags().StringSliceVarP(&o.tables, "table", "t", nil, "letters of this table, as schema.table; may be given several times")
	c.Flags().StringArrayVar(&o.rows, "row", nil, "letters of the row with this id; may be given several times")
	c.Flags().StringVar(&o.since, "since", "", "letters given up since then: a time (2026-05-06T07:08:09Z, 2026-05-06) or how long ago (2h30m)")
	c.Flags().StringVar(&o.until, "until", "", "letters given up before then, in the same form")
	c.Flags().BoolVar(&o.asJSON, "json", false, "print JSON")
}

// filter reads the flags; its errors are wrong usage.
func (o *dlqOptions) filter(ids []string, now time.Time) (deadletter.Filter, error) {
	f := deadletter.Filter{IDs: ids, Reasons: o.reasons, Tables: o.tables, Rows: o.rows}
	var err error
	if f.Since, err = point(o.since, now); err != nil {
		return f, fmt.Errorf("--since: %w", err)
	}
	if f.Until, err = point(o.until, now); err != nil {
		return f, fmt.Errorf("--until: %w", err)
	}
	switch {
	case !f.Since.IsZero() && !f.Until.IsZero() && !f.Since.Before(f.Until):
		return f, errors.New("--since and --until: nothing lies between them")
	case o.limit < 0:
		return f, fmt.Errorf("--limit: expected 0 (all) or more, found %d", o.limit)
	case !(o.rate >= 0): // not a number is neither
		return f, fmt.Errorf("--rate: expected letters per second, 0 for as fast as possible, found %v", o.rate)
	}
	return f, nil
}

// point reads a point in time: an RFC 3339 time, a local date, or how long ago.
func point(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, text, now.Location()); err == nil {
		return t, nil
	}
	return time.Time{}, fmt.Errorf("expected a time such as 2026-05-06T07:08:09Z or 2026-05-06, or how long ago such as 2h30m, found %q", text)
}

// with opens the mailbox for one command.
func (o *dlqOptions) with(open openMailbox, do func(box *mailbox.Mailbox) error) error {
	f, err := config.Load(o.file)
	if err != nil {
		return err
	}
	box, done, err := open(f)
	if err != nil {
		return err
	}
	defer done()
	return do(box)
}

// interrupted says what a stop by the user means.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New("interrupted: the other letters stay; run it again to go on")
	}
	return err
}

// survey looks at what stands in the topic.
func survey(ctx context.Context, box *mailbox.Mailbox) (*mailbox.Survey, error) {
	s, err := box.Survey(ctx)
	if err != nil {
		return nil, fmt.Errorf("look at %s: %w", box.Topic(), err)
	}
	return s, nil
}

// writers of a command.
type output struct{ stdout, stderr io.Writer }

func outputOf(c *cobra.Command) output { return output{c.OutOrStdout(), c.ErrOrStderr()} }
