package config

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
)

// Secret is a value that must not be seen: written out, or the name of one that the environment or the function's secrets map
// holds ({secret: NAME}), or the path of a file that holds it alone ({file: /path}).
type Secret struct {
	Name  string
	File  string
	value string
}

// maxSecretFile is more than any token or key has; a path of something else by mistake must not fill the memory.
const maxSecretFile = 64 << 10

// Set reports whether the setting was given.
func (s Secret) Set() bool { return s.Name != "" || s.File != "" || s.value != "" }

// Resolve returns the value; lookup answers for a named secret. An unset secret resolves to "".
func (s Secret) Resolve(lookup func(name string) (string, bool)) (string, error) {
	switch {
	case s.File != "":
		return readSecret(s.File)
	case s.Name == "":
		return s.value, nil
	}
	if v, ok := lookup(s.Name); ok && v != "" {
		return v, nil
	}
	return "", fmt.Errorf("secret %s: found neither as an environment variable of the function nor as a text in its secrets map (a {path, key} entry there is a reference, which only Pulsar's Kubernetes runtime turns into a variable); set one of them", s.Name)
}

// readSecret returns a file's content without the line break that editors put at its end.
func readSecret(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read a secret's file: %w", err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	if err != nil {
		return "", fmt.Errorf("read a secret's file: %w", err)
	}
	value := strings.TrimRight(string(data), "\r\n")
	if value == "" || len(data) > maxSecretFile {
		return "", fmt.Errorf("secret file %s: expected 1 to %d bytes, found %d", path, maxSecretFile, len(data))
	}
	return value, nil
}

// String tells where the secret comes from, never what it is.
func (s Secret) String() string {
	switch {
	case s.Name != "":
		return "{secret: " + s.Name + "}"
	case s.File != "":
		return "{file: " + s.File + "}"
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
