package instance

import (
	"cmp"
	"encoding/hex"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"

	"github.com/rowvec/rowvec/deadletter"
)

const (
	longText  = 2048
	shortText = 512
)

// letter is a message on its way to the dead-letter topic.
type letter struct {
	*parcel
	Settlement
	at time.Time
}

// describe names the record for a log line or the status.
func (l letter) describe() string {
	if l.Table != "" && l.RowID != "" {
		return l.Table + " row " + l.RowID
	}
	return "message " + l.ID + " of " + l.Topic
}

// message is the letter, of whatever size; fit makes it one that the broker takes.
func (l letter) message(id identity) *pulsar.ProducerMessage {
	properties := make(map[string]string, len(l.Properties)+20)
	maps.Copy(properties, l.Properties)
	// A message that was redriven and failed again tells of its first failure in its history alone.
	maps.DeleteFunc(properties, func(name, _ string) bool { return strings.HasPrefix(name, deadletter.Prefix) })
	deadletter.NextLife(l.Properties, l.Received, l.at).Write(properties)
	set := func(name, value string, most int) {
		if value != "" {
			properties[name] = clip(value, most)
		}
	}
	set(deadletter.PropClass, deadletter.Class, shortText)
	set(deadletter.PropReason, l.Reason, shortText)
	set(deadletter.PropStage, l.Stage, shortText)
	set(deadletter.PropMessage, l.Message, longText)
	set(deadletter.PropTable, l.Table, shortText)
	set(deadletter.PropRow, l.RowID, shortText)
	set(deadletter.PropVersion, l.Version, shortText)
	set(deadletter.PropSourceTopic, l.Topic, longText)
	set(deadletter.PropMessageID, l.ID, shortText)
	set(deadletter.PropKey, l.Key, shortText)
	set(deadletter.PropPublishTime, deadletter.Timestamp(l.PublishTime), shortText)
	set(deadletter.PropAttempts, strconv.Itoa(l.Attempts), shortText)
	set(deadletter.PropFunction, id.function, shortText)
	set(deadletter.PropInstance, strconv.Itoa(id.instance), shortText)
	set(deadletter.PropTime, deadletter.Timestamp(l.at), shortText)
	set(deadletter.PropSchemaVersion, hex.EncodeToString(l.SchemaVersion), shortText)
	set(deadletter.PropOmitted, l.Properties[deadletter.PropOmitted], longText)
	return &pulsar.ProducerMessage{
		Payload:     l.Payload,
		Key:         l.Key,
		OrderingKey: cmp.Or(l.orderingKey, l.OrderingKey),
		Properties:  properties,
		EventTime:   l.EventTime,
	}
}

// schemaVersion is the version of the schema that the message was first published with.
func schemaVersion(properties map[string]string, own []byte) []byte {
	if first, err := hex.DecodeString(properties[deadletter.PropSchemaVersion]); err == nil && len(first) > 0 {
		return first
	}
	return own
}
