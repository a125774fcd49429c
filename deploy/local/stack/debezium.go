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

// The releases of Debezium Server that rowvec was tested with: the last of 2.x, and 3.0.
const (
	debezium2 = "2.7.3.Final"
	debezium3 = "3.0.0.Final"
)

// withoutDebezium are variables that Debezium Server, or its Java, takes settings from.
var withoutDebezium = []string{"DEBEZIUM_*", "QUARKUS_*", "JAVA_TOOL_OPTIONS", "JAVA_OPTS", "CLASSPATH"}

type debezium struct {
	place
	version      string
	distribution string // as unpacked, in the cache
	java         string
}

func newDebezium2(at place) service { return &debezium{place: at, version: debezium2} }

func newDebezium3(at place) service { return &debezium{place: at, version: debezium3} }

// StartDebezium runs Debezium Server, Debezium2 or Debezium3, with an application.properties, see connector.ServerProperties, and returns when it is up, which
// is before it streams. If it runs it is ended first. Its place in the write-ahead log is kept in its folder, if the properties name a relative path for it.
func (s *Stack) StartDebezium(ctx context.Context, server *Component, properties []byte) error {
	if err := server.Stop(ctx); err != nil {
		return err
	}
	conf := filepath.Join(server.at.dir, settingsFolder)
	if err := os.MkdirAll(conf, 0o750); err != nil {
		return fmt.Errorf("make the folder of Debezium Server's settings: %w", err)
	}
	if err := writeFile(filepath.Join(conf, "application.properties"), string(properties), 0o600); err != nil { // it holds a password
		return err
	}
	return server.Start(ctx)
}

// settingsFolder is in the class path of ours; run.sh of 2.x calls it conf.
const settingsFolder = "config"

// findJava finds the Java that the version runs on: 11 for 2.x, and Pulsar wants a newer one anyway; 21 for 3.x.
func (d *debezium) findJava(ctx context.Context, cache *install.Cache, task *progress.Task) (err error) {
	if d.version == debezium2 {
		d.java, err = install.JavaHome(ctx)
	} else {
		d.java, err = install.Java21Home(ctx, cache, task)
	}
	if err != nil {
		return fmt.Errorf("find the Java of Debezium Server %s: %w", d.version, err)
	}
	return nil
}

func (d *debezium) install(ctx context.Context, cache *install.Cache, task *progress.Task) (err error) {
	if err := d.findJava(ctx, cache, task); err != nil {
		return err
	}
	d.distribution, err = cache.Ensure(ctx, install.Entry{
		Name: "debezium-server-" + d.version,
		Build: func(ctx context.Context, dir string) error {
			task.Phase("fetching Debezium Server %s", d.version)
			archive, err := install.Artifact(ctx, "io.debezium:debezium-server-dist:"+d.version+":tar.gz", dir, task)
			if err != nil {
				return err
			}
			task.Phase("unpacking Debezium Server %s", d.version)
			if err := install.Unpack(ctx, archive, dir, task); err != nil {
				return err
			}
			return os.Remove(archive)
		},
	}, task)
	return err
}

func (d *debezium) prepare(context.Context, bool) error {
	if _, err := os.Stat(filepath.Join(d.dir, settingsFolder, "application.properties")); err != nil {
		return errors.New("it has no settings; start it with StartDebezium")
	}
	return nil
}

func (d *debezium) spec() supervise.Spec {
	classes := filepath.Join(d.distribution, "debezium-server-dist-"+d.version+"-runner.jar") + ":" + settingsFolder + ":" + filepath.Join(d.distribution, "lib", "*")
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
