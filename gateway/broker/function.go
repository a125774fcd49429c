// Package broker is the gateway's side of Pulsar: how the function is, what waits for it, and what it says of each record. It only
// looks: it holds no durable subscription and changes nothing.
package broker

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rowvec/rowvec/function/admin"
	"github.com/rowvec/rowvec/gateway/monitor"
)

// Function asks for one function by Pulsar's admin interface.
type Function struct {
	Admin        *admin.Client
	Name         monitor.FunctionName
	Inputs       []string // topics
	Patterns     []string // of topics, as Pulsar takes them: persistent://tenant/namespace/regular expression
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

// get decodes an answer; found is false for 404.
func (f *Function) get(ctx context.Context, into any, segments ...string) (found bool, err error) {
	err = f.Admin.Read(ctx, into, segments...)
	var status *admin.StatusError
	switch {
	case err == nil:
		return true, nil
	case errors.As(err, &status) && status.Missing():
		return false, nil
	default:
		return false, fmt.Errorf("ask Pulsar for %s: %w", strings.Join(segments, "/"), err)
	}
}
