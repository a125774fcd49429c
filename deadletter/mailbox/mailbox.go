// Package mailbox reads the letters that stand in a dead-letter topic, sends them to their source topics again, and drops them.
//
// Reading takes nothing: a reader goes through the topic, and the admin interface tells which letters the durable subscription
// (deadletter.Subscription) has acknowledged already. Only redriving and dropping acknowledge, letter by letter, through a consumer
// of that subscription that asks for no message: whoever else reads there is not disturbed. The broker lets a consumer acknowledge what
// it was not given (Consumer.individualAckNormal in 4.0.8), and so does the client for ids made by pulsar.NewMessageID.
//
//	mailbox.go   settings, life        survey.go   what stands in the topic       position.go  positions, ranges
//	read.go      the walk              parts.go    letters of several entries     admin.go     questions to the broker
//	redrive.go   sending again         source.go   the topics to send to          drop.go      letting go
//	acknowledge.go                     dial.go     the Pulsar client
package mailbox

import (
	"context"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"

	"github.com/rowvec/rowvec/brokercall"
)

// Asker asks Pulsar's admin interface; see admin.Client. An answer that is none says by Missing() and Denied(), both bool, of what kind.
type Asker interface {
	Read(ctx context.Context, into any, segments ...string) error
}

// Config says which letters there are and what reaches them.
type Config struct {
	Topic        string // the dead-letter topic
	Subscription string // the function's on its input topics: without it what is redriven would be lost
	Client       pulsar.Client
	Admin        Asker
	Patience     time.Duration // how long the broker may be silent; 0: 15 s
}

// Mailbox is a dead-letter topic. Its methods are for one goroutine.
type Mailbox struct {
	topic        topicName
	subscription string
	client       pulsar.Client
	admin        Asker
	patience     time.Duration
	calls        brokercall.Calls
}

const defaultPatience = 15 * time.Second

// New checks the settings; nothing is reached yet. Call Close in the end; the client stays open.
func New(c Config) (*Mailbox, error) {
	topic, err := parseTopic(c.Topic)
	if err != nil {
		return nil, err
	}
	m := &Mailbox{topic: topic, subscription: c.Subscription, client: c.Client, admin: c.Admin, patience: c.Patience}
	if m.patience == 0 {
		m.patience = defaultPatience
	}
	return m, nil
}

// Topic is the full name of the dead-letter topic.
func (m *Mailbox) Topic() string { return m.topic.full() }

// Close waits for the client's calls that were given up; its operation timeout bounds them.
func (m *Mailbox) Close() { m.calls.Wait(context.Background()) }
