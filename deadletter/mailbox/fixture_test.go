package mailbox_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deadletter"
	"github.com/rowvec/rowvec/deadletter/mailbox"
	"github.com/rowvec/rowvec/function/admin"
	"github.com/rowvec/rowvec/function/instance/pulsartest"
)

const (
	letters = "persistent://public/default/shop-dlq"
	source  = "persistent://public/default/store.app.articles"
)

// fixture is a mailbox over a double.
type fixture struct {
	*testing.T
	broker *pulsartest.Broker
	box    *mailbox.Mailbox
}

// direct is the way to a handler without a network, so that it works in a synctest bubble.
type direct struct{ handler http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	return w.Result(), nil
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{T: t, broker: pulsartest.New()}
	client, err := f.broker.Client(pulsar.ClientOptions{})
	require.NoError(t, err)
	f.broker.Subscribe(letters, deadletter.Subscription)
	f.broker.Subscribe(source, "shop-sub")
	questions, err := admin.New(admin.Config{URL: "http://broker.test", Transport: direct{f.broker.Admin()}})
	require.NoError(t, err)
	f.box, err = mailbox.New(mailbox.Config{Topic: "shop-dlq", Subscription: "shop-sub", Client: client, Admin: questions})
	require.NoError(t, err)
	require.Equal(t, letters, f.box.Topic())
	return f
}

// put publishes letters of rows 1 to n, for one reason.
func (f *fixture) put(n int, reason string) {
	for row := range n {
		f.letter(strconv.Itoa(row+1), reason, deadletter.Life{})
	}
}

func (f *fixture) letter(row, reason string, life deadletter.Life) *pulsartest.Message {
	properties := map[string]string{
		deadletter.PropReason: reason, deadletter.PropSourceTopic: source, deadletter.PropTable: "app.articles", deadletter.PropRow: row,
		deadletter.PropTime: deadletter.Timestamp(time.Now()),
	}
	life.Write(properties)
	return f.broker.Publish(letters, &pulsartest.Message{K: row, Body: []byte("body of " + row), Props: properties})
}

func (f *fixture) survey() *mailbox.Survey {
	f.Helper()
	s, err := f.box.Survey(f.Context())
	require.NoError(f, err)
	return s
}

// left are the rows of the letters that stand in the topic.
func (f *fixture) left() []string { return f.broker.Left(letters, deadletter.Subscription) }

// sent are the rows of the letters that came to the source topic.
func (f *fixture) sent() []string { return f.broker.Left(source, "shop-sub") }

func rows(from, to int) []string {
	list := []string{}
	for row := from; row <= to; row++ {
		list = append(list, strconv.Itoa(row))
	}
	return list
}

func faults(n int, f pulsartest.Fault) []pulsartest.Fault {
	list := make([]pulsartest.Fault, n)
	for i := range list {
		list[i] = f
	}
	return list
}

var errBroker = fmt.Errorf("broker persistence error")
