package instance

import (
	"cmp"
	"encoding/hex"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
)

// The properties that a dead letter has beside those of the original message. The payload, the key and the event time are the original's,
// the ordering key is the original's or what the broker used in its place, so that publishing the letter to rowvec.source_topic again
// redrives it, to the instance that has the row. Of these properties it needs rowvec.schema_version alone: a message that is published
// again cannot have its schema, without which decimals and dates are not known.
// A property whose value is unknown is absent. Times are RFC 3339 in UTC. The free texts are cut to bounded lengths.
const (
	PropReason      = "rowvec.reason"       // machine word: why the message can never succeed
	PropStage       = "rowvec.stage"        // where: decode, plan, embed, write
	PropMessage     = "rowvec.message"      // for a person; up to 2,048 bytes
	PropTable       = "rowvec.table"        // schema.table
	PropRow         = "rowvec.row"          // row id, up to 512 bytes
	PropVersion     = "rowvec.version"      // "lsn@commit-ms" of the change
	PropSourceTopic = "rowvec.source_topic" // without -partition-n
	PropMessageID   = "rowvec.message_id"   // ledger:entry:partition:batch in the source topic
	PropKey         = "rowvec.key"          // the message's key, for reading; up to 512 bytes. The letter's own key is exact
	PropPublishTime = "rowvec.publish_time" // of the original message
	PropAttempts    = "rowvec.attempts"     // how often it was tried before it was given up
	PropFunction    = "rowvec.function"     // tenant/namespace/name
	PropInstance    = "rowvec.instance"     // instance id
	PropTime        = "rowvec.time"         // when it was given up

	PropSchemaVersion = "rowvec.schema_version" // of the original message in its topic, in hex
)

// DeadLetterSubscription is the durable subscription that exists on the dead-letter topic before its first message, so that the
// topic keeps what is published (design §7). Its type is Shared.
const DeadLetterSubscription = "rowvec-dlq"

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

// message is the letter as published.
func (l letter) message(id identity) *pulsar.ProducerMessage {
	properties := make(map[string]string, len(l.Properties)+15)
	maps.Copy(properties, l.Properties)
	// A message that was redriven and failed again must not tell of its first failure.
	maps.DeleteFunc(properties, func(name, _ string) bool { return strings.HasPrefix(name, "rowvec.") })
	set := func(name, value string, most int) {
		if value != "" {
			properties[name] = clip(value, most)
		}
	}
	set(PropReason, l.Reason, shortText)
	set(PropStage, l.Stage, shortText)
	set(PropMessage, l.Message, longText)
	set(PropTable, l.Table, shortText)
	set(PropRow, l.RowID, shortText)
	set(PropVersion, l.Version, shortText)
	set(PropSourceTopic, l.Topic, longText)
	set(PropMessageID, l.ID, shortText)
	set(PropKey, l.Key, shortText)
	set(PropPublishTime, timestamp(l.PublishTime), shortText)
	set(PropAttempts, strconv.Itoa(l.Attempts), shortText)
	set(PropFunction, id.function, shortText)
	set(PropInstance, strconv.Itoa(id.instance), shortText)
	set(PropTime, timestamp(l.at), shortText)
	set(PropSchemaVersion, hex.EncodeToString(l.SchemaVersion), shortText)
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
	if first, err := hex.DecodeString(properties[PropSchemaVersion]); err == nil && len(first) > 0 {
		return first
	}
	return own
}

func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
