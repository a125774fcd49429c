package stack

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/rowvec/rowvec/deploy/local/supervise"
)

// connectorNAR is the file that makes "builtin://debezium-postgres".
const connectorNAR = "pulsar-io-debezium-postgres-" + pulsarVersion + ".nar"

// layOut makes a distribution of this stack's own in its folder: scripts and configuration are copied (the scripts find everything else from where
// they lie), the large folders are linked to the cache. Whatever Pulsar writes, it writes below here.
func (p *pulsar) layOut() error {
	for _, dir := range []string{"bin", "conf"} {
		target := filepath.Join(p.dir, dir)
		if err := os.RemoveAll(target); err != nil {
			return fmt.Errorf("lay out Pulsar's folder: %w", err)
		}
		if err := os.CopyFS(target, os.DirFS(filepath.Join(p.distribution, dir))); err != nil {
			return fmt.Errorf("lay out Pulsar's folder: %w", err)
		}
	}
	for _, dir := range []string{"connectors", "functions", "tmp", "logs"} {
		if err := os.MkdirAll(filepath.Join(p.dir, dir), 0o755); err != nil { //nolint:gosec // nothing secret
			return fmt.Errorf("lay out Pulsar's folder: %w", err)
		}
	}
	links := map[string]string{
		"lib":       filepath.Join(p.distribution, "lib"),
		"instances": filepath.Join(p.distribution, "instances"),
		filepath.Join("connectors", connectorNAR): filepath.Join(p.connector, connectorNAR),
	}
	for name, target := range links {
		if err := link(target, filepath.Join(p.dir, name)); err != nil {
			return err
		}
	}
	return p.configure()
}

func link(target, name string) error {
	if err := os.RemoveAll(name); err != nil {
		return fmt.Errorf("lay out Pulsar's folder: %w", err)
	}
	if err := os.Symlink(target, name); err != nil {
		return fmt.Errorf("lay out Pulsar's folder: %w", err)
	}
	return nil
}

// configure sets what differs between stacks, and leaves everything else as the release has it: the stack is to behave as a user's Pulsar does.
func (p *pulsar) configure() error {
	if err := edit(filepath.Join(p.dir, "conf", "standalone.conf"), "=", map[string]string{
		"brokerServicePort":       strconv.Itoa(p.ports[brokerPort]),
		"webServicePort":          strconv.Itoa(p.ports[webPort]),
		"bindAddress":             "127.0.0.1",
		"advertisedAddress":       "127.0.0.1",
		"brokerShutdownTimeoutMs": "10000",
		"narExtractionDirectory":  p.unpacked,
		"allowEphemeralPorts":     "true", // only with it the bookie takes --bookkeeper-port instead of a port of its own choice
		"listeningInterface":      "lo",   // of the bookie, which would else listen on all
	}); err != nil {
		return err
	}
	if err := edit(filepath.Join(p.dir, "conf", "functions_worker.yml"), ": ", map[string]string{
		"pulsarServiceUrl":       p.url(),
		"pulsarWebServiceUrl":    p.adminURL(),
		"narExtractionDirectory": p.unpacked,
	}); err != nil || p.security == nil {
		return err
	}
	return p.configureSecurely()
}

// edit sets top-level keys of a properties or YAML file; a key that is not there is appended.
func edit(path, separator string, settings map[string]string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read Pulsar's configuration: %w", err)
	}
	text := string(raw)
	for key, value := range settings {
		line := key + separator + value
		present := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(key+strings.TrimSpace(separator)) + `.*$`)
		if present.MatchString(text) {
			text = present.ReplaceAllLiteralString(text, line)
		} else {
			text = strings.TrimRight(text, "\n") + "\n" + line + "\n"
		}
	}
	return writeFile(path, text, 0o644)
}

// writeAdmin makes the pulsar-admin of this stack. The JVM's options make a call a third faster.
func (p *pulsar) writeAdmin() error {
	script := fmt.Sprintf(`#!/bin/sh
# pulsar-admin of the local stack. It works in Pulsar's folder: give it absolute paths.
export JAVA_HOME=%s PULSAR_LOG_DIR=%s PULSAR_GC=%s PULSAR_GC_LOG=' '
unset PULSAR_CLIENT_CONF PULSAR_LOG_CONF PULSAR_EXTRA_OPTS PULSAR_MEM OPTS CLASSPATH
exec %s --admin-url %s%s "$@"
`, quote(p.java), quote(filepath.Join(p.dir, "logs")), quote(smallJVM), quote(filepath.Join(p.dir, "bin", "pulsar-admin")), p.adminURL(), p.adminFlags())
	return writeFile(filepath.Join(filepath.Dir(p.dir), adminName), script, 0o755)
}

// forgetBookie repairs what a killed Pulsar leaves: the entry under which its bookie had registered. The next bookie finds that entry, removes it, and then
// deletes and restores its own for half a minute, in which the broker gives up for want of a bookie (apache/pulsar#11842). Listing the bookies reads the entry, and
// the metadata store drops an entry of an earlier process when it is read.
func (p *pulsar) forgetBookie(ctx context.Context) error {
	metadata := filepath.Join(p.dir, "data", "metadata")
	if _, err := os.Stat(metadata); err != nil {
		return nil //nolint:nilerr // it was killed before it had any
	}
	conf := filepath.Join(p.dir, "conf", "repair.conf")
	if err := writeFile(conf, "metadataServiceUri=metadata-store:rocksdb://"+metadata+"\n", 0o644); err != nil {
		return err
	}
	if err := supervise.Run(ctx, supervise.Spec{
		Args: []string{filepath.Join(p.dir, "bin", "bookkeeper"), "shell", "listbookies", "-rw"},
		Env:  p.env("BOOKIE_CONF="+conf, "BOOKIE_MEM=-Xmx256m", "BOOKIE_GC="+smallJVM, "BOOKIE_GC_LOG= "),
		Dir:  p.dir,
	}, p.mark()); err != nil {
		return fmt.Errorf("list the bookies: %w", err)
	}
	return nil
}
