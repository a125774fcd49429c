package instance

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/brokerlog"
	"github.com/rowvec/rowvec/function/instance/pulsartest"
)

func TestRetryDelayGrowsToItsCap(t *testing.T) {
	t.Parallel()
	d := newRetryDelay()
	for _, most := range []int64{200, 400, 800, 1600, 3200, 5000, 5000, 5000} {
		got := d.Next().Milliseconds()
		require.LessOrEqual(t, got, most)
		require.GreaterOrEqual(t, got, most*8/10)
	}
	require.True(t, d.IsMaxBackoffReached())
	d.Reset()
	require.False(t, d.IsMaxBackoffReached())
	require.LessOrEqual(t, d.Next(), retryFirst)
}

func TestRetryDelaySleepEndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		d := newRetryDelay()
		start := time.Now()
		require.NoError(t, d.sleep(ctx))
		require.Greater(t, time.Since(start), retryFirst/2)
		cancel()
		start = time.Now()
		require.ErrorIs(t, d.sleep(ctx), context.Canceled)
		require.Zero(t, time.Since(start))
	})
}

func TestNewClientTriesAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		refused := pulsartest.Fault{Err: errors.New("no such certificate file")}
		f.broker.Script("client pulsar://x", refused, refused)
		f.start()
		require.Equal(t, "cannot make the client: no such certificate file; trying again", f.seen.snapshot().conditions["pulsar"])
		f.pass(enoughSteps)
		got := f.seen.snapshot()
		require.Empty(t, got.conditions)
		require.Equal(t, "system: make the Pulsar client: no such certificate file", got.faults[1])
		require.Equal(t, 1, f.broker.Count("subscribe "+articles))
		f.end()
	})
}

func TestClientOptions(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var got pulsar.ClientOptions
	f.c.settings.NewClient = func(o pulsar.ClientOptions) (pulsar.Client, error) {
		got = o
		return nil, errBroker
	}
	_, err := f.c.tryClient()
	require.ErrorIs(t, err, errBroker)
	require.Equal(t, "pulsar://x", got.URL)
	require.Equal(t, operationTimeout, got.OperationTimeout)
	require.NotNil(t, got.MetricsRegisterer, "the default would be the process-wide registry")
	require.Equal(t, pulsar.MetricsCardinalityNone, got.MetricsCardinality)
	require.NotNil(t, got.Logger, "the default would be another library's global")
}

func TestOneLine(t *testing.T) {
	t.Parallel()
	require.Equal(t, "context deadline exceeded: connection error", oneLine(errors.Join(context.DeadlineExceeded, errors.New("connection error"))))
}

func TestTheClientsLogIsItsWarnings(t *testing.T) {
	t.Parallel()
	for level, want := range map[slog.Level][]string{
		slog.LevelDebug: {"told", "warned", "failed"},
		slog.LevelInfo:  {"warned", "failed"},
	} {
		var out bytes.Buffer
		log := clientLogger(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: level})), &brokerlog.Reason{})
		log.SubLogger(map[string]any{"topic": articles}).Info("told")
		log.Warn("warned")
		log.WithError(errBroker).Errorf("failed")
		require.Equal(t, len(want), bytes.Count(out.Bytes(), []byte("\n")))
		for _, line := range want {
			require.Contains(t, out.String(), "msg="+line)
		}
		require.Contains(t, out.String(), "component=pulsar_client")
	}
}
