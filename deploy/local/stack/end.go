package stack

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
)

// abandon stops what a failed Start had started; what ran before stays.
func (s *Stack) abandon(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	return s.halt(ctx, func(c *Component) bool { return c.fresh })
}

// Stop ends all parts in order, sources and Pulsar with its functions first, and kills what does not end by itself in time or when ctx ends. Data and logs stay.
func (s *Stack) Stop(ctx context.Context) error {
	unlock, err := lock(ctx, s.opts)
	if err != nil {
		return err
	}
	defer unlock()
	if err := s.state.refresh(); err != nil {
		return err
	}
	for _, c := range s.all() {
		c.refresh()
	}
	return s.halt(ctx, func(*Component) bool { return true })
}

func (s *Stack) halt(ctx context.Context, which func(*Component) bool) error {
	var errs []error
	for _, c := range []*Component{s.Gateway, s.Debezium2, s.Debezium3, s.Pulsar} { // who asks and who publishes first
		if which(c) {
			errs = append(errs, c.Stop(ctx))
		}
	}
	var group errgroup.Group
	for _, c := range []*Component{s.Postgres, s.Chroma, s.Embedding} {
		if which(c) {
			group.Go(func() error { return c.Stop(ctx) })
		}
	}
	return errors.Join(append(errs, group.Wait())...)
}

// Wipe stops the stack and removes its data, logs and state. What is installed stays in the cache.
func (s *Stack) Wipe(ctx context.Context) error {
	if err := s.Stop(ctx); err != nil {
		return err
	}
	errs := make([]error, 0, len(s.all())+1)
	for _, c := range s.all() {
		for _, dir := range append(c.service.outside(), c.at.dir) {
			errs = append(errs, os.RemoveAll(dir))
		}
	}
	for _, name := range []string{"logs", authorityName, stateName, envName, adminName} {
		errs = append(errs, os.RemoveAll(filepath.Join(s.opts.Dir, name)))
	}
	return errors.Join(errs...)
}
