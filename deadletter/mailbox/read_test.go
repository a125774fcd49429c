package mailbox_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deadletter"
	"github.com/rowvec/rowvec/deadletter/mailbox"
	"github.com/rowvec/rowvec/function/instance/pulsartest"
)

// Letters of two instances may be cut into parts that alternate: the parts of each are told apart.
func TestPartsOfLettersThatAlternate(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	long := func(row string) *pulsartest.Message {
		return &pulsartest.Message{K: row, Chunks: 4, Props: map[string]string{deadletter.PropSourceTopic: source, deadletter.PropRow: row}}
	}
	f.put(1, "bad_request")
	f.broker.Interleave(letters, long("a"), long("b"), long("c"))
	f.put(1, "bad_request")
	r, err := f.survey().Drop(t.Context(), mailbox.Options{Filter: deadletter.Filter{Rows: []string{"a", "c"}}})
	require.NoError(t, err)
	require.Equal(t, 2, r.Done)
	require.Equal(t, []string{"1", "b", "1"}, f.left())
	require.EqualValues(t, 6, f.broker.Backlog(letters, deadletter.Subscription), "all parts of two, none of the third")
	_, err = f.survey().Redrive(t.Context(), mailbox.Options{})
	require.NoError(t, err)
	require.Zero(t, f.broker.Backlog(letters, deadletter.Subscription))
	f.box.Close()
}

// A producer that died within a letter leaves a part that nobody is ever given. What is there is treated all the same.
func TestAPartThatIsLeftOverAtTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.put(3, "bad_request")
		f.broker.Abandon(letters)
		began := time.Now()
		r, err := f.survey().Redrive(t.Context(), mailbox.Options{})
		var silent *mailbox.SilentError
		require.ErrorAs(t, err, &silent)
		require.Equal(t, "7:2", silent.At)
		require.Equal(t, "7:3", silent.Last)
		require.Equal(t, 15*time.Second, time.Since(began))
		require.Equal(t, 3, r.Done)
		require.Equal(t, rows(1, 3), f.sent())
		f.put(1, "bad_request")
		r, err = f.survey().Drop(t.Context(), mailbox.Options{})
		require.NoError(t, err, "the next letter passes it")
		require.Equal(t, 1, r.Done)
		f.box.Close()
	})
}

func TestALetterIsFoundByItsID(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.put(3, "bad_request")
	l, err := f.box.Find(t.Context(), "7:1")
	require.NoError(t, err)
	require.Equal(t, "2", l.Row)
	require.Equal(t, "7:1", l.ID)
	_, err = f.survey().Drop(t.Context(), mailbox.Options{Filter: deadletter.Filter{IDs: []string{"7:1"}}})
	require.NoError(t, err)
	for _, id := range []string{"7:1", "7:99", "9:0"} {
		_, err = f.box.Find(t.Context(), id)
		var missing *mailbox.NotFoundError
		require.ErrorAs(t, err, &missing, id)
	}
	for _, id := range []string{"", "7", "7:x", "7:-1", "7:1:x", "7:1:-1", "1:2:3:4"} {
		_, err = f.box.Find(t.Context(), id)
		require.ErrorContains(t, err, "expected an id like 12:34", id)
	}
	f.box.Close()
}

func TestAnAdminInterfaceThatFails(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.put(1, "bad_request")
	f.broker.Script("admin internalStats", pulsartest.Fault{Err: errBroker})
	_, err := f.box.Survey(t.Context())
	require.ErrorContains(t, err, "ask Pulsar for "+letters+", internalStats: it answered 500")
	f.broker.Script("admin stats", pulsartest.Fault{Err: errBroker})
	_, err = f.survey().Redrive(t.Context(), mailbox.Options{})
	require.ErrorContains(t, err, source+", stats: it answered 500")
	require.Equal(t, rows(1, 1), f.left())
	f.box.Close()
}

func TestAReaderThatFails(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.put(2, "bad_request")
	f.broker.Script("reader "+letters, pulsartest.Fault{Err: errBroker})
	_, err := f.survey().Redrive(t.Context(), mailbox.Options{})
	require.ErrorIs(t, err, errBroker)
	f.broker.Script("read "+letters, pulsartest.Fault{}, pulsartest.Fault{Err: errBroker})
	r, err := f.survey().Redrive(t.Context(), mailbox.Options{})
	require.ErrorIs(t, err, errBroker)
	require.Zero(t, r.Done, "what was read stays, too")
	require.Equal(t, rows(1, 2), f.left())
	f.box.Close()
}

func TestTopicsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "a/b", "a/b/c/d", "non-persistent://a/b/c", "persistent://a//c"} {
		_, err := mailbox.New(mailbox.Config{Topic: name})
		require.ErrorContains(t, err, "expected persistent://tenant/namespace/name", name)
	}
}
