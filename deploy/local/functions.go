package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/rowvec/rowvec/deploy/local/admin"
)

// How long Pulsar may take to start its functions after its own start, and how often it is asked.
const (
	functionsStart = 20 * time.Second
	functionsEvery = 250 * time.Millisecond
)

// resume has the functions run that ran when Pulsar ended. The worker of a restarted standalone (4.0.8) loads them before the broker serves their packages: it is
// answered 503, shows that as the instance's error, and does not try again. A function that somebody has stopped shows no error and stays as it is.
func resume(ctx context.Context, p admin.Pulsar, out io.Writer) error {
	names, err := p.Functions(ctx)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, functionsStart)
	defer cancel()
	tick := time.NewTicker(functionsEvery)
	defer tick.Stop()
	for len(names) > 0 {
		names, err = resumed(limited, p, names, out)
		switch {
		case ctx.Err() == nil && limited.Err() != nil:
			return nil // stopped ones, or slow ones; `functions status` tells
		case err != nil:
			return err
		}
		select {
		case <-tick.C:
		case <-limited.Done():
		}
	}
	return nil
}

// resumed takes one look, and returns those that neither run nor have been restarted.
func resumed(ctx context.Context, p admin.Pulsar, names []string, out io.Writer) (left []string, err error) {
	for _, name := range names {
		s, err := p.FunctionStatus(ctx, name)
		if err != nil {
			return nil, err
		}
		failed := ""
		for _, i := range s.Instances {
			if !i.Status.Running && i.Status.Error != "" {
				failed = i.Status.Error
			}
		}
		switch {
		case failed != "":
			if err := p.RestartFunction(ctx, name); err != nil {
				return nil, err
			}
			if err := write(out, fmt.Sprintf("Pulsar could not start the function %s (%.200s); restarted it.\n", name, failed)); err != nil {
				return nil, err
			}
		case s.Running < len(s.Instances):
			left = append(left, name)
		}
	}
	return left, nil
}
