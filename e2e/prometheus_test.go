//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deploy/local/install"
	"github.com/rowvec/rowvec/deploy/local/supervise"
)

// needPrometheus finds Debian's Prometheus and promtool; root has them installed, others are told how.
func needPrometheus(t *testing.T) {
	t.Helper()
	require.NoError(t, install.System(t.Context(), []install.Need{
		install.Program("prometheus", "prometheus"), install.Program("promtool", "prometheus"),
	}, nil))
}

// TestPrometheusFiles: the alerts are valid, fire when they should and not before, and the shipped configuration is one that Prometheus
// takes. kubernetes.yaml is not among them: Debian's build is made without kubernetes_sd_configs. Its fields are held to a strict
// subset by deploy/prometheus.
func TestPrometheusFiles(t *testing.T) {
	needPrometheus(t)
	for _, args := range []string{"check rules rules.yaml", "test rules rules_test.yaml", "check config prometheus.yaml"} {
		c := exec.CommandContext(t.Context(), "promtool", strings.Fields(args)...)
		c.Dir = filepath.Join(world.root, "deploy", "prometheus")
		out, err := c.CombinedOutput()
		require.NoError(t, err, "promtool %s: %s", args, out)
		require.Contains(t, string(out), "SUCCESS", args)
	}
}

// launch runs a program until the test ends, with its log and files in a folder of e2e/out, and waits until its address answers.
func launch(t *testing.T, dir, ready string, args ...string) {
	t.Helper()
	program, err := exec.LookPath(args[0])
	require.NoError(t, err)
	log := filepath.Join(dir, filepath.Base(program)+".log")
	p, err := supervise.Start(supervise.Spec{Args: append([]string{program}, args[1:]...), Env: os.Environ(), Dir: dir, Log: log}, log)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		require.NoError(t, p.Stop(ctx, 10*time.Second))
	})
	eventually(t, 30*time.Second, func(ctx context.Context) error {
		err := ask(ctx, ready, nil)
		if err != nil {
			err = fmt.Errorf("%w; its log: %s", err, supervise.Tail(log, 5))
		}
		return err
	})
}

// ask gets an address, and its JSON into answer where that is wanted.
func ask(ctx context.Context, address string, answer any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", address, resp.Status)
	}
	if answer == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(answer)
}

// shortened makes a copy of a shipped file with other words. Each must be there, so that the copy is what it is taken for.
func shortened(t *testing.T, dir, name string, changes map[string]string) {
	t.Helper()
	shipped, err := os.ReadFile(filepath.Join(world.root, "deploy", "prometheus", name))
	require.NoError(t, err)
	text := string(shipped)
	for old, replacement := range changes {
		require.Contains(t, text, old, name)
		text = strings.ReplaceAll(text, old, replacement)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
}

// prometheus is the real one, which watches the stack's broker and a gateway.
type prometheus struct{ url string }

// startPrometheus runs it on copies of the shipped files. They say other addresses, scrape each second, and the alerts that wait for a
// minute and for 300 s without success wait for 2 s and for 5 s.
func startPrometheus(t *testing.T, gateway string) *prometheus {
	t.Helper()
	needPrometheus(t)
	dir := filepath.Join(world.root, "e2e", "out", "prometheus")
	require.NoError(t, os.RemoveAll(dir))
	require.NoError(t, os.MkdirAll(dir, 0o750))
	broker, err := url.Parse(world.env.PulsarAdminURL)
	require.NoError(t, err)
	shortened(t, dir, "prometheus.yaml", map[string]string{
		"127.0.0.1:8080": broker.Host, "127.0.0.1:8090": gateway, "_interval: 5s": "_interval: 1s",
	})
	shortened(t, dir, "rules.yaml", map[string]string{"> 300\n": "> 5\n", "[300s]": "[5s]", "offset 300s": "offset 5s", "for: 1m\n": "for: 2s\n"})
	address := freeAddress(t)
	launch(t, dir, "http://"+address+"/-/ready", "prometheus", "--config.file="+filepath.Join(dir, "prometheus.yaml"),
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	return &prometheus{url: "http://" + address}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	ports, err := supervise.Ports(t.Context(), 1)
	require.NoError(t, err)
	return "127.0.0.1:" + strconv.Itoa(ports[0])
}

// promSample is one series of an answer.
type promSample struct {
	Metric map[string]string `json:"metric"`
	Value  [2]any            `json:"value"` // time, and the value as text
}

// query asks what a query gives now.
func (p *prometheus) query(ctx context.Context, query string) ([]promSample, error) {
	var answer struct {
		Data struct {
			Result []promSample `json:"result"`
		} `json:"data"`
	}
	err := ask(ctx, p.url+"/api/v1/query?query="+url.QueryEscape(query), &answer)
	return answer.Data.Result, err
}

// firing tells whether an alert fires for the function.
func (p *prometheus) firing(ctx context.Context, alert, function string) (bool, error) {
	var answer struct {
		Data struct {
			Alerts []struct {
				Labels map[string]string `json:"labels"`
				State  string            `json:"state"`
			} `json:"alerts"`
		} `json:"data"`
	}
	if err := ask(ctx, p.url+"/api/v1/alerts", &answer); err != nil {
		return false, err
	}
	for _, a := range answer.Data.Alerts {
		if a.Labels["alertname"] == alert && a.Labels["name"] == function && a.State == "firing" {
			return true, nil
		}
	}
	return false, nil
}

// fires waits until an alert fires for the function, or does no more.
func (p *prometheus) fires(t *testing.T, within time.Duration, alert, function string, want bool) {
	t.Helper()
	eventually(t, within, func(ctx context.Context) error {
		is, err := p.firing(ctx, alert, function)
		if err == nil && is != want {
			err = fmt.Errorf("%s fires for %s: %v", alert, function, is)
		}
		return err
	})
}
