package deadletter

import (
	"strings"
	"time"
)

// Letter is a dead letter as it was published.
type Letter struct {
	Life

	ID          string // ledger:entry of its first part, and :partition in a topic with partitions
	Class       string
	Reason      string
	Stage       string
	Message     string // for a person
	Table       string // schema.table; empty where the message does not tell
	Row         string
	Version     string // lsn@commit-ms
	SourceTopic string // empty: this is no letter of a function, but somebody else's message
	MessageID   string // in the source topic
	Function    string
	Instance    string
	Attempts    int
	Time        time.Time // when it was given up, else when it was published
	PublishTime time.Time // of the original message

	Payload     []byte
	Key         string
	OrderingKey string
	EventTime   time.Time         // zero: none
	Properties  map[string]string // all of them, the original's among them
}

// Message is what a letter is read from.
type Message struct {
	ID          string
	Payload     []byte
	Key         string
	OrderingKey string
	EventTime   time.Time
	PublishTime time.Time // of the letter
	Properties  map[string]string
}

// Read reads a letter. Properties that cannot be read are as if they were absent.
func Read(m Message) Letter {
	p := m.Properties
	l := Letter{
		Life: ReadLife(p), ID: m.ID, Class: p[PropClass], Reason: p[PropReason], Stage: p[PropStage], Message: p[PropMessage],
		Table: p[PropTable], Row: p[PropRow], Version: p[PropVersion], SourceTopic: p[PropSourceTopic], MessageID: p[PropMessageID],
		Function: p[PropFunction], Instance: p[PropInstance], Attempts: number(p[PropAttempts]), Time: moment(p[PropTime]),
		PublishTime: moment(p[PropPublishTime]), Payload: m.Payload, Key: m.Key, OrderingKey: m.OrderingKey, EventTime: m.EventTime,
		Properties: p,
	}
	if l.Time.IsZero() {
		l.Time = m.PublishTime.UTC()
	}
	return l
}

// Own are the properties that the original message had.
func (l *Letter) Own() map[string]string {
	own := map[string]string{}
	for name, value := range l.Properties {
		if !strings.HasPrefix(name, Prefix) {
			own[name] = value
		}
	}
	return own
}

// MaxInVain is how often a letter is redriven in succession for nothing, before only an explicit wish redrives it once more.
const MaxInVain = 3

// Hopeless tells whether redriving has failed for the letter's reason MaxInVain times in succession.
func (l *Letter) Hopeless() bool { return l.InVain(l.Reason) >= MaxInVain }
