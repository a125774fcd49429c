package broker_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rowvec/rowvec/function/admin"
	"github.com/rowvec/rowvec/gateway/broker"
	"github.com/rowvec/rowvec/gateway/monitor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// answers is an admin interface: path -> JSON. What is not in it is 404.
type answers map[string]string

func (a answers) function(t *testing.T, edit func(f *broker.Function)) *broker.Function {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := a[r.URL.EscapedPath()]
		switch {
		case !ok:
			w.WriteHeader(http.StatusNotFound)
		case text == "":
			w.WriteHeader(http.StatusInternalServerError)
		default:
			_, _ = io.WriteString(w, text)
		}
	}))
	t.Cleanup(server.Close)
	client, err := admin.New(admin.Config{URL: server.URL})
	require.NoError(t, err)
	t.Cleanup(client.Close)
	f := &broker.Function{
		Admin: client, Name: monitor.FunctionName{Tenant: "public", Namespace: "default", Name: "f"},
		Inputs:       []string{"persistent://public/default/store.app.articles", "persistent://public/default/store.app.parted"},
		Subscription: "sub", DeadLetters: "persistent://public/default/f-dlq", Tables: []string{"app.articles", "app.parted", "app.later"},
	}
	edit(f)
	return f
}

func asIs(*broker.Function) {}

const twoInstances = `{"numInstances":3,"numRunning":2,"instances":[
 {"instanceId":0,"status":{"running":true,"error":"","numRestarts":1,"numReceived":10,"numSuccessfullyProcessed":8,"numUserExceptions":2,
   "latestUserExceptions":[{"exceptionString":"older","timestampMs":5},{"exceptionString":"newer","timestampMs":9}],
   "latestSystemExceptions":[{"exceptionString":"middle","timestampMs":7}],"lastInvocationTime":11}},
 {"instanceId":1,"status":{"running":true,"error":"table app.a: halted: the endpoint does not know the model"}},
 {"instanceId":2,"status":{"running":true,"error":"table app.a: retrying: the endpoint answered 503"}},
 {"instanceId":3,"status":{"running":false,"error":"UNAVAILABLE: io exception"}}]}`

func TestInstancesAreAsTheStatusSays(t *testing.T) {
	t.Parallel()
	f := answers{"/admin/v3/functions/public/default/f/status": twoInstances}.function(t, asIs)
	instances, err := f.Instances(t.Context())
	require.NoError(t, err)
	require.Equal(t, []monitor.Instance{
		{ID: 0, Running: true, State: monitor.Running, Received: new(int64(10)), Processed: new(int64(8)), Failed: new(int64(2)), Restarts: 1, LastError: "newer", LastErrorTime: 9, LastInvocation: 11},
		{ID: 1, Running: true, State: monitor.Halted, Received: new(int64), Processed: new(int64), Failed: new(int64), Cause: "table app.a: halted: the endpoint does not know the model"},
		{ID: 2, Running: true, State: monitor.Retrying, Received: new(int64), Processed: new(int64), Failed: new(int64), Cause: "table app.a: retrying: the endpoint answered 503"},
		{ID: 3, State: monitor.Away, Received: new(int64), Processed: new(int64), Failed: new(int64), Cause: "UNAVAILABLE: io exception"},
	}, instances)
}

func TestAFunctionThatIsNotThereHasNoInstances(t *testing.T) {
	t.Parallel()
	instances, err := answers{}.function(t, asIs).Instances(t.Context())
	require.NoError(t, err)
	require.Empty(t, instances)
	require.NotNil(t, instances, "JSON must say [], not null")
}

func TestABadAnswerIsAnErrorNotNothing(t *testing.T) {
	t.Parallel()
	f := answers{
		"/admin/v3/functions/public/default/f/status": "",
	}.function(t, asIs)
	_, err := f.Instances(t.Context())
	require.ErrorContains(t, err, "ask Pulsar for admin/v3/functions/public/default/f/status: it answered 500")
}
