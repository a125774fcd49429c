package install

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// aptGet stands for the real one: it notes what it is asked, and "installs" a program by making it.
const aptGet = `echo "apt-get $*" >> "$(dirname "$0")/calls"
case "$*" in *--download-only) exit;; esac
[ "$1" = install ] && [ -z "$BROKEN" ] && { printf '#!/bin/sh\n' > "$(dirname "$0")/frobnicate"; chmod +x "$(dirname "$0")/frobnicate"; }
[ "$DEBIAN_FRONTEND" = noninteractive ]`

func frobnicate() Need { return Program("frobnicate", "frob-3|frob-2", "frob-data") }

func TestSystemThatHasAll(t *testing.T) {
	dir := programs(t, map[string]string{"frobnicate": "", "apt-get": aptGet})
	require.NoError(t, (&system{root: true}).ensure(t.Context(), []Need{frobnicate()}, nil))
	require.NoFileExists(t, filepath.Join(dir, "calls"))
}

func TestRootInstallsWhatIsMissing(t *testing.T) {
	dir := programs(t, map[string]string{"apt-get": aptGet, "apt-cache": `[ "$2" = frob-2 ] || [ "$2" = frob-data ]`})
	require.NoError(t, (&system{root: true}).ensure(t.Context(), []Need{frobnicate()}, nil))
	calls, err := os.ReadFile(filepath.Join(dir, "calls"))
	require.NoError(t, err)
	const command = "apt-get install --yes --no-install-recommends frob-2 frob-data"
	require.Equal(t, "apt-get update\n"+command+" --download-only\n"+command+"\n", string(calls))
}

// An apt-get that is killed leaves packages half configured, for the user to repair.
func TestInstallationIsNotKilled(t *testing.T) {
	dir := programs(t, map[string]string{"apt-cache": "exit 0", "apt-get": `cd "$(dirname "$0")"
case "$*" in update|*--download-only) exit;; esac
: > begun; until [ -e go ]; do sleep 0.02; done; : > configured`})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- (&system{root: true}).ensure(ctx, []Need{frobnicate()}, nil) }()
	there := func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err == nil
	}
	require.Eventually(t, func() bool { return there("begun") }, 10*time.Second, 10*time.Millisecond)
	cancel()
	select {
	case err := <-ended:
		t.Fatalf("it did not wait for apt-get: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go"), nil, 0o600))
	require.ErrorIs(t, <-ended, context.Canceled)
	require.True(t, there("configured"))
}

func TestFetchingPackagesIsInterrupted(t *testing.T) {
	dir := programs(t, map[string]string{"apt-cache": "exit 0", "apt-get": `cd "$(dirname "$0")"
case "$*" in update) ;; *--download-only) : > begun; sleep 1000;; *) : > installed;; esac`})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- (&system{root: true}).ensure(ctx, []Need{frobnicate()}, nil) }()
	require.Eventually(t, func() bool {
		_, err := os.Stat(filepath.Join(dir, "begun"))
		return err == nil
	}, 10*time.Second, 10*time.Millisecond)
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	require.NoFileExists(t, filepath.Join(dir, "installed"))
}

func TestRootIsToldWhenInstallingDidNotHelp(t *testing.T) {
	programs(t, map[string]string{"apt-get": aptGet, "apt-cache": "exit 1"})
	t.Setenv("BROKEN", "yes")
	err := (&system{root: true}).ensure(t.Context(), []Need{frobnicate()}, nil)
	var lacking *MissingError
	require.ErrorAs(t, err, &lacking)
}

// What is proposed must exist in this release of the system: the command is there to be typed.
func TestOthersAreToldTheCommand(t *testing.T) {
	dir := programs(t, map[string]string{"apt-get": aptGet, "apt-cache": `[ "$1" = show ] && case "$2" in frob-2|frob-data|jre-old) exit;; esac; exit 100`})
	old := Need{Name: "Java 17 or newer", Packages: []string{"jre|jre-old"}, Find: func(context.Context) error { return errors.New("found only version 11") }}
	err := (&system{}).ensure(t.Context(), []Need{frobnicate(), Program("sh", "dash"), old}, nil)
	var lacking *MissingError
	require.ErrorAs(t, err, &lacking)
	require.Equal(t, []string{"frobnicate: not in PATH", "Java 17 or newer: found only version 11"}, lacking.Missing)
	require.Equal(t, "sudo apt-get update && sudo apt-get install --yes --no-install-recommends frob-2 frob-data jre-old", lacking.Command)
	require.ErrorContains(t, err, lacking.Command)
	require.NoFileExists(t, filepath.Join(dir, "calls"))
}

func TestNoAptGetNoInstallation(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	err := (&system{root: true}).ensure(t.Context(), []Need{frobnicate()}, nil)
	var lacking *MissingError
	require.ErrorAs(t, err, &lacking)
	require.Contains(t, lacking.Command, "--no-install-recommends frob-3 frob-data", "with nobody to ask, the first")
}

func TestNewest(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	versions := map[string]string{
		"15": "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", "9": "postgres (PostgreSQL) 9.6.24",
		"17": `openjdk version "17.0.15" 2025-04-15`, "words": "no number", "broken": "",
	}
	for dir, text := range versions {
		path := filepath.Join(base, dir, "ask")
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		script := "#!/bin/sh\necho '" + text + "' >&2\n"
		if dir == "broken" {
			script = "#!/bin/sh\nexit 1\n"
		}
		require.NoError(t, os.WriteFile(path, []byte(script), 0o755))
	}
	find := func(oldest int, dirs ...string) (string, error) {
		return newest(t.Context(), dirs, oldest, func(dir string) []string {
			if dir == "client only" {
				return nil
			}
			return []string{filepath.Join(base, dir, "ask")}
		})
	}
	got, err := find(15, "9", "17", "client only", "15", "words", "broken", "none")
	require.NoError(t, err)
	require.Equal(t, "17", got)
	_, err = find(15, "9")
	require.ErrorContains(t, err, "found only version 9")
	_, err = find(15, "none", "words", "client only")
	require.ErrorContains(t, err, "not found")
}
