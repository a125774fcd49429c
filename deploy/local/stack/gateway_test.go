package stack

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

func TestGatewayNeedsSettings(t *testing.T) {
	t.Parallel()
	g := &gateway{place: place{dir: "/stack/gateway", ports: []int{8090}}}
	require.ErrorContains(t, g.prepare(t.Context(), false), "StartGateway")
	g.program, g.secret = filepath.Join(t.TempDir(), "rowvec"), "postgres://u:planted@h/d"
	require.ErrorContains(t, g.prepare(t.Context(), false), "make build")
	require.NoError(t, os.WriteFile(g.program, nil, 0o600))
	require.NoError(t, g.prepare(t.Context(), false))
	spec := g.spec()
	require.Equal(t, []string{g.program, "serve", "-f", "/stack/gateway/function.yaml"}, spec.Args)
	require.Contains(t, spec.Env, "ROWVEC_POSTGRES_URL=postgres://u:planted@h/d")
	require.Equal(t, "http://127.0.0.1:8090", g.url())
}

// The gateway is not among what Start brings up: it comes when there is a program and a function to serve, and ends with the stack.
func TestGatewayStartsOnDemandAndEndsWithTheStack(t *testing.T) {
	t.Parallel()
	shipped, err := os.ReadFile("../../function.yaml")
	require.NoError(t, err)
	dir := t.TempDir()
	s, _ := assembleFakes(t, dir, readyAtOnce)
	require.NoError(t, bringUp(t, s))
	require.NotContains(t, s.Components(), s.Gateway)
	require.NotContains(t, s.Env().String(), "GATEWAY_URL", "nothing listens there")

	require.NoError(t, s.StartGateway(t.Context(), "bin/rowvec", shipped))
	first := s.Gateway.PID()
	require.NotZero(t, first)
	require.Contains(t, read(t, filepath.Join(dir, envName)), "GATEWAY_URL="+s.Gateway.URL()+"\n")
	settings := filepath.Join(s.Gateway.at.dir, gatewayFunction)
	var f struct {
		Output     string
		UserConfig struct{ Embedding, Chroma, Pulsar, Postgres, Gateway map[string]any } `yaml:"userConfig"`
	}
	require.NoError(t, yaml.Unmarshal([]byte(read(t, settings)), &f))
	require.Equal(t, "persistent://public/default/rowvec-articles-events", f.Output, "as in the file that it was given")
	c := f.UserConfig
	require.Equal(t, []any{s.Chroma.URL(), s.Embedding.URL(), EmbeddingModel}, []any{c.Chroma["url"], c.Embedding["baseURL"], c.Embedding["model"]})
	require.Equal(t, map[string]any{"serviceURL": s.Pulsar.URL(), "adminURL": s.Env().PulsarAdminURL}, c.Pulsar)
	require.Equal(t, map[string]any{"url": map[string]any{"secret": "ROWVEC_POSTGRES_URL"}}, c.Postgres, "the file holds no password")
	require.True(t, strings.HasSuffix(s.Gateway.URL(), fmt.Sprint(c.Gateway["listen"])), c.Gateway)
	info, err := os.Stat(settings)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	require.NoError(t, s.StartGateway(t.Context(), "bin/rowvec", shipped))
	require.NotEqual(t, first, s.Gateway.PID(), "other settings may have come")
	require.ErrorContains(t, s.StartGateway(t.Context(), "bin/rowvec", []byte("a: [")), "gateway's settings")
	require.NoError(t, s.Stop(t.Context()))
	require.Zero(t, s.Gateway.PID())
}
