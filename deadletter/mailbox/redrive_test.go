package mailbox_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deadletter"
	"github.com/rowvec/rowvec/deadletter/mailbox"
	"github.com/rowvec/rowvec/function/instance/pulsartest"
)

func TestRedriveAcknowledgesOnlyWhatWasConfirmed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.put(5, "bad_request")
	f.broker.Script("send "+source, pulsartest.Fault{}, pulsartest.Fault{Err: errBroker}, pulsartest.Fault{}, pulsartest.Fault{Err: errBroker})
	r, err := f.survey().Redrive(t.Context(), mailbox.Options{})
	require.ErrorIs(t, err, errBroker)
	require.ErrorContains(t, err, "send letter 7:1 to "+source)
	require.Equal(t, 3, r.Done)
	require.Equal(t, 2, r.Failed)
	require.Equal(t, []string{"2", "4"}, f.left())
	require.Equal(t, []string{"1", "3", "5"}, f.sent())
}

func TestRedriveStopsWhereTheBrokerTakesNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.put(250, "bad_request")
	f.broker.Script("send "+source, append(faults(100, pulsartest.Fault{}), faults(100, pulsartest.Fault{Err: errBroker})...)...)
	r, err := f.survey().Redrive(t.Context(), mailbox.Options{})
	require.ErrorIs(t, err, errBroker)
	require.Equal(t, 100, r.Done)
	require.Equal(t, rows(101, 250), f.left())
	r, err = f.survey().Redrive(t.Context(), mailbox.Options{})
	require.NoError(t, err, "and goes on when it does")
	require.Equal(t, 150, r.Done)
	require.Equal(t, rows(1, 250), f.sent())
}

// What a letter holds was small enough for the dead-letter topic, and is for the source topic.
func TestRedriveSendsALetterAsItStands(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	letter := f.letter("1", "malformed", deadletter.Life{})
	letter.Props["own"] = strings.Repeat("v", 1<<20)
	letter.Props[deadletter.PropOmitted] = "big (2097152 bytes)"
	_, err := f.survey().Redrive(t.Context(), mailbox.Options{})
	require.NoError(t, err)
	sent := f.broker.Stored(source)
	require.Len(t, sent, 1)
	require.Equal(t, letter.Props, sent[0].Props)
	require.Equal(t, letter.Body, sent[0].Body)
	require.Empty(t, f.left())
}

// The client confirms a letter by its last chunk, whatever became of the first ones: it must give up none before the round does.
func TestALetterInChunksGoesBackWhole(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		letter := f.letter("1", "malformed", deadletter.Life{})
		letter.Body = bytes.Repeat([]byte("x"), 6<<20)
		connected := make(chan struct{})
		f.broker.Script("send "+source, pulsartest.Fault{Block: connected})
		time.AfterFunc(29*time.Second, func() { close(connected) })
		r, err := f.survey().Redrive(t.Context(), mailbox.Options{})
		require.NoError(t, err)
		require.Equal(t, 1, r.Done)
		sent := f.broker.Stored(source)
		require.Len(t, sent, 1)
		require.Equal(t, len(letter.Body), len(sent[0].Body)) // not Len, which prints it all
		f.box.Close()
	})
}

// A stop in the middle finishes what the client has taken, and leaves the rest.
func TestAStoppedRedriveLosesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.put(250, "bad_request")
		hold := make(chan struct{})
		f.broker.Script("send "+source, append(faults(120, pulsartest.Fault{}), pulsartest.Fault{Block: hold})...)
		ctx, stop := context.WithCancel(t.Context())
		go func() {
			synctest.Wait()
			stop()
			time.AfterFunc(time.Second, func() { close(hold) })
		}()
		r, err := f.survey().Redrive(ctx, mailbox.Options{})
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, 200, r.Done, "the round under way was confirmed after the stop, and acknowledged")
		require.Equal(t, rows(201, 250), f.left())
		require.Len(t, f.sent(), 200)
		r, err = f.survey().Redrive(t.Context(), mailbox.Options{})
		require.NoError(t, err)
		require.Equal(t, 50, r.Done)
		require.Empty(t, f.left())
		f.box.Close()
	})
}

