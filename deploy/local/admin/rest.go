package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// Exception is one of the last ten that an instance remembers.
type Exception struct {
	Text      string `json:"exceptionString"`
	Timestamp int64  `json:"timestampMs"`
}

// InstanceStatus is an instance in `functions status`.
type InstanceStatus struct {
	Running          bool        `json:"running"`
	Error            string      `json:"error"`
	Restarts         int64       `json:"numRestarts"`
	Received         int64       `json:"numReceived"`
	Processed        int64       `json:"numSuccessfullyProcessed"`
	UserExceptions   int64       `json:"numUserExceptions"`
	LatestUser       []Exception `json:"latestUserExceptions"`
	SystemExceptions int64       `json:"numSystemExceptions"`
	LatestSystem     []Exception `json:"latestSystemExceptions"`
	AverageLatency   float64     `json:"averageLatency"`
	LastInvocation   int64       `json:"lastInvocationTime"`
}

// FunctionStatus is what `functions status` prints.
type FunctionStatus struct {
	Instances []struct {
		ID     int            `json:"instanceId"`
		Status InstanceStatus `json:"status"`
	} `json:"instances"`
	Running int `json:"numRunning"`
}

// InstanceStats is an instance in `functions stats`.
type InstanceStats struct {
	ID      int `json:"instanceId"`
	Metrics struct {
		Received    int64              `json:"receivedTotal"`
		Processed   int64              `json:"processedSuccessfullyTotal"`
		UserMetrics map[string]float64 `json:"userMetrics"`
	} `json:"metrics"`
}

// FunctionStats is what `functions stats` prints; its totals are sums over the instances.
type FunctionStats struct {
	Received         int64           `json:"receivedTotal"`
	Processed        int64           `json:"processedSuccessfullyTotal"`
	SystemExceptions int64           `json:"systemExceptionsTotal"`
	UserExceptions   int64           `json:"userExceptionsTotal"`
	Latency          *float64        `json:"avgProcessLatency"`
	Instances        []InstanceStats `json:"instances"`
}

// UserMetric sums a user metric over the instances.
func (s *FunctionStats) UserMetric(name string) float64 {
	var sum float64
	for _, i := range s.Instances {
		sum += i.Metrics.UserMetrics[name]
	}
	return sum
}

// FunctionStatus asks for the state of a function in public/default.
func (p Pulsar) FunctionStatus(ctx context.Context, name string) (*FunctionStatus, error) {
	var s FunctionStatus
	return &s, p.get(ctx, "/admin/v3/functions/public/default/"+name+"/status", &s)
}

// Functions lists the functions in public/default.
func (p Pulsar) Functions(ctx context.Context) (names []string, err error) {
	return names, p.get(ctx, "/admin/v3/functions/public/default", &names)
}

// RestartFunction has all instances of a function in public/default start anew.
func (p Pulsar) RestartFunction(ctx context.Context, name string) error {
	_, err := p.ask(ctx, http.MethodPost, "/admin/v3/functions/public/default/"+name+"/restart")
	return err
}

// FunctionStats asks for the figures of a function in public/default.
func (p Pulsar) FunctionStats(ctx context.Context, name string) (*FunctionStats, error) {
	var s FunctionStats
	return &s, p.get(ctx, "/admin/v3/functions/public/default/"+name+"/stats", &s)
}

// SourceStatus asks for the state of a source in public/default.
func (p Pulsar) SourceStatus(ctx context.Context, name string) (*SourceStatus, error) {
	var s SourceStatus
	return &s, p.get(ctx, "/admin/v3/sources/public/default/"+name+"/status", &s)
}

// SourceStatus is what `sources status` prints.
type SourceStatus struct {
	Instances []struct {
		Status struct {
			Running  bool   `json:"running"`
			Error    string `json:"error"`
			Restarts int64  `json:"numRestarts"`
			Received int64  `json:"numReceivedFromSource"`
			Written  int64  `json:"numWritten"`
		} `json:"status"`
	} `json:"instances"`
	Running int `json:"numRunning"`
}

// TopicStats are a topic's subscriptions as `topics stats` prints them.
type TopicStats struct {
	MessagesIn    int64 `json:"msgInCounter"`
	Subscriptions map[string]struct {
		Backlog   int64  `json:"msgBacklog"`
		Delivered int64  `json:"msgOutCounter"` // redelivered messages again
		Unacked   int64  `json:"unackedMessages"`
		Type      string `json:"type"`
		Durable   bool   `json:"durable"`
		Consumers []struct {
			Name     string            `json:"consumerName"`
			Metadata map[string]string `json:"metadata"`
		} `json:"consumers"`
	} `json:"subscriptions"`
}

// TopicStats asks for a topic's figures; topic is tenant/namespace/name.
func (p Pulsar) TopicStats(ctx context.Context, topic string) (*TopicStats, error) {
	var s TopicStats
	return &s, p.get(ctx, "/admin/v2/persistent/"+topic+"/stats?getPreciseBacklog=true", &s)
}

// NotFoundError is an answer of 404: the thing is not there (yet).
type NotFoundError struct{ Path string }

// Error names what is missing.
func (e *NotFoundError) Error() string { return e.Path + " is not there" }

func (p Pulsar) get(ctx context.Context, path string, into any) error {
	body, err := p.ask(ctx, http.MethodGet, path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("read Pulsar's answer to %s: %w", path, err)
	}
	return nil
}

func (p Pulsar) ask(ctx context.Context, method, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, p.URL+path, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("ask Pulsar for %s: %w", path, err)
	}
	resp, err := cmp.Or(p.Client, http.DefaultClient).Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask Pulsar for %s: %w", path, err)
	}
	defer resp.Body.Close() //nolint:errcheck // nothing is lost with a body that was read
	body, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	switch {
	case err != nil:
		return nil, fmt.Errorf("ask Pulsar for %s: %w", path, err)
	case resp.StatusCode == http.StatusNotFound:
		return nil, &NotFoundError{Path: path}
	case resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusNoContent:
		return nil, fmt.Errorf("ask Pulsar for %s: %s: %.300s", path, resp.Status, body)
	}
	return body, nil
}
