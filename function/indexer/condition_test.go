package indexer

import (
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestConditionIsTheWorstTrouble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var seen []Condition
		c := newConditions("app.articles", slog.New(slog.DiscardHandler), func(now Condition) { seen = append(seen, now) })
		began := time.Now()
		a, b := c.operation(), c.operation()
		<-time.After(time.Second)
		a.report(Retrying, errors.New("no route"))
		require.Equal(t, Condition{State: Retrying, Cause: "no route", Since: began.Add(time.Second)}, c.current())
		<-time.After(time.Second)
		a.report(Retrying, errors.New("refused"))
		require.Equal(t, Condition{State: Retrying, Cause: "refused", Since: began.Add(time.Second)}, c.current(), "the state is as old as before")
		b.report(Halted, errors.New("bad key"))
		require.Equal(t, Condition{State: Halted, Cause: "bad key", Since: began.Add(2 * time.Second)}, c.current())
		b.clear()
		require.Equal(t, Retrying, c.current().State)
		a.clear()
		a.clear()
		require.Equal(t, Condition{State: Running, Since: began.Add(2 * time.Second)}, c.current())
		require.Len(t, seen, 5)
	})
}

func TestConditionTellsOnlyChanges(t *testing.T) {
	t.Parallel()
	calls := 0
	c := newConditions("t", slog.New(slog.DiscardHandler), func(Condition) { calls++ })
	a, b := c.operation(), c.operation()
	a.report(Retrying, errOutage)
	a.report(Retrying, errOutage)
	b.report(Retrying, errRefuse)
	require.Equal(t, 1, calls, "the oldest trouble speaks for its equals")
	a.clear()
	require.Equal(t, 2, calls)
	require.Equal(t, errRefuse.Error(), c.current().Cause)
}

// What nobody waits for speaks where there is nothing else of its state, and never hides what is worse.
func TestConditionOfWhatNobodyWaitsFor(t *testing.T) {
	t.Parallel()
	c := newConditions("t", slog.New(slog.DiscardHandler), func(Condition) {})
	least, a, b := c.minor(), c.operation(), c.operation()
	least.report(Retrying, errors.New("one row"))
	require.Equal(t, "one row", c.current().Cause)
	a.report(Retrying, errors.New("all rows"))
	require.Equal(t, "all rows", c.current().Cause)
	least.report(Halted, errors.New("bad key"))
	require.Equal(t, Halted, c.current().State)
	require.Equal(t, "bad key", c.current().Cause)
	b.report(Halted, errors.New("no model"))
	require.Equal(t, "no model", c.current().Cause)
}
