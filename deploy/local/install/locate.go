package install

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

// The oldest versions that the stack was seen to work with.
const (
	oldestPostgres = 15
	oldestJava     = 17
)

// versionNumber is the first number in what "postgres --version" and "java -version" print.
var versionNumber = regexp.MustCompile(`(\d+)(?:\.\d+)*`)

// Postgres is the need for the server's programs.
func Postgres() Need {
	return Need{Name: fmt.Sprintf("PostgreSQL %d or newer", oldestPostgres), Packages: []string{"postgresql"}, Find: func(ctx context.Context) error {
		_, err := PostgresBin(ctx)
		return err
	}}
}

// PostgresBin finds the folder of initdb and postgres: Debian keeps them out of PATH, one folder for each version.
func PostgresBin(ctx context.Context) (string, error) {
	candidates, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	if dir, err := output(ctx, "pg_config", "--bindir"); err == nil {
		candidates = append(candidates, dir)
	}
	return newest(ctx, candidates, oldestPostgres, func(dir string) []string {
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil { //nolint:gosec // only looked at
			return nil // only the client is installed
		}
		return []string{filepath.Join(dir, "postgres"), "--version"}
	})
}

// Java is the need for a Java runtime that Pulsar runs on.
func Java() Need {
	return Need{
		Name: fmt.Sprintf("Java %d or newer", oldestJava), Packages: []string{"openjdk-17-jre-headless|openjdk-21-jre-headless|default-jre-headless"},
		Find: func(ctx context.Context) error {
			_, err := JavaHome(ctx)
			return err
		},
	}
}

// JavaHome finds the folder of a Java runtime: JAVA_HOME when it is new enough, else the one in PATH, else the newest of the system's.
func JavaHome(ctx context.Context) (string, error) { return javaHome(ctx, oldestJava) }

func javaHome(ctx context.Context, oldest int) (string, error) {
	preferred := []string{}
	if home := os.Getenv("JAVA_HOME"); home != "" {
		preferred = append(preferred, home)
	}
	if home, err := output(ctx, "sh", "-c", `readlink -f "$(command -v java)"`); err == nil && home != "" {
		preferred = append(preferred, filepath.Dir(filepath.Dir(home)))
	}
	command := func(home string) []string { return []string{filepath.Join(home, "bin", "java"), "-version"} }
	for _, home := range preferred {
		if found, err := newest(ctx, []string{home}, oldest, command); err == nil {
			return found, nil
		}
	}
	installed, err := filepath.Glob("/usr/lib/jvm/*")
	if err != nil {
		return "", err
	}
	return newest(ctx, append(installed, preferred...), oldest, command)
}

// newest asks each candidate for its version and returns the newest that is new enough.
func newest(ctx context.Context, candidates []string, oldest int, command func(dir string) []string) (string, error) {
	best, version := "", 0
	for _, dir := range candidates {
		args := command(dir)
		if args == nil {
			continue
		}
		text, err := output(ctx, args...)
		if err != nil {
			continue
		}
		if found, err := strconv.Atoi(firstNumber(text)); err == nil && found > version {
			best, version = dir, found
		}
	}
	switch {
	case version == 0:
		return "", errors.New("not found")
	case version < oldest:
		return "", fmt.Errorf("found only version %d", version)
	}
	return best, nil
}

func firstNumber(text string) string {
	if m := versionNumber.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// Python is the need for Python with what makes environments. Debian packs that apart.
func Python() Need {
	return Need{Name: "Python 3.9 or newer, with venv", Packages: []string{"python3", "python3-venv"}, Find: func(ctx context.Context) error {
		if _, err := output(ctx, "python3", "-c", "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))"); err != nil {
			if missing(err) {
				return errNotInPath
			}
			return errors.New("it is too old, or has no venv")
		}
		return nil
	}}
}

// compilation makes the smallest library, of what the embedding endpoint's source includes and links.
const compilation = `printf '#include <stdio.h>\n#include <math.h>\n' | ${CC:-gcc} -shared -fPIC -x c - -lm -o "$0"`

// Compiler is the need for a C compiler that works, which takes the C library's headers: the embedding endpoint has no ready-made build for every machine.
// Its source does not use Python's headers; those of a package that it needs may, where that one has no build either.
func Compiler() Need {
	return Need{Name: "a C compiler with the C library's headers", Packages: []string{"gcc", "libc6-dev", "python3-dev"}, Find: func(ctx context.Context) error {
		dir, err := os.MkdirTemp("", "rowvec-compiler-")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }() // in the temporary folder it does no harm
		var printed []string
		see := func(line string) { printed = append(printed, line) }
		if err := run(ctx, "", nil, see, "sh", "-c", compilation, filepath.Join(dir, "library.so")); err != nil && len(printed) > 0 {
			return errors.New(printed[0])
		} else if err != nil {
			return err
		}
		return nil
	}}
}
