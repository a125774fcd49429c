package config

import (
	"errors"
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

// Source reads the value's file again; nil for a value that stays the same while the process runs, since it is in no file.
func (s Secret) Source() func() (string, error) {
	if s.File == "" {
		return nil
	}
	return func() (string, error) { return readSecret(s.File) }
}

// Fault is err, or a FileError of what is wrong with the value if that is from a file.
func (s Secret) Fault(err error) error {
	if s.File == "" {
		return err
	}
	return &FileError{Path: s.File, err: err}
}

// FileError is the fault of a file that a setting names: it may go without another setting.
type FileError struct {
	Path string
	err  error
}

// Error says what is wrong and with which file, never what is in it.
func (e *FileError) Error() string { return "file " + e.Path + ": " + e.err.Error() }

// Unwrap returns what is wrong.
func (e *FileError) Unwrap() error { return e.err }

// readSecret returns a file's content without the line break that editors put at its end.
func readSecret(path string) (string, error) {
	if err := regular(path); err != nil {
		return "", &FileError{Path: path, err: fmt.Errorf("read a secret: %w", err)}
	}
	f, err := os.Open(path)
	if err != nil {
		return "", &FileError{Path: path, err: fmt.Errorf("read a secret: %w", withoutPath(err))}
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	if err != nil {
		return "", &FileError{Path: path, err: fmt.Errorf("read a secret: %w", withoutPath(err))}
	}
	value := strings.TrimRight(string(data), "\r\n")
	if value == "" || len(data) > maxSecretFile {
		return "", &FileError{Path: path, err: fmt.Errorf("read a secret: expected 1 to %d bytes, found %d", maxSecretFile, len(data))}
	}
	if strings.TrimSpace(value) == "" {
		return "", &FileError{Path: path, err: errors.New("read a secret: is blank; write the secret's value into it")}
	}
	return value, nil
}

// regular refuses what may never end, or never begin: opening a named pipe waits for somebody who writes into it. A link to a file, as
// Kubernetes mounts secrets, is as good as the file.
func regular(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return withoutPath(err)
	case info.IsDir():
		return errors.New("is a directory; name a regular file")
	case !info.Mode().IsRegular():
		return errors.New("is a pipe, a socket or a device; name a regular file")
	}
	return nil
}

// withoutPath is the cause alone: the path stands before it.
func withoutPath(err error) error {
	var of *os.PathError
	if errors.As(err, &of) {
		return of.Err
	}
	return err
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
