package function

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/event"
	"github.com/rowvec/rowvec/function/indexer"
	"github.com/rowvec/rowvec/function/instance"
)

const (
	eventBytes = 512 // about the size of an event; a longer one grows
	keyBytes   = 512
)

// outlet takes events for publishing. It must not block.
type outlet interface {
	Send(key string, payload []byte)
}

// events makes an event of every record that is settled. A nil one makes none: the function has no output topic.
type events struct {
	to       outlet
	function string // tenant/namespace/name
	instance int
}

// settled tells what became of a change. There is no event for one that is left to the next start: it is not settled.
func (e *events) settled(d *instance.Delivery, c *connector.Change, o *indexer.Outcome) {
	if e == nil || o.Kind == indexer.Interrupted {
		return
	}
	told := e.event(d)
	told.Table, told.Row, told.OldRow, told.Operation = c.Table.String(), o.RowID, o.OldRowID, event.Operation(c.Op.String())
	told.Outcome, told.Reason, told.Stage = event.Outcome(o.Kind), o.Reason, o.Stage
	told.Chunks, told.Texts, told.Attempts = o.Chunks, o.Texts, o.Attempts
	if c.Version.LSN > 0 { // a source that tells none has 0
		told.LSN = strconv.FormatUint(c.Version.LSN, 10)
	}
	told.CommittedAt, told.SettledAt = known(c.Version.CommitTime), o.At
	if o.Kind.Durable() {
		told.DurableAt = o.At
	}
	e.send(cmp.Or(told.Key(), rawKey(d)), &told)
}

// refused tells of a message that no change could be made of.
func (e *events) refused(d *instance.Delivery, s instance.Settlement) {
	if e == nil {
		return
	}
	told := e.event(d)
	told.Outcome, told.Reason, told.Stage, told.Attempts = event.Poison, s.Reason, s.Stage, s.Attempts
	told.SettledAt = time.Now()
	e.send(rawKey(d), &told)
}

// event is what is known of any message.
func (e *events) event(d *instance.Delivery) event.Event {
	return event.Event{
		Function: e.function, Instance: e.instance, ReceivedAt: d.Received,
		Topic: d.Topic, MessageID: d.ID, Redelivered: d.Redelivered,
	}
}

func (e *events) send(key string, told *event.Event) {
	e.to.Send(key, told.AppendJSON(make([]byte, 0, eventBytes)))
}

// rawKey stands in for a row id that cannot be told: messages of one row have the same.
func rawKey(d *instance.Delivery) string {
	return strings.ToValidUTF8(d.Key[:min(len(d.Key), keyBytes)], "")
}

// known is the zero time for a source that tells none: it writes 1970 then.
func known(t time.Time) time.Time {
	if t.UnixMilli() <= 0 {
		return time.Time{}
	}
	return t
}
