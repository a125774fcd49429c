package instancetest

import (
	"context"
	"net/http"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deadletter"
	"github.com/rowvec/rowvec/function/instance"
)

// lettersOutlast takes the subscription and then the whole topic of the dead letters away from a running instance: what it publishes
// afterwards is kept all the same.
func lettersOutlast(e *env) {
	topic := e.topic("deprived")
	node := e.start(options{inputs: []string{topic}, handle: func(_ context.Context, d *instance.Delivery) {
		d.Settle(instance.Settlement{Verdict: instance.DeadLetter, Reason: "malformed"})
	}})
	e.consumers(topic, 1)
	settled := func(n int64) {
		e.until(func() bool { return node.Stats().Total.Exceptions[instance.UserException] == n })
	}
	e.publish(topic, "a")
	settled(1)
	letters := path(node.deadLetters)
	require.Equal(e, http.StatusNoContent, e.admin(http.MethodDelete, letters+"/subscription/"+deadletter.Subscription+"?force=true", nil, nil))
	require.NotContains(e, e.subscriptions(node.deadLetters), deadletter.Subscription)
	e.publish(topic, "b")
	settled(2)
	require.Equal(e, 1, e.kept(node.deadLetters, "b"))

	require.Equal(e, http.StatusNoContent, e.admin(http.MethodDelete, letters+"?force=true", nil, nil))
	e.publish(topic, "c")
	settled(3)
	require.Equal(e, 1, e.kept(node.deadLetters, "c"))
	node.end()
}

// kept counts the letters with a key, of those that the durable subscription has.
func (e *env) kept(topic, key string) int {
	e.Helper()
	n := 0
	for range e.stats(topic).Subscriptions[deadletter.Subscription].MsgBacklog {
		if e.receive(topic, deadletter.Subscription, anyMessage).Key() == key {
			n++
		}
	}
	return n
}
