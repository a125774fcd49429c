package function

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/function/indexer"
	"github.com/rowvec/rowvec/function/instance"
)

// Exit codes of the function. Pulsar restarts an instance whatever it exits with; they are for whoever reads the worker's log.
const (
	exitOK       = 0
	exitFailed   = 1 // the instance cannot be set up
	exitContract = 2 // the command line is not what a functions worker passes
)

// closeTimeout is what is left of the worker's 10 s after the drain (contract §1.1).
const closeTimeout = 400 * time.Millisecond

// Run is the function's life: ports, settings, pipelines, messages, until ctx ends or the worker that started it is gone. It
// returns the process's exit code.
func Run(ctx context.Context, args []string, getenv func(string) string, version string, stderr io.Writer) int {
	local := slog.NewJSONHandler(stderr, nil)
	log := slog.New(local)
	conf, err := instance.ParseConf(args, getenv)
	if err != nil {
		log.ErrorContext(ctx, "this program is started by a Pulsar functions worker: deploy it with pulsar-admin functions create", "error", err)
		return exitContract
	}
	// The attributes are the handler's, so that what the Pulsar client and the log topic say is told apart in the worker's log, too.
	attributed := local.WithAttrs([]slog.Attr{slog.String("function", conf.FQFN()), slog.Int("instance", conf.InstanceID)})
	topic := instance.NewLogTopic(attributed, conf.LogTopic, slog.LevelInfo)
	log = slog.New(topic.Handler())
	log.InfoContext(ctx, "starting", "version", version, "conf", conf)

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	inst, err := instance.Open(conf, instance.Options{Log: log, OnOrphan: cancel})
	if err != nil {
		log.ErrorContext(ctx, "cannot start", "error", err)
		return exitFailed
	}
	f := &life{instance: inst, conf: conf, log: log, settings: instance.Settings{LogTopic: topic}, pause: filePause}
	f.serve(ctx)
	log.InfoContext(ctx, "stopped", "cause", context.Cause(ctx))
	bounded, done := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer done()
	if err := inst.Close(bounded); err != nil {
		log.WarnContext(ctx, "close", "error", err)
	}
	return exitOK
}

// life is what one run of the function is made of.
type life struct {
	instance *instance.Instance
	conf     *instance.Conf
	log      *slog.Logger
	settings instance.Settings // beyond them, what userConfig says
	pause    time.Duration     // between two looks at a file that cannot be used
}

// serve consumes until ctx ends. A wrong setting does not end it: the instance stays up and says in its status what to change.
func (f *life) serve(ctx context.Context) {
	m, err := newMetrics(f.instance.Registerer())
	if err != nil {
		f.halt(ctx, nil, err)
		f.consume(ctx, nil, f.settings, holder{})
		return
	}
	f.instance.SetUserMetrics(m.user)
	settings := f.settings
	a, err := f.compose(m, &settings)
	if err != nil {
		if a, settings = f.hold(ctx, m, settings, err); a == nil {
			return
		}
	}
	a.start(ctx)
	defer a.close()
	defer a.schemas.close()
	defer a.Drain(ctx) // once more, for a Consume that ended before it drained
	f.consume(ctx, m, settings, a)
}

// consume returns when ctx ends, whatever is wrong with the settings.
func (f *life) consume(ctx context.Context, m *metrics, settings instance.Settings, handler instance.Handler) {
	if err := f.instance.Consume(ctx, settings, handler); err != nil {
		f.halt(ctx, m, err)
		<-ctx.Done()
	}
}

// compose turns the settings into the app and into how to consume. Its errors are wrong settings; what is right of how to subscribe
// holds beside them, too: another role may not be let in, and another type shuts out the other instances' consumers.
func (f *life) compose(m *metrics, settings *instance.Settings) (*app, error) {
	subscription, pulsar := config.ParseAccess(f.conf.UserConfig)
	settings.SubscriptionType, settings.Access = subscription, access(pulsar, f.conf.Secret)
	c, err := config.Parse(f.conf.UserConfig)
	if err != nil {
		return nil, err
	}
	limitMemory(memoryBound(c, len(f.conf.Inputs)), f.log)
	settings.Intake = c.Batch.MaxBytes * c.Batch.InFlight
	settings.DeadLetterTopic = config.DeadLetterTopic(c, f.conf.Tenant, f.conf.Namespace, f.conf.Name)
	a, err := newApp(c, f.conf.Parallelism, f.conf.Secret, m, f.instance, f.log)
	if err != nil {
		return nil, err
	}
	if a.schemas, err = newResolver(c.Pulsar, f.conf.AdminURL, f.conf.Secret, f.instance); err != nil {
		a.close()
		return nil, err
	}
	if f.conf.Output != "" {
		settings.Output = instance.NewOutput(f.conf.Output, m.events, m.eventsDropped)
		a.events = &events{to: settings.Output, function: f.conf.FQFN(), instance: f.conf.InstanceID}
	}
	return a, nil
}

// access is what the settings say of reaching Pulsar. A secret that is not there shows where the connection is tried.
func access(p config.Pulsar, lookup Lookup) instance.Access {
	a := instance.Access{TrustCertsFile: string(p.CAFile)}
	if p.Token.Set() {
		a.Token, a.TokenFrom = func() (string, error) { return p.Token.Resolve(lookup) }, config.Root+".pulsar.token "+p.Token.String()
	}
	return a
}

// halt says what must change. m is nil where the metrics themselves could not be made.
func (f *life) halt(ctx context.Context, m *metrics, err error) {
	if ctx.Err() != nil {
		return
	}
	until := "functions update brings other settings"
	if ofFile(err) {
		until = "that file can be used, or functions update brings other settings"
	}
	f.log.ErrorContext(ctx, "halted until "+until, "error", err)
	f.instance.RecordException(instance.SystemException, err)
	f.instance.SetCondition("configuration", fmt.Sprintf("halted: %v", err))
	if m != nil {
		m.setState(noTable, indexer.Halted)
	}
}
