package config

import (
	"fmt"
	"log/slog"
)

// Secret is a value that must not be seen: either written out, or the name of one that the environment or the function's secrets
// map holds ({secret: NAME}).
type Secret struct {
	Name  string
	value string
}

// Set reports whether the setting was given.
func (s Secret) Set() bool { return s.Name != "" || s.value != "" }

// Resolve returns the value; lookup answers for a named secret. An unset secret resolves to "".
func (s Secret) Resolve(lookup func(name string) (string, bool)) (string, error) {
	if s.Name == "" {
		return s.value, nil
	}
	if v, ok := lookup(s.Name); ok && v != "" {
		return v, nil
	}
	return "", fmt.Errorf("secret %s: found neither as an environment variable of the function nor as a text in its secrets map (a {path, key} entry there is a reference, which only Pulsar's Kubernetes runtime turns into a variable); set one of them", s.Name)
}

// String tells where the secret comes from, never what it is.
func (s Secret) String() string {
	switch {
	case s.Name != "":
		return "{secret: " + s.Name + "}"
	case s.value != "":
		return "[redacted]"
	default:
		return ""
	}
}

// GoString keeps %#v from showing the value.
func (s Secret) GoString() string { return s.String() }

// LogValue keeps logs from showing the value.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
