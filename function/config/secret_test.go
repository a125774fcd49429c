package config_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/config"
)

func TestASecretsFileIsReadAgain(t *testing.T) {
	t.Parallel()
	s := config.Secret{File: filepath.Join(t.TempDir(), "key")}
	read := s.Source()
	_, err := read()
	var fault *config.FileError
	require.ErrorAs(t, err, &fault)
	require.Equal(t, s.File, fault.Path)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.EqualError(t, err, "file "+s.File+": read a secret: no such file or directory", "the path once")
	for _, key := range []string{"first", "second"} {
		require.NoError(t, os.WriteFile(s.File, []byte(key+"\n"), 0o600))
		got, err := read()
		require.NoError(t, err)
		require.Equal(t, key, got)
	}
	require.NoError(t, os.WriteFile(s.File, nil, 0o600))
	_, err = read()
	require.ErrorAs(t, err, &fault, "cut short, and about to be written")

	require.NoError(t, os.WriteFile(s.File, []byte(" \t\n"), 0o600))
	_, err = read()
	require.EqualError(t, err, "file "+s.File+": read a secret: is blank; write the secret's value into it")

	_, err = config.Secret{File: t.TempDir()}.Source()()
	require.ErrorAs(t, err, &fault)
	require.ErrorContains(t, err, "is a directory")
}

// Opening a pipe that nobody writes into would wait for ever.
func TestASecretInAPipeIsRefused(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "key")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	for _, path := range []string{pipe, os.DevNull} {
		_, err := config.Secret{File: path}.Resolve(nil)
		var fault *config.FileError
		require.ErrorAs(t, err, &fault)
		require.EqualError(t, err, "file "+path+": read a secret: is a pipe, a socket or a device; name a regular file")
	}
}

// Kubernetes mounts a secret as a link to a file.
func TestASecretBehindALinkIsRead(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	link := filepath.Join(folder, "key")
	require.NoError(t, os.WriteFile(filepath.Join(folder, "data"), []byte("planted\n"), 0o600))
	require.NoError(t, os.Symlink("data", link))
	value, err := config.Secret{File: link}.Resolve(nil)
	require.NoError(t, err)
	require.Equal(t, "planted", value)
}

func TestWhatIsInNoFileStaysTheSame(t *testing.T) {
	t.Parallel()
	s := config.Secret{Name: "KEY"}
	require.Nil(t, s.Source())
	require.Equal(t, os.ErrInvalid, s.Fault(os.ErrInvalid))
	require.Nil(t, config.Secret{}.Source())
}

// A missing or empty file of authorities may be written, too.
func TestACAFilesFaultIsThatOfAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ca.pem")
	var fault *config.FileError
	_, err := config.CAFile(path).Pool()
	require.ErrorAs(t, err, &fault)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.WriteFile(path, []byte("no PEM"), 0o600))
	_, err = config.CAFile(path).Pool()
	require.ErrorAs(t, err, &fault)
	require.ErrorContains(t, err, path+": expected one or more certificates")
}

// It is read before each request to the endpoint and to Chroma.
func BenchmarkReadASecretAgain(b *testing.B) {
	s := config.Secret{File: filepath.Join(b.TempDir(), "key")}
	require.NoError(b, os.WriteFile(s.File, []byte("sk-0123456789abcdef0123456789abcdef\n"), 0o600))
	read := s.Source()
	for b.Loop() {
		if _, err := read(); err != nil {
			b.Fatal(err)
		}
	}
}
