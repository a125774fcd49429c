package function

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/function/indexer"
	"github.com/rowvec/rowvec/function/instance"
)

// noTable is the table label of a record that does not tell its table.
const noTable = "none"

// Handle takes one message to its table's pipeline and returns when that has room for it.
func (a *app) Handle(ctx context.Context, d *instance.Delivery) {
	defer func() {
		// The worker would start the process again with the same message first, for ever, and show no reason.
		if fault := recover(); fault != nil {
			a.log.ErrorContext(ctx, "panic", "message_id", d.ID, "topic", d.Topic, "panic", fault, "stack", string(debug.Stack()))
			a.condemn(d, "panic", fmt.Sprintf("panic: %v", fault))
		}
	}()
	if size := len(d.Key) + len(d.Payload); size > a.maxRecord {
		a.condemn(d, "over_record_limit", fmt.Sprintf("the record has %d bytes, more than %s.batch.maxRecordBytes allows: %d", size, config.Root, a.maxRecord))
		return
	}
	change, err := connector.Decode(connector.Record{
		Topic: d.Topic, Key: d.Key, Payload: d.Payload, Properties: d.Properties, Schema: a.schemas.of(ctx, d),
		Needs: a.needs,
	})
	if indexer.Classify(err) == indexer.ClassInterrupted {
		d.Settle(instance.Settlement{Verdict: instance.Abandon})
		return
	}
	if err != nil && indexer.Classify(err) == indexer.ClassHalt {
		a.hold(ctx, d, noTable, fmt.Sprintf("halted: topic %s: %v", d.Topic, err))
		return
	}
	if err != nil {
		a.refuse(d, err)
		return
	}
	name := change.Table.String()
	table, ok := a.tables[name]
	if !ok {
		a.unconfigured(ctx, d, name)
		return
	}
	record := indexer.Record{
		Change: change, Bytes: len(d.Payload), Received: d.Received,
		Settle: func(o indexer.Outcome) { a.settle(d, change, o) },
	}
	// The error is that of ctx: the record has been settled as interrupted.
	if err := table.Submit(ctx, record); err != nil {
		a.log.DebugContext(ctx, "record left for the next start", "table", name, "error", err)
	}
}

// refuse ends a message that is not a change: control records are nobody's row, everything else is poison.
func (a *app) refuse(d *instance.Delivery, err error) {
	var control *connector.ControlError
	if errors.As(err, &control) {
		a.metrics.settled(noTable, indexer.Ignored, 0)
		d.Settle(instance.Settlement{Verdict: instance.Ack})
		return
	}
	a.condemn(d, indexer.Reason(err), err.Error())
}

// condemn makes a dead letter of a message that no change could be made of.
func (a *app) condemn(d *instance.Delivery, reason, text string) {
	a.metrics.settled(noTable, indexer.Poison, 0)
	s := instance.Settlement{Verdict: instance.DeadLetter, Reason: reason, Stage: "decode", Message: text, Attempts: 1, OrderingKey: orderingKey(d)}
	a.metrics.deadLetters.WithLabelValues(noTable, reason).Inc()
	if d.Settle(s) {
		a.events.refused(d, s)
	}
}

// settle ends a change's message, and tells of it where it was this that ended it.
func (a *app) settle(d *instance.Delivery, change *connector.Change, o indexer.Outcome) {
	if o.Kind == indexer.Poison {
		a.metrics.deadLetters.WithLabelValues(change.Table.String(), o.Reason).Inc()
	}
	if d.Settle(settlement(d, change, o)) {
		a.events.settled(d, change, &o)
	}
}

// unconfigured ends a change of a table that the configuration does not have. A topics pattern is expected to bring such tables.
// A topic that the operator listed is not: its settings are wrong, so its intake stops and nothing of it is lost (design decision 10).
func (a *app) unconfigured(ctx context.Context, d *instance.Delivery, table string) {
	if d.Pattern {
		if _, told := a.strangers.LoadOrStore(table, true); !told {
			a.log.WarnContext(ctx, "changes of a table that userConfig.tables does not have are ignored", "table", table, "topic", d.Topic)
		}
		a.metrics.settled(table, indexer.Ignored, 0)
		d.Settle(instance.Settlement{Verdict: instance.Ack})
		return
	}
	cause := fmt.Sprintf("halted: topic %s has changes of table %s, which userConfig.tables does not have (it has %s); add the table, or remove the topic from inputs, and run functions update",
		d.Topic, table, strings.Join(slices.Sorted(maps.Keys(a.tables)), ", "))
	a.hold(ctx, d, table, cause)
}

// needs tells which columns the settings of a table use; of one that they do not have, none.
func (a *app) needs(t connector.Table) func(column string) bool {
	if b, ok := a.builders[t.String()]; ok {
		return b.Uses
	}
	return func(string) bool { return false }
}

// hold stops the intake of a topic until the settings are changed.
func (a *app) hold(ctx context.Context, d *instance.Delivery, table, cause string) {
	a.conditions.SetCondition("input "+d.Topic, cause)
	a.conditions.RecordException(instance.SystemException, errors.New(cause))
	a.metrics.setState(table, indexer.Halted)
	<-ctx.Done()
	d.Settle(instance.Settlement{Verdict: instance.Abandon})
}

// settlement turns what became of a change into what becomes of its message.
func settlement(d *instance.Delivery, change *connector.Change, o indexer.Outcome) instance.Settlement {
	switch o.Kind {
	case indexer.Interrupted:
		return instance.Settlement{Verdict: instance.Abandon}
	case indexer.Poison:
		s := instance.Settlement{
			Verdict: instance.DeadLetter, Reason: o.Reason, Stage: o.Stage, Table: change.Table.String(), RowID: o.RowID,
			Version:  fmt.Sprintf("%d@%d", change.Version.LSN, change.Version.CommitTime.UnixMilli()),
			Attempts: o.Attempts, OrderingKey: orderingKey(d),
		}
		if o.Err != nil {
			s.Message = o.Err.Error()
		}
		return s
	default:
		return instance.Settlement{Verdict: instance.Ack}
	}
}

// orderingKey is what the letter of a message is ordered by, so that it comes to the instance that has its row when it is sent again.
func orderingKey(d *instance.Delivery) string {
	return connector.Record{Key: d.Key, Payload: d.Payload}.OrderingKey()
}
