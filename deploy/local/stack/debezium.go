package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/rowvec/rowvec/deploy/local/install"
	"github.com/rowvec/rowvec/deploy/local/progress"
	"github.com/rowvec/rowvec/deploy/local/supervise"
)

// debeziumVersion is the release of Debezium Server that rowvec was tested with.
const debeziumVersion = "3.0.0.Final"

const debeziumArtifact = "io.debezium:debezium-server-dist:" + debeziumVersion + ":tar.gz"

// withoutDebezium are variables that Debezium Server, or its Java, takes settings from.
var withoutDebezium = []string{"DEBEZIUM_*", "QUARKUS_*", "JAVA_TOOL_OPTIONS", "JAVA_OPTS", "CLASSPATH"}

type debezium struct {
	place
	distribution string // as unpacked, in the cache
	java         string
}

func newDebezium(at place) service { return &debezium{place: at} }

// StartDebezium runs Debezium Server with an application.properties, see connector.ServerProperties, and returns when it is up, which is before it streams.
// One that runs is ended first. Its place in the write-ahead log is kept in its folder, if the properties name a relative path for it.
func (s *Stack) StartDebezium(ctx context.Context, properties []byte) error {
	if err := s.Debezium.Stop(ctx); err != nil {
		return err
	}
	conf := filepath.Join(s.Debezium.at.dir, "config")
	if err := os.MkdirAll(conf, 0o750); err != nil {
		return fmt.Errorf("make the folder of Debezium Server's settings: %w", err)
	}
	if err := writeFile(filepath.Join(conf, "application.properties"), string(properties), 0o600); err != nil { // it holds a password
		return err
	}
	return s.Debezium.Start(ctx)
}

func (d *debezium) install(ctx context.Context, cache *install.Cache, task *progress.Task) (err error) {
	if d.java, err = install.Java21Home(ctx, cache, task); err != nil {
		return fmt.Errorf("find Java 21 or newer: %w", err)
	}
	d.distribution, err = cache.Ensure(ctx, install.Entry{
		Name: "debezium-server-" + debeziumVersion,
		Build: func(ctx context.Context, dir string) error {
			task.Phase("fetching Debezium Server %s", debeziumVersion)
			archive, err := install.Artifact(ctx, debeziumArtifact, dir, task)
			if err != nil {
				return err
			}
			task.Phase("unpacking Debezium Server %s", debeziumVersion)
			if err := install.Unpack(ctx, archive, dir, task); err != nil {
				return err
			}
			return os.Remove(archive)
		},
	}, task)
	return err
}

func (d *debezium) prepare(context.Context, bool) error {
	if _, err := os.Stat(filepath.Join(d.dir, "config", "application.properties")); err != nil {
		return errors.New("it has no settings; start it with StartDebezium")
	}
	return nil
}

func (d *debezium) spec() supervise.Spec {
	classes := filepath.Join(d.distribution, "debezium-server-dist-"+debeziumVersion+"-runner.jar") + ":config:" + filepath.Join(d.distribution, "lib", "*")
	return supervise.Spec{
		Args: []string{
			filepath.Join(d.java, "bin", "java"), "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
			"-Dquarkus.http.host=127.0.0.1", "-Dquarkus.http.port=" + strconv.Itoa(d.ports[0]), "-cp", classes, "io.debezium.server.Main",
		},
		Env: environ(withoutDebezium), Dir: d.dir,
	}
}

func (d *debezium) ready(ctx context.Context) error {
	return ask(ctx, d.url()+"/q/health/ready", "", nil)
}

func (d *debezium) url() string { return local("http", d.ports[0]) }

func (d *debezium) outside() []string { return nil }

func (d *debezium) limits() (start, stop time.Duration) { return 2 * time.Minute, 30 * time.Second }
