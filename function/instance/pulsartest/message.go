package pulsartest

import (
	"fmt"
	"math"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	"google.golang.org/protobuf/encoding/protowire"
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
	Chunks      int    // entries that it takes; 0: one

	topic string
	id    *id
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

// id is that of a message of one entry or several; the last one names it, as in the real client.
type id struct{ entries []int64 }

func newID(first int64, entries int) *id {
	i := &id{}
	for n := range entries {
		i.entries = append(i.entries, first+int64(n))
	}
	return i
}

func (i *id) last() int64 { return i.entries[len(i.entries)-1] }

// Serialize is the wire format's MessageIdData: ledger 1, entry 2, partition 3, batch 4, first chunk 7.
func (i *id) Serialize() []byte {
	text := data(i.last())
	if len(i.entries) > 1 {
		text = protowire.AppendTag(text, 7, protowire.BytesType)
		text = protowire.AppendBytes(text, data(i.entries[0]))
	}
	return text
}

func data(entry int64) []byte {
	var text []byte
	for field, v := range []uint64{ledger, uint64(entry), math.MaxUint64, math.MaxUint64} {
		text = protowire.AppendTag(text, protowire.Number(field+1), protowire.VarintType)
		text = protowire.AppendVarint(text, v)
	}
	return text
}

// ledger is the only one.
const ledger = 7

func (*id) LedgerID() int64     { return ledger }
func (i *id) EntryID() int64    { return i.last() }
func (*id) BatchIdx() int32     { return -1 }
func (*id) PartitionIdx() int32 { return -1 }
func (*id) BatchSize() int32    { return 0 }
func (i *id) String() string    { return fmt.Sprintf("%d:%d:-1", ledger, i.last()) }
