package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/rowvec/rowvec/deploy/local/admin"
)

const startLimit = 2 * time.Minute // of a function or a source, on a busy machine

// deploy brings up the function and then the source: a topic that nobody has subscribed to discards what is published.
func (d *demo) deploy(ctx context.Context) error {
	if err := d.writeSettings(); err != nil {
		return err
	}
	d.screen.line("The two shipped YAML files, with this stack's addresses:")
	d.screen.table([][]string{{functionFile, "from deploy/function.yaml"}, {sourceFile, "from connector/postgres.yaml"}})
	if err := d.deployFunction(ctx); err != nil {
		return err
	}
	return d.deploySource(ctx)
}

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
	printed, err := d.admin(ctx, "functions", verb, "--function-config-file", d.absolute(functionFile))
	if err != nil {
		return advise(err, `read what pulsar-admin says above. After a "functions delete" Pulsar keeps the old package ("metadata already exists"):
  %s/pulsar-admin packages delete function://public/default/%s@0`, stackDir, functionName)
	}
	d.screen.output(printed)
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

// deploySource creates the source. One of an earlier run is kept: it goes on where it was. It is updated if its settings differ.
func (d *demo) deploySource(ctx context.Context) error {
	verb, err := d.sourceVerb(ctx)
	if err != nil {
		return err
	}
	if verb == "" {
		d.screen.line("It has the settings of %s already, and is kept: it goes on where it was.", sourceFile)
	} else {
		printed, err := d.admin(ctx, "sources", verb, "--source-config-file", d.absolute(sourceFile))
		if err != nil {
			return advise(err, "read what pulsar-admin says above; the file is %s", d.absolute(sourceFile))
		}
		d.screen.output(printed)
	}
	return nil
}

// sourceVerb is "create", "update", or nothing to do: Pulsar refuses an update that changes nothing.
func (d *demo) sourceVerb(ctx context.Context) (string, error) {
	_, err := d.pulsar.SourceStatus(ctx, sourceName)
	var missing *admin.NotFoundError
	switch {
	case errors.As(err, &missing):
		return "create", nil
	case err != nil:
		return "", err
	}
	printed, err := d.admin(ctx, "sources", "get", "--name", sourceName)
	if err != nil {
		return "", err
	}
	wanted, err := os.ReadFile(sourceFile)
	if err != nil {
		return "", fmt.Errorf("read the source's settings: %w", err)
	}
	same, err := sameSource([]byte(printed), wanted)
	if err != nil || same {
		return "", err
	}
	return "update", nil
}

// sameSource compares what `sources get` printed with the YAML file.
func sameSource(deployed, wanted []byte) (bool, error) {
	type settings struct {
		Configs map[string]string `json:"configs" yaml:"configs"`
	}
	var have, want settings
	if err := json.Unmarshal(deployed, &have); err != nil {
		return false, fmt.Errorf("read what sources get printed: %w", err)
	}
	if err := yaml.Unmarshal(wanted, &want); err != nil {
		return false, fmt.Errorf("read the source's settings: %w", err)
	}
	return maps.Equal(have.Configs, want.Configs), nil
}

// streams has an objection until the source has read the rows that were there and follows the changes.
func (d *demo) streams(ctx context.Context) error {
	var active bool
	err := d.db.QueryRow(ctx, "SELECT coalesce(bool_or(active), false) FROM pg_replication_slots WHERE slot_name = 'rowvec'").Scan(&active)
	if err == nil && !active {
		err = errors.New("nobody reads its replication slot yet")
	}
	return err
}

// complaints are what function and source say of themselves in their status, as the end of an error.
func (d *demo) complaints(ctx context.Context) string {
	var all []string
	if s, err := d.pulsar.FunctionStatus(ctx, functionName); err == nil {
		for _, i := range s.Instances {
			if i.Status.Error != "" {
				all = append(all, "functions status says: "+i.Status.Error)
			}
		}
	}
	if s, err := d.pulsar.SourceStatus(ctx, sourceName); err == nil {
		for _, i := range s.Instances {
			if i.Status.Error != "" {
				all = append(all, "sources status says: "+i.Status.Error)
			}
		}
	}
	if len(all) == 0 {
		return ""
	}
	return "\n" + strings.Join(all, "\n")
}
