// Package broker is the gateway's side of Pulsar: how the function is, what waits for it, and what it says of each record. It only
// looks: it holds no durable subscription and changes nothing.
package broker

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/rowvec/rowvec/function/admin"
	"github.com/rowvec/rowvec/gateway/monitor"
)

// maxAnswer bounds what one question may bring.
const maxAnswer = 16 << 20

// Function asks for one function by Pulsar's admin interface.
type Function struct {
	Admin        *admin.Client
	Name         monitor.FunctionName
	Inputs       []string // topics; empty: those of the namespace whose names end like a table's
	Subscription string
	DeadLetters  string   // topic
	Tables       []string // schema.table
}

// status is what the worker answers for all instances (PIP-116 keeps its form).
type status struct {
	Instances []struct {
		ID     int `json:"instanceId"`
		Status struct {
			Running        bool        `json:"running"`
			Error          string      `json:"error"`
			Restarts       int64       `json:"numRestarts"`
			Received       int64       `json:"numReceived"`
			Processed      int64       `json:"numSuccessfullyProcessed"`
			UserExceptions int64       `json:"numUserExceptions"`
			LatestUser     []exception `json:"latestUserExceptions"`
			LatestSystem   []exception `json:"latestSystemExceptions"`
			LastInvocation int64       `json:"lastInvocationTime"`
		} `json:"status"`
	} `json:"instances"`
}

type exception struct {
	Text string `json:"exceptionString"`
	Time int64  `json:"timestampMs"`
}

// Instances returns the function's processes; none when the function is not there.
func (f *Function) Instances(ctx context.Context) ([]monitor.Instance, error) {
	var s status
	found, err := f.get(ctx, &s, "admin", "v3", "functions", f.Name.Tenant, f.Name.Namespace, f.Name.Name, "status")
	if err != nil || !found {
		return []monitor.Instance{}, err
	}
	instances := make([]monitor.Instance, len(s.Instances))
	for i, from := range s.Instances {
		last := newest(from.Status.LatestUser, from.Status.LatestSystem)
		instances[i] = monitor.Instance{
			ID: from.ID, Running: from.Status.Running, State: state(from.Status.Running, from.Status.Error), Cause: from.Status.Error,
			Received: &from.Status.Received, Processed: &from.Status.Processed, Failed: &from.Status.UserExceptions, Restarts: from.Status.Restarts,
			LastError: last.Text, LastErrorTime: last.Time, LastInvocation: from.Status.LastInvocation,
		}
	}
	return instances, nil
}

// state reads the error that the function itself put into its status: "table app.a: halted: …", several parts with "; " between.
func state(running bool, condition string) monitor.State {
	switch {
	case !running:
		return monitor.Away
	case condition == "":
		return monitor.Running
	case strings.Contains(condition, ": halted: "):
		return monitor.Halted
	default:
		return monitor.Retrying
	}
}

func newest(lists ...[]exception) exception {
	var last exception
	for _, list := range lists {
		for _, e := range list {
			if e.Time >= last.Time {
				last = e
			}
		}
	}
	return last
}

// topicStats is what a broker answers for a topic, and for a partitioned one with partitioned-stats.
type topicStats struct {
	Subscriptions map[string]struct {
		Backlog int64 `json:"msgBacklog"`
	} `json:"subscriptions"`
}

// Backlog returns the messages that the function has not acknowledged, by table, and those that stand in the dead-letter topic. A table
// whose topic or subscription is not there yet is left out.
func (f *Function) Backlog(ctx context.Context) (map[string]int64, int64, error) {
	topics, err := f.topics(ctx)
	if err != nil {
		return nil, 0, err
	}
	backlog := map[string]int64{}
	for table, topic := range topics {
		s, found, err := f.stats(ctx, topic)
		if err != nil {
			return nil, 0, err
		}
		if own, ok := s.Subscriptions[f.Subscription]; found && ok {
			backlog[table] = own.Backlog
		}
	}
	waiting := int64(0)
	letters, _, err := f.stats(ctx, f.DeadLetters)
	if err != nil {
		return nil, 0, err
	}
	for _, s := range letters.Subscriptions {
		waiting = max(waiting, s.Backlog) // the one that holds them; others that look on are behind it
	}
	return backlog, waiting, nil
}

// topics finds each table's topic: Debezium names it <server>.<schema>.<table>.
func (f *Function) topics(ctx context.Context) (map[string]string, error) {
	names := f.Inputs
	if len(names) == 0 {
		listed, err := f.list(ctx)
		if err != nil {
			return nil, err
		}
		names = listed
	}
	topics := map[string]string{}
	for _, table := range f.Tables {
		for _, topic := range names {
			name := local(topic)
			if name == table || strings.HasSuffix(name, "."+table) {
				topics[table] = topic
			}
		}
	}
	return topics, nil
}

// list returns the topics of the function's namespace, a partitioned one once.
func (f *Function) list(ctx context.Context) ([]string, error) {
	var plain, partitioned []string
	if _, err := f.get(ctx, &partitioned, "admin", "v2", "persistent", f.Name.Tenant, f.Name.Namespace, "partitioned"); err != nil {
		return nil, err
	}
	if _, err := f.get(ctx, &plain, "admin", "v2", "persistent", f.Name.Tenant, f.Name.Namespace); err != nil {
		return nil, err
	}
	return slices.Concat(plain, partitioned), nil
}

// stats asks for a topic's figures, and for the sums of its partitions where it has some.
func (f *Function) stats(ctx context.Context, topic string) (topicStats, bool, error) {
	tenant, namespace, name := f.split(topic)
	for _, kind := range []string{"stats", "partitioned-stats"} {
		var s topicStats
		found, err := f.get(ctx, &s, "admin", "v2", "persistent", tenant, namespace, name, kind)
		if err != nil || found {
			return s, found, err
		}
	}
	return topicStats{}, false, nil
}

// split reads persistent://tenant/namespace/name, or a name of the function's namespace.
func (f *Function) split(topic string) (tenant, namespace, name string) {
	if _, rest, ok := strings.Cut(topic, "://"); ok {
		topic = rest
	}
	if parts := strings.SplitN(topic, "/", 3); len(parts) == 3 {
		return parts[0], parts[1], parts[2]
	}
	return f.Name.Tenant, f.Name.Namespace, topic
}

func local(topic string) string { return topic[strings.LastIndexByte(topic, '/')+1:] }

// get decodes an answer; found is false for 404.
func (f *Function) get(ctx context.Context, into any, segments ...string) (found bool, err error) {
	what := strings.Join(segments, "/")
	answer, err := f.Admin.Get(ctx, segments...)
	if err != nil {
		return false, fmt.Errorf("ask Pulsar for %s: %w", what, err)
	}
	defer func() { _ = answer.Body.Close() }() // only read
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	switch {
	case err != nil:
		return false, fmt.Errorf("ask Pulsar for %s: %w", what, err)
	case answer.StatusCode == http.StatusNotFound:
		return false, nil
	case answer.StatusCode != http.StatusOK:
		return false, fmt.Errorf("ask Pulsar for %s: it answered %s", what, answer.Status)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return false, fmt.Errorf("ask Pulsar for %s: read its answer: %w", what, err)
	}
	return true, nil
}
