package brokerlog_test

import (
	"bytes"
	"errors"
	"log/slog"
	"testing"
	"time"

	pulsarlog "github.com/apache/pulsar-client-go/pulsar/log"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/brokerlog"
)

var errConnection = errors.New("connection error")

func TestTheLastComplaintExplainsAnError(t *testing.T) {
	t.Parallel()
	var reason brokerlog.Reason
	client := pulsarlog.NewLoggerWithSlog(slog.New(reason.Handler(slog.DiscardHandler)).WithGroup("g").With("component", "c"))
	began := time.Now()
	require.NoError(t, reason.Explain(nil, began))
	client.Info("TCP connection established")
	require.Equal(t, errConnection, reason.Explain(errConnection, began))

	client.SubLogger(pulsarlog.Fields{"remote_addr": "b"}).WithError(errors.New("x509: signed by\nsomebody")).Warn("Failed to connect to broker.")
	err := reason.Explain(errConnection, began)
	require.EqualError(t, err, "connection error: Failed to connect to broker: x509: signed by: somebody")
	require.ErrorIs(t, err, errConnection)

	client.Errorf("Failed to establish connection with broker: '%s'", "Failed to authenticate")
	require.EqualError(t, reason.Explain(errConnection, began), "connection error: Failed to establish connection with broker: 'Failed to authenticate'")
	require.Equal(t, errConnection, reason.Explain(errConnection, time.Now().Add(time.Second)), "an old complaint is about something else")
	require.NoError(t, reason.Explain(nil, began))
}

func TestTheLogGetsWhatItWants(t *testing.T) {
	t.Parallel()
	var reason brokerlog.Reason
	var out bytes.Buffer
	client := pulsarlog.NewLoggerWithSlog(slog.New(reason.Handler(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelError}))).With("component", "c"))
	client.Info("told")
	client.Warn("warned")
	client.Error("failed")
	require.Equal(t, 1, bytes.Count(out.Bytes(), []byte("\n")), out.String())
	require.Contains(t, out.String(), "msg=failed component=c")
	client.Warn("warned again")
	require.ErrorContains(t, reason.Explain(errConnection, time.Time{}), "warned again")
}
