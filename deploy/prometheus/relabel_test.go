package prometheus_test

import (
	"maps"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// apply does to a target's labels what Prometheus does for the rules of this folder: action keep, and replace, which is the one that is
// not named. ok is false for a target that is dropped.
func (j *job) apply(t *testing.T, labels map[string]string) (target map[string]string, ok bool) {
	t.Helper()
	target = maps.Clone(labels)
	for _, r := range j.Relabel {
		values := make([]string, len(r.Source))
		for i, name := range r.Source {
			values[i] = target[name]
		}
		value, expr, replacement := strings.Join(values, ";"), "(.*)", "$1"
		if r.Regex != "" {
			expr = r.Regex
		}
		if r.Replacement != "" {
			replacement = r.Replacement
		}
		pattern := regexp.MustCompile("^(?s:" + expr + ")$") // case-sensitive, as Prometheus's are
		at := pattern.FindStringSubmatchIndex(value)
		switch r.Action {
		case "keep":
			if at == nil {
				return nil, false
			}
		case "":
			if at != nil {
				target[r.Target] = string(pattern.ExpandString(nil, replacement, value, at))
			}
		default:
			require.Fail(t, "an action that this test does not know", r.Action)
		}
	}
	return target, true
}

// pods are those of a cluster, with the labels that their makers give them: Pulsar's Helm chart to its components, and Pulsar 4.0's
// Kubernetes runtime (KubernetesRuntime.getLabels) to functions, sources and sinks.
var pods = map[string]map[string]string{
	"pulsar-broker-0":           {"app": "pulsar", "release": "pulsar", "cluster": "pulsar", "component": "broker"},
	"pulsar-functions-worker-0": {"app": "pulsar", "release": "pulsar", "cluster": "pulsar", "component": "functions-worker"},
	"pulsar-bookie-0":           {"app": "pulsar", "release": "pulsar", "cluster": "pulsar", "component": "bookie"},
	"pf-public-default-rowvec-articles-0": {
		"component": "function", "tenant": "public", "namespace": "default", "name": "rowvec-articles",
	},
	"pf-public-default-resize-0": {"component": "function", "tenant": "public", "namespace": "default", "name": "resize"},
	"pf-public-default-store-0":  {"component": "source", "tenant": "public", "namespace": "default", "name": "rowvec-source"},
	"search-7d9c":                {"app_kubernetes_io_name": "rowvec-gateway"},
	"shop-1":                     {"app_kubernetes_io_name": "shop"},
	"bare":                       {},
}

func TestEachJobScrapesItsPodsOnly(t *testing.T) {
	t.Parallel()
	scraped := map[string]map[string]string{}
	for _, j := range parse(t, "kubernetes.yaml").ScrapeConfigs {
		scraped[j.Name] = map[string]string{}
		for name, labels := range pods {
			discovered := map[string]string{
				"__address__": "10.1.2.3:5000", "__meta_kubernetes_pod_ip": "10.1.2.3", "__meta_kubernetes_pod_name": name, "__meta_kubernetes_namespace": "pulsar",
			}
			for k, v := range labels {
				discovered["__meta_kubernetes_pod_label_"+k] = v
			}
			if target, ok := j.apply(t, discovered); ok {
				require.Equal(t, name, target["pod"], j.Name)
				scraped[j.Name][name] = target["__address__"]
			}
		}
	}
	require.Equal(t, map[string]map[string]string{
		"pulsar":           {"pulsar-broker-0": "10.1.2.3:8080", "pulsar-functions-worker-0": "10.1.2.3:8080"},
		"rowvec-functions": {"pf-public-default-rowvec-articles-0": "10.1.2.3:9094"},
		"rowvec-gateway":   {"search-7d9c": "10.1.2.3:5000"},
	}, scraped)
}
