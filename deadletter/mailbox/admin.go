package mailbox

import (
	"context"
	"errors"
	"fmt"
)

// ask asks about a topic and decodes the answer; found is false when there is no such topic.
func (m *Mailbox) ask(ctx context.Context, t topicName, question string, into any) (found bool, err error) {
	err = m.admin.Read(ctx, into, "admin", "v2", "persistent", t.tenant, t.namespace, t.name, question)
	var status interface {
		Missing() bool
		Denied() bool
	} // admin.StatusError
	switch what := t.full() + ", " + question; {
	case err == nil:
		return true, nil
	case errors.As(err, &status) && status.Missing():
		return false, nil
	case errors.As(err, &status) && status.Denied():
		return false, fmt.Errorf("ask Pulsar for %s: %w; userConfig.pulsar.token needs a role that may consume there", what, err)
	default:
		return false, fmt.Errorf("ask Pulsar for %s: %w", what, err)
	}
}

// stats is what a broker answers for a topic, and for a partitioned one with partitioned-stats.
type stats struct {
	Subscriptions map[string]struct{} `json:"subscriptions"`
}

// internals is what a broker answers for internalStats.
type internals struct {
	Last    string `json:"lastConfirmedEntry"`
	Ledgers []struct {
		ID      int64 `json:"ledgerId"`
		Entries int64 `json:"entries"` // 0 for the one that is written to
	} `json:"ledgers"`
	Cursors map[string]struct {
		Mark    string `json:"markDeletePosition"` // all up to here are acknowledged
		Deleted string `json:"individuallyDeletedMessages"`
	} `json:"cursors"`
}
