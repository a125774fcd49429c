// Package prometheus_test looks at what a build of Prometheus cannot be counted on to look at. Everything else, promtool does: see
// e2e/prometheus_test.go.
package prometheus_test

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// configuration is the part of Prometheus's that is used here, and no more: another field is a mistake until it is added. Debian's build
// knows no kubernetes_sd_configs, so that its promtool refuses kubernetes.yaml as a whole.
type configuration struct {
	Global struct {
		ScrapeInterval     string `yaml:"scrape_interval"`
		EvaluationInterval string `yaml:"evaluation_interval"`
	} `yaml:"global"`
	RuleFiles     []string `yaml:"rule_files"`
	ScrapeConfigs []job    `yaml:"scrape_configs"`
}

type job struct {
	Name        string `yaml:"job_name"`
	MetricsPath string `yaml:"metrics_path"`
	Static      []struct {
		Targets []string `yaml:"targets"`
	} `yaml:"static_configs"`
	Kubernetes []struct {
		Role string `yaml:"role"`
	} `yaml:"kubernetes_sd_configs"`
	Relabel []relabel `yaml:"relabel_configs"`
}

type relabel struct {
	Source      []string `yaml:"source_labels"`
	Regex       string   `yaml:"regex"`
	Action      string   `yaml:"action"`
	Target      string   `yaml:"target_label"`
	Replacement string   `yaml:"replacement"`
}

func parse(t *testing.T, path string) configuration {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	var c configuration
	require.NoError(t, decoder.Decode(&c), path)
	return c
}

// paths are where the jobs' targets show their series; "" is Prometheus's own choice, /metrics.
var paths = map[string]string{"pulsar": "/metrics/", "rowvec-functions": "", "rowvec-gateway": ""}

func TestScrapeConfigurations(t *testing.T) {
	t.Parallel()
	for path, jobs := range map[string]int{"prometheus.yaml": 2, "kubernetes.yaml": 3} {
		c := parse(t, path)
		require.Equal(t, []string{"rules.yaml"}, c.RuleFiles, path)
		require.NotEmpty(t, c.Global.ScrapeInterval, path)
		require.Len(t, c.ScrapeConfigs, jobs, path)
		seen := map[string]bool{}
		for _, j := range c.ScrapeConfigs {
			require.False(t, seen[j.Name], "%s: %s is there twice", path, j.Name)
			seen[j.Name] = true
			want, known := paths[j.Name]
			require.True(t, known, "%s: %s", path, j.Name)
			require.Equal(t, want, j.MetricsPath, "%s: %s", path, j.Name)
			require.Equal(t, 1, len(j.Static)+len(j.Kubernetes), "%s: %s has one way to its targets", path, j.Name)
		}
	}
}

var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// TestKubernetesRelabelling: every rule is one that Prometheus takes, every job keeps some pods and not all, and nothing writes a label that the
// dashboard and the alerts go by.
func TestKubernetesRelabelling(t *testing.T) {
	t.Parallel()
	for _, j := range parse(t, "kubernetes.yaml").ScrapeConfigs {
		require.Equal(t, "pod", j.Kubernetes[0].Role, j.Name)
		keeps := 0
		for _, r := range j.Relabel {
			require.NotEmpty(t, r.Source, j.Name)
			for _, source := range r.Source {
				require.True(t, labelName.MatchString(source) && strings.HasPrefix(source, "__meta_kubernetes_"), "%s: %s", j.Name, source)
			}
			pattern, err := regexp.Compile("^(?:" + r.Regex + ")$")
			require.NoError(t, err, j.Name)
			if r.Action == "keep" {
				keeps++
				require.False(t, pattern.MatchString(""), "%s: %s keeps pods without the label", j.Name, r.Regex)
				require.Empty(t, r.Target, j.Name)
				continue
			}
			require.Empty(t, r.Action, j.Name)
			require.Regexp(t, labelName, r.Target, j.Name)
			require.NotContains(t, []string{"name", "namespace", "table", "subscription", "topic", "code", "op", "le"}, r.Target, "%s: a series has that label itself", j.Name)
			if strings.Contains(r.Replacement, "$1") {
				require.Equal(t, 1, pattern.NumSubexp(), "%s: %s", j.Name, r.Regex)
			}
		}
		require.Positive(t, keeps, "%s scrapes every pod of the cluster", j.Name)
	}
}
