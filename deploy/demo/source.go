package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"github.com/rowvec/rowvec/deploy/local/admin"
)

// deploySource creates the source. One of an earlier run is kept: it goes on where it was. It is updated if its settings differ.
func (d *demo) deploySource(ctx context.Context) error {
	verb, err := d.sourceVerb(ctx)
	if err != nil {
		return err
	}
	if verb == "" {
		d.screen.line("It has the settings of %s already, and is kept: it goes on where it was.", sourceFile)
	} else {
		err := d.pulsarAdmin(ctx, "sources", verb, "--source-config-file", d.absolute(sourceFile))
		if err != nil {
			return advise(err, "read what pulsar-admin says above; the file is %s", d.absolute(sourceFile))
		}
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

// sourceLog is where Pulsar has the source's process write to.
func (d *demo) sourceLog() string {
	return filepath.Join(d.absolute(stackDir), "pulsar", "logs", "functions", "public", "default", sourceName, sourceName+"-0.log")
}
