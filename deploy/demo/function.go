package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rowvec/rowvec/deploy/local/admin"
)

// deployFunction creates the function, or updates the one of an earlier run, and waits until its new process reads the topic.
func (d *demo) deployFunction(ctx context.Context) error {
	verb, err := d.functionVerb(ctx)
	if err != nil {
		return err
	}
	before, err := d.readers(ctx)
	if err != nil {
		return err
	}
	if verb == "create" {
		err = d.createFunction(ctx)
	} else {
		err = d.pulsarAdmin(ctx, "functions", "update", "--function-config-file", d.absolute(functionFile))
	}
	if err != nil {
		return advise(err, "read what pulsar-admin says above, and look at %s", d.stack.Pulsar.Log())
	}
	err = poll(ctx, pollEvery, startLimit, func(ctx context.Context) error {
		after, err := d.readers(ctx)
		if err != nil {
			return err
		}
		return replaced(before, after)
	})
	if err != nil {
		return advise(fmt.Errorf("the function does not read its topic: %w%s", err, d.complaints(ctx)), "look at %s", d.stack.Pulsar.Log())
	}
	d.screen.line("It reads persistent://%s; from here on its subscription keeps what comes.", inputTopic)
	return nil
}

func (d *demo) functionVerb(ctx context.Context) (string, error) {
	_, err := d.pulsar.FunctionStatus(ctx, functionName)
	var missing *admin.NotFoundError
	switch {
	case errors.As(err, &missing):
		return "create", nil
	case err != nil:
		return "", err
	}
	d.screen.blank()
	d.screen.line("The function is there from an earlier run: the artifact and the settings are updated.")
	return "update", nil
}

// createFunction creates the function. Where somebody has deleted it, Pulsar still holds its old packages and refuses to create one of that name
// (https://github.com/apache/pulsar/issues/20930): they are deleted, too.
func (d *demo) createFunction(ctx context.Context) error {
	create := func() error {
		return d.pulsarAdmin(ctx, "functions", "create", "--function-config-file", d.absolute(functionFile))
	}
	refused := create()
	if refused == nil || ctx.Err() != nil {
		return refused
	}
	const name = "function://public/default/" + functionName
	printed, err := d.pulsar.Command(ctx, "packages", "list-versions", name)
	if versions := strings.Fields(printed); err == nil && len(versions) > 0 {
		d.screen.line("  Refused: a function of this name was deleted, and Pulsar has kept its packages. They have to go first.")
		for _, version := range versions {
			if err := d.pulsarAdmin(ctx, "packages", "delete", name+"@"+version); err != nil {
				return err
			}
		}
		return create()
	}
	return refused
}
