package cli

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/deadletter"
	"github.com/rowvec/rowvec/deadletter/mailbox"
)

func newDLQShow(open openMailbox) *cobra.Command {
	var o dlqOptions
	c := &cobra.Command{
		Use:     "show [flags] ID",
		Short:   "Show all of one dead letter, and what cures it",
		Example: `  rowvec dlq show -f function.yaml 42:7`,
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, given []string) error {
			return o.with(open, func(box *mailbox.Mailbox) error { return o.show(c.Context(), box, given[0], outputOf(c)) })
		},
	}
	fileFlag(c, &o.file)
	c.Flags().BoolVar(&o.asJSON, "json", false, "print JSON")
	return c
}

// dlqDetail is what `rowvec dlq show --json` prints: a contract.
type dlqDetail struct {
	dlqLetter

	Class       string               `json:"class"`
	Advice      string               `json:"advice"`
	LastAttempt time.Time            `json:"lastAttempt,omitzero"`
	History     []deadletter.Failure `json:"history"` // earlier failures, the oldest first
	MessageID   string               `json:"messageId"`
	PublishTime time.Time            `json:"publishTime,omitzero"`
	EventTime   time.Time            `json:"eventTime,omitzero"`
	Function    string               `json:"function"`
	Instance    string               `json:"instance"`
	OrderingKey any                  `json:"orderingKey"` // as Key
	Key         any                  `json:"key"`         // JSON where it is JSON, else text, else {"base64": …}
	Payload     any                  `json:"payload"`     // as Key
	Bytes       int                  `json:"bytes"`       // of the payload as it stands in the topic
	Properties  map[string]string    `json:"properties"`  // all of them
}

func newDLQDetail(l *mailbox.Letter) *dlqDetail {
	d := &dlqDetail{
		dlqLetter: newDLQLetter(l), Class: l.Class, Advice: l.Advice(), LastAttempt: l.LastAttempt, History: l.History, MessageID: l.MessageID,
		PublishTime: l.PublishTime, EventTime: l.EventTime.UTC(), Function: l.Function, Instance: l.Instance, Bytes: len(l.Payload),
		OrderingKey: readable([]byte(l.OrderingKey)), Properties: l.Properties,
	}
	if d.History == nil {
		d.History = []deadletter.Failure{}
	}
	key, value, err := connector.Record{Key: l.Key, Payload: l.Payload}.Parts()
	if err != nil { // a broken frame: the reason of this letter
		key, value = []byte(l.Key), l.Payload
	}
	d.Key, d.Payload = readable(key), readable(value)
	return d
}

// readable is a text for a person: as JSON where it is JSON.
func readable(text []byte) any {
	switch {
	case len(text) == 0:
		return nil
	case json.Valid(text):
		return json.RawMessage(text)
	case utf8.Valid(text):
		return string(text)
	default:
		return map[string]string{"base64": base64.StdEncoding.EncodeToString(text)}
	}
}

func (o *dlqOptions) show(ctx context.Context, box *mailbox.Mailbox, id string, out output) error {
	l, err := box.Find(ctx, id)
	if err != nil {
		return fmt.Errorf("show letter %s: %w", snippet(id), err)
	}
	return newDLQDetail(l).write(out.stdout, o.asJSON)
}
