package mailboxtest

import (
	"testing"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deadletter"
	"github.com/rowvec/rowvec/deadletter/mailbox"
)

// Suite runs the checks. Every run leaves its topics.
func Suite(t *testing.T, b Broker) {
	t.Helper()
	for name, test := range map[string]func(*env){
		"nothing":   emptyBox,
		"reading":   readingTakesNothing,
		"redriving": redriveEndsWhatItSent,
		"held":      lettersThatSomebodyElseHolds,
		"large":     largeLetters,
		"parted":    partitionedBox,
		"routed":    partitionedSource,
		"gone":      sourceGone,
	} {
		t.Run(name, func(t *testing.T) { test(newEnv(t, b, name)) })
	}
}

func emptyBox(e *env) {
	require.Empty(e, e.keys(), "no topic")
	require.True(e, e.missing(e.letters), "looking makes none")
	e.keep()
	require.Empty(e, e.keys(), "no letter")
	_, err := e.box.Find(e.Context(), "1:2")
	var missing *mailbox.NotFoundError
	require.ErrorAs(e, err, &missing)
}

func readingTakesNothing(e *env) {
	e.keep()
	e.publish(e.letter("a", "bad_request"), e.letter("b", "bad_request"), e.letter("c", "too_large"))
	require.Equal(e, []string{"a", "b", "c"}, e.keys())
	require.Equal(e, 3, e.survey().Entries)
	require.Equal(e, []string{"a", "b", "c"}, e.keys(), "again")
	e.left(e.letters, 3)

	var id string
	require.NoError(e, e.survey().Read(e.Context(), nil, func(l *mailbox.Letter) error {
		if id = l.ID; l.Key == "b" {
			return mailbox.ErrStop
		}
		return nil
	}))
	found, err := e.box.Find(e.Context(), id)
	require.NoError(e, err)
	require.Equal(e, "b", found.Key)
	require.Equal(e, "order b", found.OrderingKey)
	require.Equal(e, []byte("body of b"), found.Payload)
	require.EqualValues(e, 1700000000123, found.EventTime.UnixMilli())
	require.Equal(e, map[string]string{"own": "kept"}, found.Own())
}

func redriveEndsWhatItSent(e *env) {
	e.keep()
	letters := []*pulsar.ProducerMessage{
		e.letter("a", "bad_request"), e.letter("b", "too_large"), e.letter("c", "bad_request"), e.letter("d", "too_large"), e.letter("e", "bad_request"),
	}
	e.publish(letters...)
	survey := e.survey()
	e.publish(e.letter("later", "too_large"))
	r, err := survey.Redrive(e.Context(), mailbox.Options{Filter: deadletter.Filter{Reasons: []string{"too_large"}}})
	require.NoError(e, err)
	require.Equal(e, 2, r.Done)
	require.Equal(e, 2, r.Matched)
	require.Equal(e, []string{"a", "c", "e", "later"}, e.keys(), "what came after the survey is not in it")
	e.left(e.letters, 4)
	got := e.arrived(e.source, 2)
	e.same(letters[1], got["b"])
	e.same(letters[3], got["d"])

	r, err = e.survey().Drop(e.Context(), mailbox.Options{Limit: 2})
	require.NoError(e, err)
	require.Equal(e, 2, r.Done)
	require.Equal(e, []string{"e", "later"}, e.keys())
	_, err = e.survey().Redrive(e.Context(), mailbox.Options{})
	require.NoError(e, err)
	require.Empty(e, e.keys())
	e.left(e.letters, 0)
	e.same(letters[4], e.arrived(e.source, 2)["e"])
}

// lettersThatSomebodyElseHolds are acknowledged all the same, and reading takes none away from him.
func lettersThatSomebodyElseHolds(e *env) {
	e.keep()
	e.publish(e.letter("a", "x"), e.letter("b", "x"), e.letter("c", "x"))
	other := e.subscribe(e.letters, deadletter.Subscription)
	held, err := other.Receive(e.Context())
	require.NoError(e, err)
	require.Equal(e, "a", held.Key())
	require.Equal(e, []string{"a", "b", "c"}, e.keys())
	r, err := e.survey().Redrive(e.Context(), mailbox.Options{Filter: deadletter.Filter{Rows: []string{"a", "c"}}})
	require.NoError(e, err)
	require.Equal(e, 2, r.Done)
	e.left(e.letters, 1)
	other.Close()
	again := e.subscribe(e.letters, deadletter.Subscription)
	defer again.Close()
	next, err := again.Receive(e.Context())
	require.NoError(e, err)
	require.Equal(e, "b", next.Key(), "neither of the redriven ones comes again")
}

