package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/deploy/local/admin"
	"github.com/rowvec/rowvec/deploy/local/stack"
)

// The names in the shipped files.
const (
	functionName = "rowvec-articles"
	sourceName   = "rowvec-source"
	inputTopic   = "public/default/store.app.articles"
	collection   = "articles"
)

// functionYAML is the shipped deploy/function.yaml for this stack.
func functionYAML(shipped []byte, env stack.Env, binary string) ([]byte, error) {
	out, err := admin.Edit(shipped, map[string]any{
		"go":                              binary,
		"userConfig/embedding/baseURL":    env.EmbeddingURL,
		"userConfig/embedding/model":      env.EmbeddingModel,
		"userConfig/embedding/dimensions": stack.EmbeddingDimensions,
		"userConfig/chroma/url":           env.ChromaURL,
	})
	if err != nil {
		return nil, fmt.Errorf("edit deploy/function.yaml: %w", err)
	}
	return append([]byte("# Written by `make demo`: deploy/function.yaml with the addresses of the local stack. The comments are there.\n"), out...), nil
}

// sourceYAML is the shipped connector/postgres.yaml for this stack.
func sourceYAML(env stack.Env) ([]byte, error) {
	db, err := url.Parse(env.PostgresURL)
	if err != nil {
		return nil, fmt.Errorf("read the address of Postgres: %w", err)
	}
	out, err := admin.Edit(connector.PostgresYAML(), map[string]any{
		"configs/database.hostname":                   db.Hostname(),
		"configs/database.port":                       db.Port(),
		"configs/database.dbname":                     strings.TrimPrefix(db.Path, "/"),
		"configs/database.password":                   sourcePassword,
		"configs/database.history.pulsar.service.url": env.PulsarURL,
	})
	if err != nil {
		return nil, fmt.Errorf("edit connector/postgres.yaml: %w", err)
	}
	return append([]byte("# Written by `make demo`: connector/postgres.yaml with the addresses of the local stack. The comments are there.\n"), out...), nil
}

// writeSettings leaves both files where the user can read, change and use them.
func (d *demo) writeSettings() error {
	shipped, err := os.ReadFile("deploy/function.yaml")
	if err != nil {
		return fmt.Errorf("read the function's settings: %w", err)
	}
	function, err := functionYAML(shipped, d.env, d.absolute("bin/rowvec-function"))
	if err != nil {
		return err
	}
	source, err := sourceYAML(d.env)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(functionFile), 0o755); err != nil { //nolint:gosec // nothing secret but the files, see below
		return fmt.Errorf("make a folder for the settings: %w", err)
	}
	for path, content := range map[string][]byte{functionFile: function, sourceFile: source} {
		if err := os.WriteFile(path, content, 0o600); err != nil { // a password is in them
			return fmt.Errorf("write the settings: %w", err)
		}
	}
	return nil
}
