package function

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/function/instance"
)

// Exit codes of the function. Pulsar restarts an instance whatever it exits with; they are for whoever reads the worker's log.
const (
	exitOK       = 0
	exitFailed   = 1 // a port is taken
	exitContract = 2 // the command line is not what a functions worker passes
)

const closeTimeout = 2 * time.Second

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
	topic := instance.NewLogTopic(local, conf.LogTopic, slog.LevelInfo)
	log = slog.New(topic.Handler()).With("function", conf.FQFN(), "instance", conf.InstanceID)
	log.InfoContext(ctx, "starting", "version", version, "conf", conf)

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	inst, err := instance.Open(conf, instance.Options{Log: log, OnOrphan: cancel})
	if err != nil {
		log.ErrorContext(ctx, "cannot start", "error", err)
		return exitFailed
	}
	f := &life{instance: inst, conf: conf, log: log, logTopic: topic}
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
	logTopic *instance.LogTopic
}

// serve consumes until ctx ends. A wrong setting does not end it: the instance stays up and says in its status what to change.
func (f *life) serve(ctx context.Context) {
	err := f.consume(ctx)
	if err == nil {
		return
	}
	if ctx.Err() != nil {
		f.log.WarnContext(ctx, "stop", "error", err)
		return
	}
	f.log.ErrorContext(ctx, "halted until functions update brings other settings", "error", err)
	f.instance.RecordException(instance.SystemException, err)
	f.instance.SetCondition("configuration", fmt.Sprintf("halted: %v", err))
	<-ctx.Done()
}

func (f *life) consume(ctx context.Context) error {
	c, err := config.Parse(f.conf.UserConfig)
	if err != nil {
		return err
	}
	m, err := newMetrics(f.instance.Registerer())
	if err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	f.instance.SetUserMetrics(m.user)
	a, err := newApp(c, f.conf.Secret, m, f.instance, f.log)
	if err != nil {
		return err
	}
	defer a.close()
	if a.schemas, err = newResolver(c.Pulsar, f.conf.AdminURL, f.conf.Secret, f.instance); err != nil {
		return err
	}
	defer a.schemas.close()
	a.start(ctx)
	defer a.Drain(ctx) // once more, for a Consume that ended before it drained
	return f.instance.Consume(ctx, instance.Settings{
		SubscriptionType: c.Subscription,
		DeadLetterTopic:  config.DeadLetterTopic(c, f.conf.Tenant, f.conf.Namespace, f.conf.Name),
		LogTopic:         f.logTopic,
	}, a)
}
