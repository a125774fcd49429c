package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/rowvec/rowvec/deploy/local/admin"
	"github.com/rowvec/rowvec/deploy/local/install"
	"github.com/rowvec/rowvec/deploy/local/progress"
	"github.com/rowvec/rowvec/deploy/local/supervise"
)

const (
	// gatewayFunction is the function.yaml, in the gateway's folder, that it serves.
	gatewayFunction = "function.yaml"
	// gatewaySecret is the variable that holds the address of Postgres, with its password.
	gatewaySecret = "ROWVEC_POSTGRES_URL" //nolint:gosec // a name
)

// gateway is `rowvec serve`.
type gateway struct {
	place
	program string // rowvec
	secret  string // address of Postgres
}

func newGateway(at place) service { return &gateway{place: at} }

// StartGateway runs `rowvec serve` beside a function.yaml, with the stack's addresses in place of those that are there, and returns when it answers. If it
// runs it is ended first. program is the path of rowvec. From then on GATEWAY_URL is in stack.env.
func (s *Stack) StartGateway(ctx context.Context, program string, function []byte) error {
	program, err := filepath.Abs(program)
	if err != nil {
		return fmt.Errorf("find the gateway's program: %w", err)
	}
	settings, err := s.gatewaySettings(function)
	if err != nil {
		return err
	}
	if err := s.Gateway.Stop(ctx); err != nil {
		return err
	}
	if err := os.MkdirAll(s.Gateway.at.dir, 0o750); err != nil {
		return fmt.Errorf("make the gateway's folder: %w", err)
	}
	if err := writeFile(filepath.Join(s.Gateway.at.dir, gatewayFunction), string(settings), 0o600); err != nil {
		return err
	}
	if g, ok := s.Gateway.service.(*gateway); ok {
		g.program, g.secret = program, s.Postgres.URL()
	}
	if err := s.Gateway.Start(ctx); err != nil {
		return err
	}
	return s.writeEnv()
}

// gatewaySettings are a function's, as the gateway of this stack needs them.
func (s *Stack) gatewaySettings(function []byte) ([]byte, error) {
	out, err := admin.Edit(function, map[string]any{
		"userConfig/embedding/baseURL":    s.Embedding.URL(),
		"userConfig/embedding/model":      EmbeddingModel,
		"userConfig/embedding/dimensions": EmbeddingDimensions,
		"userConfig/chroma/url":           s.Chroma.URL(),
		"userConfig/pulsar/adminURL":      s.Admin().URL,
		"userConfig/pulsar/serviceURL":    s.Pulsar.URL(),
		"userConfig/postgres/url":         map[string]any{"secret": gatewaySecret},
		"userConfig/gateway/listen":       fmt.Sprintf("127.0.0.1:%d", s.Gateway.at.ports[0]),
	})
	if err != nil {
		return nil, fmt.Errorf("write the gateway's settings: %w", err)
	}
	return out, nil
}

func (g *gateway) install(context.Context, *install.Cache, *progress.Task) error { return nil }

func (g *gateway) prepare(context.Context, bool) error {
	if g.program == "" {
		return errors.New("it has no settings; start it with StartGateway")
	}
	if _, err := os.Stat(g.program); err != nil {
		return fmt.Errorf("find the gateway's program (make build makes it): %w", err)
	}
	return nil
}

func (g *gateway) spec() supervise.Spec {
	return supervise.Spec{
		Args: []string{g.program, "serve", "-f", filepath.Join(g.dir, gatewayFunction)},
		Env:  environ([]string{"ROWVEC_*"}, gatewaySecret+"="+g.secret), Dir: g.dir,
	}
}

func (g *gateway) ready(ctx context.Context) error { return ask(ctx, g.url()+"/healthz", "", nil) }

func (g *gateway) url() string { return local("http", g.ports[0]) }

func (g *gateway) outside() []string { return nil }

func (g *gateway) limits() (start, stop time.Duration) { return 30 * time.Second, 15 * time.Second }
