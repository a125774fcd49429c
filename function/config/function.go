package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Function is a function.yaml: what `pulsar-admin functions create --function-config-file` takes.
type Function struct {
	Tenant      string
	Namespace   string
	Name        string
	Inputs      []string // topics, those of inputSpecs among them
	Patterns    []string // of topics: topicsPattern, and the regular expressions of inputSpecs
	SubName     string   // the subscription; what Pulsar calls it where function.yaml does not say
	LogTopic    string
	Output      string // topic of the outcome events; empty: none are made
	Parallelism int
	Secrets     map[string]any
	Config      *Config
	Warnings    []string // what works here and surprises elsewhere
}

// settings of a function.yaml that Pulsar knows (contract §4.1, §4.2).
var functionSettings = []string{
	"tenant", "namespace", "name", "fqfn", "className", "inputs", "customSerdeInputs", "topicsPattern", "customSchemaInputs",
	"customSchemaOutputs", "inputSpecs", "inputTypeClassName", "output", "outputTypeClassName", "producerConfig", "outputSchemaType",
	"outputSerdeClassName", "logTopic", "processingGuarantees", "retainOrdering", "retainKeyOrdering", "batchBuilder",
	"forwardSourceMessageProperty", "userConfig", "secrets", "runtime", "autoAck", "maxMessageRetries", "deadLetterTopic", "subName",
	"parallelism", "resources", "windowConfig", "timeoutMs", "jar", "py", "go", "functionType", "cleanupSubscription",
	"customRuntimeOptions", "maxPendingAsyncRequests", "exposePulsarAdminClientEnabled", "subscriptionPosition", "skipToLatest",
	"runtimeFlags",
}

// refused by the 4.0.8 worker for Go functions, and what to set instead (contract §4.1).
var refusedSettings = map[string]string{
	"maxMessageRetries": "rowvec retries by itself; remove it",
	"deadLetterTopic":   "set userConfig.deadLetterTopic instead",
	"retainKeyOrdering": "userConfig.subscription: key_shared keeps the order of a row; remove it",
	"windowConfig":      "windows are not for this function; remove it",
}

// maxUserConfigBytes is where the worker's one command-line argument gets too long: it holds userConfig twice (contract §1.1).
const maxUserConfigBytes = 40 << 10

// Load reads and checks a function.yaml.
func Load(path string) (*Function, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the function's configuration: %w", err)
	}
	f, err := ParseFunction(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// ParseFunction reads and checks the text of a function.yaml. The error joins one error for every fault found.
func ParseFunction(data []byte) (*Function, error) {
	var values map[string]any
	if err := yaml.Unmarshal(data, &values); err != nil {
		return nil, fmt.Errorf("parse as YAML: %w", err)
	}
	var errs []error
	f := &Function{Tenant: "public", Namespace: "default", Parallelism: 1}
	var userConfig map[string]any
	root := &section{values: values, errs: &errs, known: functionSettings}
	root.text("tenant", &f.Tenant)
	root.text("namespace", &f.Namespace)
	root.text("name", &f.Name)
	root.inputs(f)
	root.text("subName", &f.SubName)
	root.text("logTopic", &f.LogTopic)
	root.text("output", &f.Output)
	root.integer("parallelism", &f.Parallelism, 1, 10_000)
	root.object("secrets", &f.Secrets)
	root.object("userConfig", &userConfig)
	root.checkFunction(f)
	if f.SubName == "" {
		f.SubName = f.Tenant + "/" + f.Namespace + "/" + f.Name
	}
	root.finish()
	c, err := Parse(userConfig)
	if err != nil {
		errs = append(errs, err)
	} else {
		root.checkOutput(f, DeadLetterTopic(c, f.Tenant, f.Namespace, f.Name))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	f.Config = c
	f.Warnings = warnings(values, userConfig)
	return f, nil
}

func (s *section) checkFunction(f *Function) {
	if f.Name == "" {
		s.fail("name", "required: the function's name")
	}
	if _, pattern := s.values["topicsPattern"]; len(f.Inputs) == 0 && !pattern && s.values["inputSpecs"] == nil {
		s.fail("inputs", "required: the topics of the tables, for example [persistent://public/default/store.app.articles]")
	}
	for key, instead := range refusedSettings {
		if v, ok := s.values[key]; ok && v != nil && v != false {
			s.fail(key, "refused by Pulsar for Go functions: %s", instead)
		}
	}
	if g, _ := s.values["processingGuarantees"].(string); g != "" && g != "ATLEAST_ONCE" && g != "MANUAL" {
		s.fail("processingGuarantees", "expected ATLEAST_ONCE (the default), found %q: rowvec acknowledges when a change is durable", g)
	}
}

func warnings(values, userConfig map[string]any) []string {
	var found []string
	text, err := json.Marshal(userConfig)
	if err == nil && strings.ContainsRune(string(text), '\'') {
		found = append(found, "userConfig contains an apostrophe: Pulsar's Kubernetes runtime breaks on it (its process runtime does not)")
	}
	if len(text) > maxUserConfigBytes {
		found = append(found, fmt.Sprintf("userConfig has %d bytes: over about %d the function may not start, because Pulsar passes it as one argument", len(text), maxUserConfigBytes))
	}
	for _, key := range []string{"retainOrdering", "skipToLatest", "timeoutMs", "autoAck", "batchBuilder"} {
		if v, ok := values[key]; ok && v != nil {
			found = append(found, key+" has no effect: rowvec orders by "+Root+".subscription, takes every change and acknowledges it when it is durable")
		}
	}
	for _, key := range []string{"producerConfig", "outputSchemaType", "outputSerdeClassName", "outputTypeClassName", "customSchemaOutputs"} {
		if v, ok := values[key]; ok && v != nil {
			found = append(found, key+" has no effect: the output topic gets JSON text without a schema")
		}
	}
	if p, _ := values["subscriptionPosition"].(string); !strings.EqualFold(p, "earliest") {
		found = append(found, "subscriptionPosition is not Earliest: rows that the source has read before the function's first start are left out")
	}
	if v, ok := values["cleanupSubscription"]; !ok || v == true {
		found = append(found, "cleanupSubscription is not false: deleting the function loses its place in the topic")
	}
	return found
}

// Secret answers for a named secret the way the function does: the environment first, then a text in the secrets map.
func (f *Function) Secret(name string) (string, bool) {
	if v := os.Getenv(name); v != "" {
		return v, true
	}
	v, ok := f.Secrets[name].(string)
	return v, ok
}

// DeadLetterTopic is the configured topic or the default one, <tenant>/<namespace>/<name>-dlq.
func DeadLetterTopic(c *Config, tenant, namespace, name string) string {
	if c.DeadLetterTopic != "" {
		return c.DeadLetterTopic
	}
	return "persistent://" + tenant + "/" + namespace + "/" + name + "-dlq"
}
