package mailbox

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// maxAnswer bounds what one question may bring: the ranges of acknowledged letters are the largest part.
const maxAnswer = 64 << 20

// ask asks about a topic and decodes the answer; found is false for 404.
func (m *Mailbox) ask(ctx context.Context, t topicName, question string, into any) (found bool, err error) {
	what := t.full() + ", " + question
	answer, err := m.admin.Get(ctx, "admin", "v2", "persistent", t.tenant, t.namespace, t.name, question)
	if err != nil {
		return false, fmt.Errorf("ask Pulsar for %s: %w", what, err)
	}
	defer func() { _ = answer.Body.Close() }() // only read
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	switch {
	case err != nil:
		return false, fmt.Errorf("ask Pulsar for %s: %w", what, err)
	case answer.StatusCode == http.StatusNotFound:
		return false, nil
	case answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden:
		return false, fmt.Errorf("ask Pulsar for %s: it answered %s; userConfig.pulsar.token needs a role that may consume there", what, answer.Status)
	case answer.StatusCode != http.StatusOK:
		return false, fmt.Errorf("ask Pulsar for %s: it answered %s", what, answer.Status)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return false, fmt.Errorf("ask Pulsar for %s: read its answer: %w", what, err)
	}
	return true, nil
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
