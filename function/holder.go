package function

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/function/instance"
)

// filePause is left between two looks at a file that cannot be used: a halt's probes elsewhere come as often (design §4).
const filePause = 30 * time.Second

// ofFile says whether err is the fault of a file: somebody may write it while the settings stay what they are.
func ofFile(err error) bool {
	var file *config.FileError
	return errors.As(err, &file)
}

// hold waits for the end of err, which is why there is no app. It subscribes all the same and leaves what comes, because a topic without a
// subscription discards what is published (design §7). The app is nil when ctx ended first.
func (f *life) hold(ctx context.Context, m *metrics, settings instance.Settings, err error) (*app, instance.Settings) {
	f.halt(ctx, m, err)
	holding, end := context.WithCancel(ctx)
	defer end()
	var (
		mended *app
		next   instance.Settings
		trying sync.WaitGroup
	)
	trying.Go(func() {
		if mended, next = f.mend(holding, m, err); mended != nil {
			end()
		}
	})
	f.consume(holding, m, settings, holder{})
	trying.Wait()
	if mended != nil {
		f.log.InfoContext(ctx, "the files that the settings name can be used: going on")
		f.instance.SetCondition("configuration", "")
		m.forgetState(noTable)
	}
	return mended, next
}

// mend composes again and again while a file is at fault. The app is nil when ctx ended, or when what is wrong now is in the settings
// themselves.
func (f *life) mend(ctx context.Context, m *metrics, err error) (*app, instance.Settings) {
	said := err.Error()
	for ofFile(err) {
		select {
		case <-ctx.Done():
			return nil, instance.Settings{}
		case <-time.After(f.pause):
		}
		settings := f.settings
		var a *app
		if a, err = f.compose(m, &settings); err == nil {
			return a, settings
		}
		if err.Error() != said {
			said = err.Error()
			f.halt(ctx, m, err)
		}
	}
	return nil, instance.Settings{}
}

// holder keeps every message until the end and leaves it to the next start.
type holder struct{}

// Handle blocks: nothing more is taken.
func (holder) Handle(ctx context.Context, d *instance.Delivery) {
	<-ctx.Done()
	d.Settle(instance.Settlement{Verdict: instance.Abandon})
}

// Drain has nothing in flight to finish.
func (holder) Drain(context.Context) {}
