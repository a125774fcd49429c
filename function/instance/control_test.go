package instance

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	controlpb "github.com/rowvec/rowvec/function/instance/proto"
)

// dialled calls the instance as the functions worker does.
func dialled(tb testing.TB, i *Instance) controlpb.InstanceControlClient {
	tb.Helper()
	conn, err := grpc.NewClient(i.ControlAddrs()[0].String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = conn.Close() })
	return controlpb.NewInstanceControlClient(conn)
}

func requireMessage(tb testing.TB, want, got proto.Message) {
	tb.Helper()
	require.Truef(tb, proto.Equal(want, got), "want %v\ngot  %v", want, got)
}

func deadline(tb testing.TB) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second) // the worker's
	tb.Cleanup(cancel)
	return ctx
}

func TestStatusOfAFreshInstance(t *testing.T) {
	t.Parallel()
	i := opened(t, testConf(t), Options{})
	got, err := dialled(t, i).GetFunctionStatus(deadline(t), &emptypb.Empty{})
	require.NoError(t, err)
	requireMessage(t, &controlpb.FunctionStatus{Running: true, InstanceId: "2"}, got)
}

func TestStatusShowsWhatIsWrong(t *testing.T) {
	t.Parallel()
	i := opened(t, testConf(t), Options{})
	const now = 1_700_000_000_123
	i.stats.now = func() time.Time { return time.UnixMilli(now) }
	i.SetCondition("pulsar", "cannot connect")
	i.SetCondition("app.articles", "halted: the model \"x\" does not exist")
	i.stats.received()
	i.stats.received()
	i.stats.processed(1500 * time.Microsecond)
	i.RecordException(UserException, errors.New("poison \xff"))
	i.RecordException(SystemException, errors.New("down"))
	i.RecordException(SourceException, errors.New("no broker"))
	i.RecordException(SinkException, errors.New("no topic"))

	one := func(text string) []*controlpb.FunctionStatus_ExceptionInformation {
		return []*controlpb.FunctionStatus_ExceptionInformation{{ExceptionString: text, MsSinceEpoch: now}}
	}
	got, err := dialled(t, i).GetFunctionStatus(deadline(t), &emptypb.Empty{})
	require.NoError(t, err)
	requireMessage(t, &controlpb.FunctionStatus{
		Running:                  true,
		FailureException:         `app.articles: halted: the model "x" does not exist; pulsar: cannot connect`,
		NumReceived:              2,
		NumSuccessfullyProcessed: 1,
		AverageLatency:           1.5,
		LastInvocationTime:       now,
		InstanceId:               "2",
		NumUserExceptions:        1, LatestUserExceptions: one("poison \uFFFD"),
		NumSystemExceptions: 1, LatestSystemExceptions: one("down"),
		NumSourceExceptions: 1, LatestSourceExceptions: one("no broker"),
		NumSinkExceptions: 1, LatestSinkExceptions: one("no topic"),
	}, got)
	require.Equal(t, map[string]string{
		"pulsar": "cannot connect", "app.articles": "halted: the model \"x\" does not exist",
	}, i.Stats().Conditions)
}

func TestMetricsCallsAndResets(t *testing.T) {
	t.Parallel()
	i := opened(t, testConf(t), Options{})
	const now = 1_700_000_000_123
	i.stats.now = func() time.Time { return time.UnixMilli(now) }
	i.SetUserMetrics(func() map[string]float64 { return map[string]float64{"rowvec_records_total": 3} })
	i.stats.received()
	i.stats.processed(4 * time.Millisecond)
	i.RecordException(SourceException, errors.New("x"))
	i.RecordException(UserException, errors.New("x"))

	full := &controlpb.MetricsData{
		ReceivedTotal: 1, ProcessedSuccessfullyTotal: 1, SystemExceptionsTotal: 1, UserExceptionsTotal: 1,
		AvgProcessLatency: 4, LastInvocation: now, UserMetrics: map[string]float64{"rowvec_records_total": 3},
		ReceivedTotal_1Min: 1, ProcessedSuccessfullyTotal_1Min: 1, SystemExceptionsTotal_1Min: 1, UserExceptionsTotal_1Min: 1,
		AvgProcessLatency_1Min: 4,
	}
	after := &controlpb.MetricsData{
		ReceivedTotal: 1, ProcessedSuccessfullyTotal: 1, SystemExceptionsTotal: 1, UserExceptionsTotal: 1,
		AvgProcessLatency: 4, LastInvocation: now, UserMetrics: map[string]float64{"rowvec_records_total": 3},
	}
	w := dialled(t, i)
	get := func(call func(context.Context, *emptypb.Empty, ...grpc.CallOption) (*controlpb.MetricsData, error)) *controlpb.MetricsData {
		data, err := call(deadline(t), &emptypb.Empty{})
		require.NoError(t, err)
		return data
	}
	requireMessage(t, full, get(w.GetMetrics))
	requireMessage(t, full, get(w.GetAndResetMetrics))
	requireMessage(t, after, get(w.GetMetrics))
	i.stats.received()
	_, err := w.ResetMetrics(deadline(t), &emptypb.Empty{})
	require.NoError(t, err)
	after.ReceivedTotal = 2
	requireMessage(t, after, get(w.GetMetrics))
}

func TestHealthCheckSucceedsAndIsTheWorkersSignOfLife(t *testing.T) {
	t.Parallel()
	i := opened(t, testConf(t), Options{})
	w := dialled(t, i)
	for range 2 {
		got, err := w.HealthCheck(deadline(t), &emptypb.Empty{})
		require.NoError(t, err)
		requireMessage(t, &controlpb.HealthCheckResult{Success: true}, got)
	}
	i.guard.mu.Lock()
	defer i.guard.mu.Unlock()
	require.Equal(t, 2, i.guard.checks)
}

func TestServiceHasTheNamesThatTheWorkerCalls(t *testing.T) {
	t.Parallel()
	require.Equal(t, "proto.InstanceControl", controlpb.InstanceControl_ServiceDesc.ServiceName)
	require.Equal(t, "/proto.InstanceControl/GetAndResetMetrics", controlpb.InstanceControl_GetAndResetMetrics_FullMethodName)
}
