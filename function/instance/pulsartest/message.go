package pulsartest

import (
	"fmt"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
)

// Message is a message of the double. Its fields are set before it is published.
type Message struct {
	K, Order    string
	Body        []byte
	Props       map[string]string
	Published   time.Time // zero: when it is published
	Event       time.Time // zero: unset, which the client shows as 1970
	Redelivered uint32
	Schema      []byte // version; nil: none

	topic string
	id    id
}

// Topic is the topic's full name.
func (m *Message) Topic() string { return m.topic }

// ProducerName is empty.
func (*Message) ProducerName() string { return "" }

// Properties are those that were published.
func (m *Message) Properties() map[string]string { return m.Props }

// Payload is the body.
func (m *Message) Payload() []byte { return m.Body }

// ID is unique in the topic.
func (m *Message) ID() pulsar.MessageID { return m.id }

// PublishTime is when it was published.
func (m *Message) PublishTime() time.Time { return m.Published }

// EventTime is 1970 when unset, as in the real client.
func (m *Message) EventTime() time.Time {
	if m.Event.IsZero() {
		return time.Unix(0, 0)
	}
	return m.Event
}

// Key is the partition key.
func (m *Message) Key() string { return m.K }

// OrderingKey is the ordering key.
func (m *Message) OrderingKey() string { return m.Order }

// RedeliveryCount grows when a consumer closes without having acknowledged.
func (m *Message) RedeliveryCount() uint32 { return m.Redelivered }

// IsReplicated is false.
func (*Message) IsReplicated() bool { return false }

// GetReplicatedFrom is empty.
func (*Message) GetReplicatedFrom() string { return "" }

// GetSchemaValue is not supported.
func (*Message) GetSchemaValue(any) error { return ErrUnsupported }

// SchemaVersion is that which was published.
func (m *Message) SchemaVersion() []byte { return m.Schema }

// GetEncryptionContext is nil.
func (*Message) GetEncryptionContext() *pulsar.EncryptionContext { return nil }

// Index is nil.
func (*Message) Index() *uint64 { return nil }

// BrokerPublishTime is nil.
func (*Message) BrokerPublishTime() *time.Time { return nil }

type id struct{ entry int64 }

func (id) LedgerID() int64     { return 7 }
func (i id) EntryID() int64    { return i.entry }
func (id) BatchIdx() int32     { return -1 }
func (id) PartitionIdx() int32 { return -1 }
func (id) BatchSize() int32    { return 0 }
func (i id) Serialize() []byte { return []byte(i.String()) }
func (i id) String() string    { return fmt.Sprintf("7:%d:-1", i.entry) }
