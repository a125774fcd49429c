package mailbox

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"

	"github.com/rowvec/rowvec/brokercall"
	"github.com/rowvec/rowvec/deadletter"
)

// Letter is a dead letter that stands in the topic.
type Letter struct {
	deadletter.Letter

	place       *place
	first, last position // entries; the same for a letter of one part
}

// ErrStop ends a Read early, without an error.
var ErrStop = errors.New("enough")

// prefetched is how many messages wait in the client: a letter may have some megabytes.
const prefetched = 32

// Read hands on the survey's letters, the oldest of each partition first, until each returns an error. passed is called for every
// message that was looked at, a letter or not; it may be nil. A *SilentError comes after all letters that could be read.
func (s *Survey) Read(ctx context.Context, passed func(), each func(*Letter) error) error {
	var unread error
	for _, p := range s.places {
		err := s.box.read(ctx, p, passed, each)
		var silent *SilentError
		switch {
		case errors.Is(err, ErrStop):
			return unread
		case errors.As(err, &silent):
			unread = errors.Join(unread, err)
		case err != nil:
			return err
		}
	}
	return unread
}

func (m *Mailbox) read(ctx context.Context, p *place, passed func(), each func(*Letter) error) error {
	reader, err := m.reader(ctx, p)
	if err != nil {
		return fmt.Errorf("read %s: %w", p.topic.full(), err)
	}
	defer m.calls.Start(reader.Close)
	at := p.mark
	for at.compare(p.last) < 0 {
		msg, err := m.next(ctx, reader.Next)
		if errors.Is(err, errSilent) {
			return &SilentError{Topic: p.topic.full(), At: at.String(), Last: p.last.String(), Waited: m.patience}
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", p.topic.full(), err)
		}
		letter := newLetter(p, msg)
		at = letter.last
		if passed != nil {
			passed()
		}
		if at.compare(p.last) > 0 || p.acknowledged(letter.first) {
			continue
		}
		if err := each(letter); err != nil {
			return err
		}
	}
	return nil
}

func (m *Mailbox) reader(ctx context.Context, p *place) (pulsar.Reader, error) {
	start := pulsar.EarliestMessageID()
	if p.mark.entry >= 0 {
		start = pulsar.NewMessageID(p.mark.ledger, p.mark.entry, -1, -1)
	}
	return brokercall.Await(ctx, &m.calls, func() (pulsar.Reader, error) {
		return m.client.CreateReader(pulsar.ReaderOptions{
			Topic: p.topic.full(), StartMessageID: start, Name: "rowvec-dlq-reader", ReceiverQueueSize: prefetched,
		})
	}, pulsar.Reader.Close)
}

// errSilent says that nothing came for a while.
var errSilent = errors.New("the broker is silent")

func (m *Mailbox) next(ctx context.Context, receive func(context.Context) (pulsar.Message, error)) (pulsar.Message, error) {
	waiting, cancel := context.WithTimeout(ctx, m.patience)
	defer cancel()
	msg, err := receive(waiting)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case waiting.Err() != nil:
		return nil, errSilent
	default:
		return msg, err
	}
}

// newLetter reads a letter. Its id is that of its first part: a reader that begins there gets all of it.
func newLetter(p *place, msg pulsar.Message) *Letter {
	id := msg.ID()
	l := &Letter{place: p, last: position{id.LedgerID(), id.EntryID()}}
	l.first = firstPart(id.Serialize(), l.last)
	name := l.first.String()
	if p.partition >= 0 {
		name += ":" + strconv.Itoa(p.partition)
	}
	m := deadletter.Message{
		ID: name, Payload: msg.Payload(), Key: msg.Key(), OrderingKey: msg.OrderingKey(), PublishTime: msg.PublishTime(), Properties: msg.Properties(),
	}
	if t := msg.EventTime(); t.UnixMilli() > 0 { // the client gives 1970 where the producer set none (contract §6.7)
		m.EventTime = t
	}
	l.Letter = deadletter.Read(m)
	return l
}

// NotFoundError says that no letter with an id stands in the topic.
type NotFoundError struct{ ID string }

// Error says what to do.
func (e *NotFoundError) Error() string {
	return fmt.Sprintf("no letter %s stands in the dead-letter topic: it was redriven or dropped, or the id is not one of `rowvec dlq list`", e.ID)
}

// Find returns one letter. The error is a *NotFoundError where it does not stand there.
func (m *Mailbox) Find(ctx context.Context, id string) (*Letter, error) {
	at, partition, err := parseID(id)
	if err != nil {
		return nil, err
	}
	p, err := m.place(ctx, partition)
	if err != nil {
		return nil, err
	}
	if p == nil || p.acknowledged(at) || at.compare(p.last) > 0 {
		return nil, &NotFoundError{id}
	}
	start := *p
	start.mark = position{at.ledger, at.entry - 1}
	var found *Letter
	err = m.read(ctx, &start, nil, func(l *Letter) error {
		if l.first == at {
			found = l
		}
		return ErrStop
	})
	if err != nil && !errors.Is(err, ErrStop) {
		return nil, err
	}
	if found == nil {
		return nil, &NotFoundError{id}
	}
	return found, nil
}

// parseID reads ledger:entry, or ledger:entry:partition.
func parseID(id string) (position, int, error) {
	text, partition := id, -1
	if strings.Count(id, ":") == 2 {
		i := strings.LastIndexByte(id, ':')
		n, err := strconv.Atoi(id[i+1:])
		if err != nil || n < 0 {
			return position{}, 0, fmt.Errorf("expected an id like 12:34, found %q", id)
		}
		text, partition = id[:i], n
	}
	at, err := parsePosition(text)
	if err != nil || at.ledger < 0 || at.entry < 0 {
		return position{}, 0, fmt.Errorf("expected an id like 12:34, found %q", id)
	}
	return at, partition, nil
}

// SilentError says that a topic was not read to its end: the broker is slow, or what is there is the beginning of a message whose
// producer died before the rest, which the client never hands out.
type SilentError struct {
	Topic    string
	At, Last string // positions
	Waited   time.Duration
}

// Error says how far it came.
func (e *SilentError) Error() string {
	return fmt.Sprintf("read %s: nothing came for %s after entry %s, though the topic goes on to %s: "+
		"run it again; if it stays so, what is there is the beginning of a letter that was published again as a whole, and nothing is missing", e.Topic, e.Waited, e.At, e.Last)
}
