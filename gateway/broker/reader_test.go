package broker

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestHostsOfAServiceURL(t *testing.T) {
	t.Parallel()
	for serviceURL, want := range map[string][]string{
		"pulsar://127.0.0.1:6650": {"127.0.0.1:6650"}, "pulsar://broker/": {"broker:6650"}, "pulsar+ssl://a:1,b": {"a:1", "b:6651"},
		"pulsar://[::1]": {"[::1]:6650"}, "pulsar://[::1]:7,[fe80::1]": {"[::1]:7", "[fe80::1]:6650"},
	} {
		require.Equal(t, want, hosts(serviceURL), serviceURL)
	}
}

// TestAStopDoesNotWaitForABrokerThatIsAway: nobody listens on a port that was just given back, and nobody answers at an address that is
// kept for documentation.
func TestAStopDoesNotWaitForABrokerThatIsAway(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, reach(t.Context(), "pulsar://192.0.2.0:x,"+l.Addr().String()), "one of the hosts is enough")
	require.NoError(t, l.Close())

	begun := time.Now()
	_, err = Tail(Access{ServiceURL: "pulsar://" + l.Addr().String()}, "t", slog.New(slog.DiscardHandler))(t.Context())
	require.ErrorContains(t, err, "reach Pulsar")
	stopped, stop := context.WithCancel(t.Context())
	stop()
	_, err = Tail(Access{ServiceURL: "pulsar://192.0.2.1"}, "t", slog.New(slog.DiscardHandler))(stopped)
	require.ErrorIs(t, err, context.Canceled)
	require.Less(t, time.Since(begun), operationTimeout/2)
}

// TestTheFeedStopsWhileItOpens: what is under way ends with the context.
func TestTheFeedStopsWhileItOpens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &Feed{Log: slog.New(slog.DiscardHandler), Open: func(ctx context.Context) (Reader, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		begun := time.Now()
		f.Run(ctx)
		require.Equal(t, time.Second, time.Since(begun))
	})
}

func TestTheClientsChatterIsLeftOut(t *testing.T) {
	t.Parallel()
	for level, want := range map[slog.Level]bool{slog.LevelInfo: false, slog.LevelDebug: true} {
		var out bytes.Buffer
		log := slog.New(warnings{slog.NewTextHandler(&out, &slog.HandlerOptions{Level: level})}).With("a", 1).WithGroup("g")
		log.Info("connected")
		require.Equal(t, want, out.Len() > 0, level)
		log.Warn("lost", "b", 2)
		require.Contains(t, out.String(), "msg=lost a=1 g.b=2")
	}
}
