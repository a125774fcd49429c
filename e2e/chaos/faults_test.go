//go:build e2e

package chaos

import (
	"context"
	"net/http"
	"syscall"
	"time"

	"github.com/rowvec/rowvec/deploy/local/stack"
	"github.com/rowvec/rowvec/e2e/chaos/proxy"
	"github.com/rowvec/rowvec/e2e/chaos/schedule"
	"github.com/rowvec/rowvec/embed/embedtest"
)

// step is one half of a fault; a fault without heal is over when it was done.
type step func(ctx context.Context) error

type injury struct{ hurt, heal step }

// injuries are what the schedule's kinds do.
func (r *run) injuries() map[string]injury {
	all := r.endpointInjuries()
	for name, i := range r.pulsarInjuries() {
		all[name] = i
	}
	w := r.world
	all[schedule.InstanceKilled] = injury{hurt: r.toInstance(syscall.SIGKILL)}
	all[schedule.InstanceTerminated] = injury{hurt: r.toInstance(syscall.SIGTERM)}
	all[schedule.InstanceFrozen] = injury{hurt: r.toInstance(syscall.SIGSTOP), heal: func(context.Context) error {
		return syscall.Kill(r.victim, syscall.SIGCONT)
	}}
	all[schedule.ChromaKilled] = injury{hurt: w.stack.Chroma.Kill, heal: w.stack.Chroma.Start}
	all[schedule.ChromaStopped] = injury{hurt: w.stack.Chroma.Stop, heal: w.stack.Chroma.Start}
	all[schedule.ChromaFrozen] = injury{hurt: toComponent(w.stack.Chroma, syscall.SIGSTOP), heal: toComponent(w.stack.Chroma, syscall.SIGCONT)}
	all[schedule.ChromaCut] = network(w.toChroma, proxy.Broken)
	all[schedule.ChromaSilent] = network(w.toChroma, proxy.Silent)
	all[schedule.ChromaLost] = injury{hurt: r.loseChroma, heal: r.rebuildIndex}
	all[schedule.PostgresReplaced] = injury{hurt: r.failOver, heal: r.takeOver}
	all[schedule.PostgresRestarted] = injury{hurt: w.stack.Postgres.Restart}
	all[schedule.PostgresKilled] = injury{hurt: w.stack.Postgres.Kill, heal: w.stack.Postgres.Start}
	return all
}

func (r *run) endpointInjuries() map[string]injury {
	w := r.world
	answers := func(control embedtest.Control) injury {
		return injury{
			hurt: func(context.Context) error { w.endpoint.set(control); return nil },
			heal: func(context.Context) error { w.endpoint.set(nil); return nil },
		}
	}
	limit := embedtest.Fail(http.StatusTooManyRequests, "rate_limit_exceeded", "slow down")
	after := embedtest.Fail(http.StatusTooManyRequests, "rate_limit_exceeded", "slow down").RetryAfter(2 * time.Second)
	return map[string]injury{
		schedule.EndpointCut:         network(w.toEndpoint, proxy.Broken),
		schedule.EndpointSilent:      network(w.toEndpoint, proxy.Silent),
		schedule.EndpointUnavailable: answers(embedtest.Always(embedtest.Page(http.StatusServiceUnavailable, "<html>down for maintenance</html>"))),
		schedule.EndpointErrors:      answers(second(embedtest.Always(embedtest.Fail(http.StatusInternalServerError, "", "the model fell over")))),
		schedule.EndpointLimit:       answers(embedtest.Always(limit)),
		schedule.EndpointRetryAfter:  answers(embedtest.Always(after)),
		schedule.EndpointSlow:        answers(slow(2 * time.Second)),
		schedule.EndpointHalf:        answers(embedtest.Cut),
		schedule.EndpointGarbage:     answers(garbage),
		schedule.EndpointFewer:       answers(embedtest.Fewer),
		schedule.EndpointNaN:         answers(embedtest.BadVector("")), // every text holds it
		schedule.EndpointKey:         answers(embedtest.Always(embedtest.Fail(http.StatusUnauthorized, "invalid_api_key", "this key was revoked"))),
		schedule.EndpointDimension:   answers(embedtest.Longer),
		schedule.EndpointRefuses:     answers(embedtest.Always(embedtest.Fail(http.StatusBadRequest, "", "unknown field in the request"))),
	}
}

func network(to *proxy.Proxy, state proxy.State) injury {
	set := func(state proxy.State) step {
		return func(context.Context) error { to.Set(state); return nil }
	}
	return injury{hurt: set(state), heal: set(proxy.Open)}
}

// toInstance sends a signal to one of the function's processes, whichever is drawn.
func (r *run) toInstance(signal syscall.Signal) step {
	return func(ctx context.Context) error {
		return until(ctx, 2*time.Minute, func(context.Context) error { // the worker replaces a dead one within half a minute
			there, err := r.world.processes(instanceProcess)
			if err != nil {
				return err
			}
			r.victim = there[r.rng.IntN(len(there))]
			return syscall.Kill(r.victim, signal)
		})
	}
}

func toComponent(c *stack.Component, signal syscall.Signal) step {
	return func(context.Context) error { return syscall.Kill(c.PID(), signal) }
}