func TestAStoppedRedriveDoesNotWaitForABrokerThatIsGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.put(10, "bad_request")
		never := make(chan struct{})
		f.broker.Script("send "+source, pulsartest.Fault{Block: never, Err: errBroker})
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		began := time.Now()
		r, err := f.survey().Redrive(ctx, mailbox.Options{})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 11*time.Second, time.Since(began))
		require.Equal(t, 9, r.Done)
		require.Len(t, f.left(), 1, "not confirmed, not acknowledged")
		close(never)
		f.box.Close()
		synctest.Wait()
	})
}

// An acknowledgement that fails is tried again; when it cannot be had, the letters stay and will be sent once more.
func TestRedriveWhoseAcknowledgementFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.put(3, "bad_request")
		f.broker.Script("ack list "+letters, faults(2, pulsartest.Fault{Err: errBroker})...)
		_, err := f.survey().Redrive(t.Context(), mailbox.Options{Limit: 1})
		require.NoError(t, err)
		require.Equal(t, []string{"2", "3"}, f.left())
		f.broker.Script("ack list "+letters, faults(3, pulsartest.Fault{Err: errBroker})...)
		r, err := f.survey().Redrive(t.Context(), mailbox.Options{})
		require.ErrorIs(t, err, errBroker)
		require.ErrorContains(t, err, "2 letters were sent, and will be sent once more, which changes nothing")
		require.Zero(t, r.Done)
		require.Equal(t, []string{"2", "3"}, f.left())
		f.box.Close()
	})
}

func TestNothingIsSentThatCannotBeAcknowledged(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.put(3, "bad_request")
	f.broker.Script("subscribe "+letters, pulsartest.Fault{Err: errBroker})
	_, err := f.survey().Redrive(t.Context(), mailbox.Options{})
	require.ErrorIs(t, err, errBroker)
	require.ErrorContains(t, err, "attach to rowvec-dlq of "+letters)
	require.Empty(t, f.sent())
	require.Equal(t, rows(1, 3), f.left())
}

func TestWhatWasRedrivenOftenForNothingIsLeft(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	times := func(n int, reason string) deadletter.Life {
		return deadletter.Life{Redriven: n, History: []deadletter.Failure{{Reason: reason, Times: n}}}
	}
	f.letter("1", "bad_request", times(2, "bad_request"))
	f.letter("2", "bad_request", times(3, "bad_request"))
	f.letter("3", "bad_request", times(9, "too_large"))
	f.broker.Publish(letters, &pulsartest.Message{K: "4", Props: map[string]string{"somebody": "else's"}})
	r, err := f.survey().Redrive(t.Context(), mailbox.Options{})
	require.NoError(t, err)
	require.Equal(t, []string{"1", "3"}, f.sent())
	require.Equal(t, []string{"2", "4"}, f.left())
	require.Equal(t, []int{4, 2, 1, 1}, []int{r.Matched, r.Done, r.InVain, r.Foreign})
	r, err = f.survey().Redrive(t.Context(), mailbox.Options{Again: true})
	require.NoError(t, err)
	require.Equal(t, 1, r.Done)
	require.Equal(t, []string{"4"}, f.left())
}

func TestADryRunChangesNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.put(3, "bad_request")
	f.letter("4", "too_large", deadletter.Life{})
	var would []string
	o := mailbox.Options{
		Filter: deadletter.Filter{Reasons: []string{"bad_request"}}, DryRun: true, Limit: 2,
		Each: func(l *mailbox.Letter) { would = append(would, l.Row) },
	}
	for _, do := range []func() (*mailbox.Result, error){
		func() (*mailbox.Result, error) { return f.survey().Redrive(t.Context(), o) },
		func() (*mailbox.Result, error) { return f.survey().Drop(t.Context(), o) },
	} {
		would = nil
		r, err := do()
		require.NoError(t, err)
		require.Equal(t, 2, r.Done)
		require.Len(t, r.Counts, 1)
		require.Equal(t, 2, r.Counts[0].Letters)
		require.Equal(t, []string{"1", "2"}, would)
		require.Equal(t, rows(1, 4), f.left())
		require.Empty(t, f.sent())
	}
	require.Zero(t, f.broker.Count("producer"))
	require.Zero(t, f.broker.Count("subscribe"))
}

func TestTheRateIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.put(101, "bad_request")
		began := time.Now()
		_, err := f.survey().Redrive(t.Context(), mailbox.Options{Rate: 20})
		require.NoError(t, err)
		require.InDelta(t, 5*time.Second, time.Since(began), float64(time.Millisecond))
		require.Equal(t, rows(1, 101), f.sent())
		f.box.Close()
	})
}
