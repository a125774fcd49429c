package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rowvec/rowvec/deploy/local/install"
	"github.com/rowvec/rowvec/deploy/local/progress"
	"github.com/rowvec/rowvec/deploy/local/supervise"
)

// pulsarVersion is the release of Pulsar and of its connector.
const pulsarVersion = "4.0.8"

const (
	pulsarArtifact    = "org.apache.pulsar:pulsar-server-distribution:" + pulsarVersion + ":tar.gz:bin"
	connectorArtifact = "org.apache.pulsar:pulsar-io-debezium-postgres:" + pulsarVersion // the jar of these coordinates is the NAR
)

// The ports of a Pulsar, by their place in the list.
const (
	brokerPort = iota
	webPort
	bookiePort
	plainWebPort // of a secure Pulsar only
)

// withoutPulsar are variables that Pulsar's scripts take settings from.
var withoutPulsar = []string{"PULSAR_*", "BOOKIE_*", "BK_*", "FUNCTIONS_*", "OPTS", "CLASSPATH", "JAVA_HOME", "JAVA_TOOL_OPTIONS"}

type pulsar struct {
	place
	distribution string // as unpacked, in the cache
	connector    string // the NAR's folder, in the cache
	unpacked     string // where Pulsar unpacks NARs to, in the cache: 100 MB that each stack would else unpack again
	java         string
	security     *security // nil: everything in the clear, and nobody is asked who he is
}

func newPulsar(at place, with *security) service { return &pulsar{place: at, security: with} }

func (p *pulsar) install(ctx context.Context, cache *install.Cache, task *progress.Task) (err error) {
	if p.java, err = install.JavaHome(ctx); err != nil {
		return fmt.Errorf("find Java: %w", err)
	}
	if p.distribution, err = cache.Ensure(ctx, install.Entry{
		Name: "pulsar-" + pulsarVersion,
		Build: func(ctx context.Context, dir string) error {
			task.Phase("fetching Pulsar %s", pulsarVersion)
			archive, err := install.Artifact(ctx, pulsarArtifact, dir, task)
			if err != nil {
				return err
			}
			task.Phase("unpacking Pulsar %s", pulsarVersion)
			if err := install.Unpack(ctx, archive, dir, task); err != nil {
				return err
			}
			return os.Remove(archive)
		},
	}, task); err != nil {
		return err
	}
	// After the distribution, not beside it: Maven's local repository is not made for two at once.
	if p.connector, err = cache.Ensure(ctx, install.Entry{
		Name: "pulsar-io-debezium-postgres-" + pulsarVersion,
		Build: func(ctx context.Context, dir string) error {
			task.Phase("fetching the Debezium connector")
			jar, err := install.Artifact(ctx, connectorArtifact, dir, task)
			if err != nil {
				return err
			}
			return os.Rename(jar, filepath.Join(dir, connectorNAR))
		},
	}, task); err != nil {
		return err
	}
	p.unpacked, err = cache.Ensure(ctx, install.Entry{Name: "nar", Build: func(context.Context, string) error { return nil }}, task)
	return err
}

func (p *pulsar) prepare(ctx context.Context, unclean bool) error {
	if err := p.layOut(); err != nil {
		return err
	}
	if err := p.writeAdmin(); err != nil {
		return err
	}
	if unclean {
		return p.forgetBookie(ctx)
	}
	return nil
}

func (p *pulsar) spec() supervise.Spec {
	return supervise.Spec{
		Args: []string{
			filepath.Join(p.dir, "bin", "pulsar"), "standalone", "--no-stream-storage",
			"--bookkeeper-port", strconv.Itoa(p.ports[bookiePort]), "--advertised-address", "127.0.0.1",
		},
		Env: p.env("PULSAR_MEM=-Xms512m -Xmx1g -XX:MaxDirectMemorySize=1g"),
		Dir: p.dir,
		// The worker's children (functions, connectors) finish what is in flight while the broker is still there to take their acks; by itself the worker
		// only signals them on its way out (contract §1.1).
		Drain: 10 * time.Second,
	}
}

// smallJVM is for programs that start often, on machines that do other work as well: without the second compiler and a concurrent collector, Pulsar
// is up after 6 s of processor time in place of 17.
const smallJVM = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"

// env is the environment of Pulsar's scripts.
func (p *pulsar) env(with ...string) []string {
	return environ(withoutPulsar, append([]string{
		"JAVA_HOME=" + p.java,
		"PULSAR_GC=" + smallJVM,
		// For what the functions worker starts: connectors. It offers no other way to set their options.
		"JAVA_TOOL_OPTIONS=" + strings.TrimSpace(os.Getenv("JAVA_TOOL_OPTIONS")+" "+smallJVM),
		"PULSAR_GC_LOG= ", // not empty, which would mean the default: files that nobody reads
		"PULSAR_LOG_DIR=" + filepath.Join(p.dir, "logs"),
		// The rest of the line is what the scripts set when it is missing. Native libraries are unpacked to the temporary folder and stay there after a kill.
		"PULSAR_EXTRA_OPTS=-Djava.io.tmpdir=" + filepath.Join(p.dir, "tmp") +
			" -Dpulsar.allocator.exit_on_oom=true -Dio.netty.recycler.maxCapacityPerThread=4096",
	}, with...)...)
}

// ready is what "functions create" needs: the broker, its bookie, the functions worker, and that it leads; until then it answers a
// creation with "Leader not yet ready".
func (p *pulsar) ready(ctx context.Context) error {
	var clusters, functions []string
	var leads bool
	client, err := p.client()
	if err != nil {
		return err
	}
	for path, into := range map[string]any{
		"/admin/v2/clusters": &clusters, "/admin/v3/functions/public/default": &functions, "/admin/v2/worker/cluster/leader/ready": &leads,
	} {
		if err := askBy(ctx, client, p.adminURL()+path, "", into); err != nil {
			return err
		}
	}
	if !leads {
		return errors.New("the functions worker does not lead yet")
	}
	return nil
}

func (p *pulsar) url() string {
	if p.security != nil {
		return local("pulsar+ssl", p.ports[brokerPort])
	}
	return local("pulsar", p.ports[brokerPort])
}

func (p *pulsar) adminURL() string {
	if p.security != nil {
		return local("https", p.ports[webPort])
	}
	return local("http", p.ports[webPort])
}

func (p *pulsar) outside() []string { return nil }

func (p *pulsar) limits() (start, stop time.Duration) { return 5 * time.Minute, 30 * time.Second }
