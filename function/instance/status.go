package instance

import (
	"strconv"
	"time"

	controlpb "github.com/rowvec/rowvec/function/instance/proto"
)

// status is the document behind `pulsar-admin functions status`. running is always true: an instance that answers is running, and a false
// would make the worker throw the text away (contract §2.2).
func (i *Instance) status() *controlpb.FunctionStatus {
	s := i.stats.snapshot()
	return &controlpb.FunctionStatus{
		Running:                  true,
		FailureException:         i.conditions.join(),
		NumReceived:              s.Total.Received,
		NumSuccessfullyProcessed: s.Total.Processed,
		AverageLatency:           s.Total.AverageLatency(),
		LastInvocationTime:       epochMillis(s.LastInvocation),
		InstanceId:               strconv.Itoa(i.conf.InstanceID),

		// Source and sink apart from system: the worker adds them up.
		NumUserExceptions:      s.Total.Exceptions[UserException],
		LatestUserExceptions:   exceptionList(s.Exceptions[UserException]),
		NumSystemExceptions:    s.Total.Exceptions[SystemException],
		LatestSystemExceptions: exceptionList(s.Exceptions[SystemException]),
		NumSourceExceptions:    s.Total.Exceptions[SourceException],
		LatestSourceExceptions: exceptionList(s.Exceptions[SourceException]),
		NumSinkExceptions:      s.Total.Exceptions[SinkException],
		LatestSinkExceptions:   exceptionList(s.Exceptions[SinkException]),
	}
}

// metricsData is the document behind `pulsar-admin functions stats`.
func (i *Instance) metricsData() *controlpb.MetricsData {
	s := i.stats.snapshot()
	return &controlpb.MetricsData{
		ReceivedTotal:              s.Total.Received,
		ProcessedSuccessfullyTotal: s.Total.Processed,
		SystemExceptionsTotal:      s.Total.System(),
		UserExceptionsTotal:        s.Total.Exceptions[UserException],
		AvgProcessLatency:          s.Total.AverageLatency(),
		LastInvocation:             epochMillis(s.LastInvocation),
		UserMetrics:                i.stats.readUserMetrics(),

		ReceivedTotal_1Min:              s.Minute.Received,
		ProcessedSuccessfullyTotal_1Min: s.Minute.Processed,
		SystemExceptionsTotal_1Min:      s.Minute.System(),
		UserExceptionsTotal_1Min:        s.Minute.Exceptions[UserException],
		AvgProcessLatency_1Min:          s.Minute.AverageLatency(),
	}
}

func exceptionList(exceptions []Exception) []*controlpb.FunctionStatus_ExceptionInformation {
	list := make([]*controlpb.FunctionStatus_ExceptionInformation, 0, len(exceptions))
	for _, e := range exceptions {
		list = append(list, &controlpb.FunctionStatus_ExceptionInformation{ExceptionString: e.Text, MsSinceEpoch: epochMillis(e.At)})
	}
	return list
}

// epochMillis is 0 for the zero time.
func epochMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
