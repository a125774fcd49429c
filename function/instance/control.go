package instance

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"

	controlpb "github.com/rowvec/rowvec/function/instance/proto"
)

// control answers the worker's calls. No answer waits for the data path or the network.
type control struct {
	controlpb.UnimplementedInstanceControlServer

	instance *Instance
}

// handshakeTimeout bounds how long a caller may take to say its first words, and so how long one who says nothing can hold up Close:
// neither Stop nor GracefulStop cuts a connection before that.
const handshakeTimeout = time.Second

func newControlServer(i *Instance) *grpc.Server {
	server := grpc.NewServer(
		grpc.ConnectionTimeout(handshakeTimeout),
		grpc.MaxRecvMsgSize(64<<10), // every request is empty
		grpc.MaxConcurrentStreams(64),
	)
	controlpb.RegisterInstanceControlServer(server, &control{instance: i})
	return server
}

// GetFunctionStatus is called for `functions status`.
func (c *control) GetFunctionStatus(context.Context, *emptypb.Empty) (*controlpb.FunctionStatus, error) {
	return c.instance.status(), nil
}

// GetMetrics is called for `functions stats`.
func (c *control) GetMetrics(context.Context, *emptypb.Empty) (*controlpb.MetricsData, error) {
	return c.instance.metricsData(), nil
}

// GetAndResetMetrics answers like GetMetrics and starts a new window. The totals stay, as in Java: a counter never goes back.
func (c *control) GetAndResetMetrics(context.Context, *emptypb.Empty) (*controlpb.MetricsData, error) {
	data := c.instance.metricsData()
	c.instance.stats.newWindow()
	return data, nil
}

// ResetMetrics starts a new window.
func (c *control) ResetMetrics(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	c.instance.stats.newWindow()
	return &emptypb.Empty{}, nil
}

// HealthCheck is the worker's sign of life as much as ours.
func (c *control) HealthCheck(context.Context, *emptypb.Empty) (*controlpb.HealthCheckResult, error) {
	c.instance.guard.healthCheck()
	return &controlpb.HealthCheckResult{Success: true}, nil
}