// largeLetters come in two entries and in four, between small ones.
func largeLetters(e *env) {
	e.keep()
	two, four := e.letter("two", "x"), e.letter("four", "x")
	two.Payload, four.Payload = noise(6<<20), noise(16<<20)
	e.publish(e.letter("a", "x"), two, e.letter("b", "x"), four, e.letter("c", "x"))
	require.Equal(e, []string{"a", "two", "b", "four", "c"}, e.keys())
	e.left(e.letters, 9)
	var id string
	require.NoError(e, e.survey().Read(e.Context(), nil, func(l *mailbox.Letter) error {
		if l.Key == "four" {
			id = l.ID
		}
		return nil
	}))
	found, err := e.box.Find(e.Context(), id)
	require.NoError(e, err)
	require.Equal(e, "four", found.Key)
	_, err = e.survey().Redrive(e.Context(), mailbox.Options{Filter: deadletter.Filter{Rows: []string{"two", "four"}}})
	require.NoError(e, err)
	require.Equal(e, []string{"a", "b", "c"}, e.keys())
	e.left(e.letters, 3)
	got := e.arrived(e.source, 2)
	e.same(two, got["two"])
	e.same(four, got["four"])
}

func partitionedBox(e *env) {
	e.Partition(e.letters, 2)
	e.keepParted(e.letters, deadletter.Subscription)
	e.subscribe(e.source, subscription).Close()
	e.publish(e.letter("a", "x"), e.letter("b", "x"), e.letter("c", "x"), e.letter("d", "x"))
	require.Equal(e, []string{"b", "d", "a", "c"}, e.keys())
	ids := map[string]string{}
	require.NoError(e, e.survey().Read(e.Context(), nil, func(l *mailbox.Letter) error {
		ids[l.Key] = l.ID
		return nil
	}))
	found, err := e.box.Find(e.Context(), ids["c"])
	require.NoError(e, err)
	require.Equal(e, "c", found.Key)
	r, err := e.survey().Redrive(e.Context(), mailbox.Options{Filter: deadletter.Filter{IDs: []string{ids["c"], ids["b"]}}})
	require.NoError(e, err)
	require.Equal(e, 2, r.Done)
	require.Equal(e, []string{"d", "a"}, e.keys())
	e.left(partition(e.letters, 0), 1)
	e.left(partition(e.letters, 1), 1)
}

// partitionedSource: a letter goes to the partition that its message came from, not to that of its ordering key.
func partitionedSource(e *env) {
	e.Partition(e.source, 4)
	e.keepParted(e.source, subscription)
	e.subscribe(e.letters, deadletter.Subscription).Close()
	e.publish(e.letter("a", "x", deadletter.PropMessageID, "8:1:3:-1"), e.letter("b", "x", deadletter.PropMessageID, "8:2:1:0"))
	_, err := e.survey().Redrive(e.Context(), mailbox.Options{})
	require.NoError(e, err)
	require.NotNil(e, e.arrived(partition(e.source, 3), 1)["a"])
	require.NotNil(e, e.arrived(partition(e.source, 1), 1)["b"])
	require.Empty(e, e.keys())
}

func sourceGone(e *env) {
	e.keep()
	e.publish(e.letter("a", "x"), e.letter("b", "x", deadletter.PropSourceTopic, e.source+"-2"))
	e.Delete(e.source)
	e.subscribe(e.source+"-2", "another").Close()
	r, err := e.survey().Redrive(e.Context(), mailbox.Options{})
	require.NoError(e, err)
	require.Zero(e, r.Done)
	require.Equal(e, 2, r.NoSource)
	require.Len(e, r.Errors, 2)
	require.Contains(e, r.Errors[0], e.source+": the topic is gone")
	require.Contains(e, r.Errors[1], e.source+"-2: it has no subscription shop")
	require.True(e, e.missing(e.source), "it is not made again, to swallow the letters")
	require.Equal(e, []string{"a", "b"}, e.keys())
}

func (e *env) keepParted(topic, name string) {
	e.Helper()
	n := 2
	if topic == e.source {
		n = 4
	}
	for i := range n {
		e.subscribe(partition(topic, i), name).Close()
	}
}
