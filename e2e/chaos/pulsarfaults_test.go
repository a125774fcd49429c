//go:build e2e

package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/rowvec/rowvec/e2e/chaos/schedule"
)

// pulsarInjuries are the faults of the broker, and of what its worker runs.
func (r *run) pulsarInjuries() map[string]injury {
	w := r.world
	return map[string]injury{
		schedule.BrokerRestarted:   {hurt: w.stack.Pulsar.Stop, heal: r.startPulsar},
		schedule.BrokerKilled:      {hurt: w.killBroker, heal: r.startPulsar},
		schedule.TopicUnloaded:     {hurt: w.rest(http.MethodPut, "/admin/v2/persistent/"+topic+"/unload")},
		schedule.BundlesUnloaded:   {hurt: w.rest(http.MethodPut, "/admin/v2/namespaces/"+namespace+"/unload")},
		schedule.FunctionRestarted: {hurt: w.rest(http.MethodPost, "/admin/v3/functions/"+namespace+"/"+function+"/restart")},
		schedule.FunctionUpdated:   {hurt: w.admin("functions", "update", "--function-config-file", r.functionFile)},
		schedule.SourceRestarted:   {hurt: w.rest(http.MethodPost, "/admin/v3/sources/"+namespace+"/"+source+"/restart")},
		schedule.SourceKilled:      {hurt: w.killSource},
		schedule.SourceLost:        {hurt: r.forgetOffset, heal: w.admin("sources", "create", "--source-config-file", r.sourceFile)},
	}
}

func (w *world) rest(method, path string) step {
	return func(ctx context.Context) error {
		_, err := w.call(ctx, method, path)
		return err
	}
}

func (w *world) admin(args ...string) step {
	return func(ctx context.Context) error {
		_, err := w.pulsar.Command(ctx, args...)
		return err
	}
}

// startPulsar brings Pulsar back, and, where its worker could not start the function, does what an operator does then. The worker of a standalone 4.0.8 loads its
// assignments before the broker serves the packages that they need: it is answered 503, shows that in the status, and does not try again.
func (r *run) startPulsar(ctx context.Context) error {
	w := r.world
	if err := w.stack.Pulsar.Start(ctx); err != nil {
		return err
	}
	runs := func(ctx context.Context) error {
		s, err := w.pulsar.FunctionStatus(ctx, function)
		if err == nil && s.Running != instances {
			err = fmt.Errorf("%d instances run", s.Running)
		}
		return err
	}
	if until(ctx, 10*time.Second, runs) == nil {
		return nil
	}
	r.Logf("after its restart Pulsar does not run the function: %s; restarting it by hand", w.complaint(ctx))
	r.byHand++
	return w.rest(http.MethodPost, "/admin/v3/functions/"+namespace+"/"+function+"/restart")(ctx)
}

// killBroker kills Pulsar's own process alone: what its worker has started learns of it as it would on a user's machine.
func (w *world) killBroker(context.Context) error {
	return syscall.Kill(w.stack.Pulsar.PID(), syscall.SIGKILL)
}

// killSource kills the process of the connector.
func (w *world) killSource(context.Context) error {
	there, err := w.processes(sourceProcess)
	if err != nil {
		return err
	}
	return syscall.Kill(there[0], syscall.SIGKILL)
}

// forgetOffset deletes the source and what it had noted of its place. The replication slot stays, as it does for a user. The source then reads the table from
// the start, and streams from there on, not from where its slot stands: nobody ever learns of the rows that were deleted in between.
func (r *run) forgetOffset(ctx context.Context) error {
	w := r.world
	r.lost = true
	if _, err := w.pulsar.Command(ctx, "sources", "delete", "--name", source); err != nil {
		return err
	}
	if err := until(ctx, time.Minute, func(context.Context) error {
		if there, err := w.processes(sourceProcess); err == nil {
			return fmt.Errorf("the source's process %d still runs", there[0])
		}
		return nil
	}); err != nil {
		return err
	}
	text, err := w.call(ctx, http.MethodGet, "/admin/v2/persistent/"+namespace)
	if err != nil {
		return err
	}
	var topics []string
	if err := json.Unmarshal([]byte(text), &topics); err != nil {
		return err
	}
	deleted := 0
	for _, name := range topics {
		if strings.HasSuffix(name, "debezium-offset-topic") {
			path := "/admin/v2/" + strings.Replace(name, "://", "/", 1)
			if _, err := w.call(ctx, http.MethodDelete, path+"?force=true"); err != nil {
				return err
			}
			deleted++
		}
	}
	if deleted == 0 {
		return fmt.Errorf("there is no topic of the source's offsets among %v", topics)
	}
	return nil
}
