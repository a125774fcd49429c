package mailbox_test

import (
	"net/http/httptest"
	"testing"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rowvec/rowvec/deadletter/mailbox/mailboxtest"
	"github.com/rowvec/rowvec/function/admin"
	"github.com/rowvec/rowvec/function/instance/pulsartest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTheDoubleConforms(t *testing.T) {
	t.Parallel()
	b := pulsartest.New()
	client, err := b.Client(pulsar.ClientOptions{})
	require.NoError(t, err)
	server := httptest.NewServer(b.Admin())
	t.Cleanup(server.Close)
	questions, err := admin.New(admin.Config{URL: server.URL})
	require.NoError(t, err)
	t.Cleanup(questions.Close)
	mailboxtest.Suite(t, mailboxtest.Broker{
		Client: client, Admin: questions, Prefix: "it-", Partition: b.Partition, Delete: b.DeleteTopic, Left: b.Backlog,
	})
}
