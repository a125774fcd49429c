package stack

import (
	"context"
	"path/filepath"
	"strconv"
	"time"

	"github.com/rowvec/rowvec/deploy/local/install"
	"github.com/rowvec/rowvec/deploy/local/progress"
	"github.com/rowvec/rowvec/deploy/local/supervise"
)

// chromaVersion is the server that rowvec's adapter was tested on.
const chromaVersion = "1.5.9"

// chromaServer runs Chroma's own command line, which is compiled into the bindings: without the 400 MB of Python packages that only the Python client needs.
const chromaServer = `import sys, chromadb_rust_bindings as b; b.cli(["chroma"] + sys.argv[1:])`

// withoutPython are variables that lead an interpreter to other packages than its own.
var withoutPython = []string{"PYTHONPATH", "PYTHONHOME"}

type chroma struct {
	place
	python string
}

func newChroma(at place) service { return &chroma{place: at} }

func (c *chroma) install(ctx context.Context, cache *install.Cache, task *progress.Task) (err error) {
	environment := install.Environment{
		Name: "chroma-" + chromaVersion, Pip: []string{"--no-deps", "chromadb==" + chromaVersion}, Imports: "chromadb_rust_bindings",
	}
	c.python, err = environment.Ensure(ctx, cache, task)
	return err
}

func (c *chroma) prepare(context.Context, bool) error { return nil }

func (c *chroma) spec() supervise.Spec {
	return supervise.Spec{
		Args: []string{
			c.python, "-c", chromaServer, "run",
			"--path", filepath.Join(c.dir, "data"), "--host", "127.0.0.1", "--port", strconv.Itoa(c.ports[0]),
		},
		Env: environ(append([]string{"CHROMA_*"}, withoutPython...), "ANONYMIZED_TELEMETRY=False", "NO_COLOR=1"),
		Dir: c.dir,
	}
}

func (c *chroma) ready(ctx context.Context) error {
	return ask(ctx, c.url()+"/api/v2/heartbeat", "", nil)
}

func (c *chroma) url() string { return local("http", c.ports[0]) }

func (c *chroma) outside() []string { return nil }

func (c *chroma) limits() (start, stop time.Duration) { return 2 * time.Minute, 15 * time.Second }
