package instance

import (
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// SecretError says why a secret has no value. It never holds one.
type SecretError struct {
	Name      string
	reference bool
}

// Error tells the operator what to do.
func (e *SecretError) Error() string {
	if e.reference {
		return fmt.Sprintf("secret %q is a reference ({path, key}) that this worker's secrets provider does not resolve: "+
			"set the environment variable %s for the functions worker, or use the Kubernetes secrets provider", e.Name, e.Name)
	}
	return fmt.Sprintf("secret %q has no value: set the environment variable %s for the functions worker, "+
		"or add it to the function's secrets as a string", e.Name, e.Name)
}

// Class is "halt": a setting must change.
func (*SecretError) Class() string { return "halt" }

// Reason is secret_reference or secret_missing.
func (e *SecretError) Reason() string {
	if e.reference {
		return "secret_reference"
	}
	return "secret_missing"
}

// Secret is the value of a secret: of the environment variable of that name, where the Kubernetes runtime puts it, else the text in
// the function's secrets (contract §4.5).
func (c *Conf) Secret(name string) (string, bool) {
	value, err := c.LookupSecret(name)
	return value, err == nil
}

// LookupSecret is Secret with a *SecretError that says what to do.
func (c *Conf) LookupSecret(name string) (string, error) {
	if c.getenv != nil {
		if value := c.getenv(name); value != "" {
			return value, nil
		}
	}
	switch value := c.secrets[name].(type) {
	case string:
		if value != "" {
			return value, nil
		}
	case map[string]any:
		return "", &SecretError{Name: name, reference: true}
	}
	return "", &SecretError{Name: name}
}

// LogValue shows what identifies the instance and how it is connected: neither authentication parameters, nor secrets, nor the values of
// the user's configuration, which may hold some.
func (c Conf) LogValue() slog.Value {
	topics := make([]string, 0, len(c.Inputs))
	for _, in := range c.Inputs {
		topics = append(topics, in.Topic)
	}
	return slog.GroupValue(
		slog.String("instance", c.InstanceName()),
		slog.String("cluster", c.Cluster),
		slog.String("service_url", redactURL(c.ServiceURL)),
		slog.String("auth_plugin", c.AuthPlugin),
		slog.Int("port", c.Port),
		slog.Int("metrics_port", c.MetricsPort),
		slog.Int("parallelism", c.Parallelism),
		slog.Bool("kubernetes", c.Kubernetes),
		slog.Any("inputs", topics),
		slog.String("subscription", c.Subscription.Name),
		slog.String("position", c.Subscription.Position.String()),
		slog.String("log_topic", c.LogTopic),
		slog.Any("user_config_keys", slices.Sorted(maps.Keys(c.UserConfig))),
	)
}

// Format prints what LogValue shows, whatever the verb.
func (c Conf) Format(s fmt.State, _ rune) {
	text := make([]string, 0, 16)
	for _, attr := range c.LogValue().Group() {
		text = append(text, attr.String())
	}
	_, _ = fmt.Fprintf(s, "{%s}", strings.Join(text, " "))
}

// redactURL hides the user and password of a URL, also of one with several hosts, which net/url does not parse.
func redactURL(raw string) string {
	scheme, rest, found := strings.Cut(raw, "://")
	if !found {
		return url.PathEscape(raw)
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		rest = "xxxxx@" + rest[at+1:]
	}
	return scheme + "://" + rest
}
