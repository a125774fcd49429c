// Package broker reads what topics hold, all of it, for those who judge a run when it is over.
package broker

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	pulsarlog "github.com/apache/pulsar-client-go/pulsar/log"

	"github.com/rowvec/rowvec/e2e/await"
)

// Connect makes a client that says nothing.
func Connect(url string) (pulsar.Client, error) {
	return pulsar.NewClient(pulsar.ClientOptions{
		URL: url, OperationTimeout: 20 * time.Second, Logger: pulsarlog.NewLoggerWithSlog(slog.New(slog.DiscardHandler)),
	})
}

// patience is how long a broker that has just become ready may take to serve a topic's first subscription: it has answered TopicNotFound.
const patience = 30 * time.Second

// Keep has topics (tenant/namespace/name) keep all that is published to them: by a subscription that nobody reads.
func Keep(ctx context.Context, url string, topics ...string) error {
	client, err := Connect(url)
	if err != nil {
		return err
	}
	defer client.Close()
	for _, name := range topics {
		err := await.Until(ctx, patience, func(context.Context) error {
			consumer, err := client.Subscribe(pulsar.ConsumerOptions{
				Topic: "persistent://" + name, SubscriptionName: "kept", SubscriptionInitialPosition: pulsar.SubscriptionPositionEarliest,
			})
			if err == nil {
				consumer.Close()
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("keep what %s takes: %w", name, err)
		}
	}
	return nil
}

// Read hands over all that a topic holds now. Its client is its own, since those that are there may be lost in a fault.
func Read(ctx context.Context, url, topic string, each func(pulsar.Message) error) error {
	client, err := Connect(url)
	if err != nil {
		return err
	}
	defer client.Close()
	reader, err := client.CreateReader(pulsar.ReaderOptions{Topic: "persistent://" + topic, StartMessageID: pulsar.EarliestMessageID()})
	if err != nil {
		return err
	}
	defer reader.Close()
	for reader.HasNext() {
		m, err := reader.Next(ctx)
		if err != nil {
			return err
		}
		if err := each(m); err != nil {
			return err
		}
	}
	return nil
}
