package install

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPythonEnvironment(t *testing.T) {
	// A Python that makes environments of itself, and knows a module once it is installed.
	programs(t, map[string]string{"python3": `here=$(dirname "$0")
case "$1 $2" in
"-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python3" ;;
"-m pip") echo "$*" > "$here/pip" ;;
"-c import thing") [ -f "$here/pip" ] || { echo no module; exit 1; } ;;
esac`})
	cache := newCache(t)
	environment := Environment{Name: "thing-1", Pip: []string{"--no-deps", "thing==1"}, Imports: "thing"}
	python, err := environment.Ensure(t.Context(), cache, nil)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(cache.dir, "thing-1", "bin", "python3"), python)
	asked := filepath.Join(cache.dir, "thing-1", "bin", "pip")
	line, err := os.ReadFile(asked)
	require.NoError(t, err)
	require.Contains(t, string(line), "install --no-input --disable-pip-version-check --quiet --no-deps thing==1")

	require.NoError(t, os.Remove(asked)) // the environment breaks, and is made again
	_, err = environment.Ensure(t.Context(), cache, nil)
	require.NoError(t, err)
	require.FileExists(t, asked)
}

// pip stands for one that finds no ready-made build, and needs a compiler for everything else.
const pip = `echo "$*" >> "$0.calls"
case "$*" in *--only-binary*) echo "No matching distribution found for thing"; [ -e "$0.ready-made" ]; exit;; esac
[ -x "$(dirname "$0")/frobnicate" ] || { echo "command failed"; exit 1; }`

// environment is one whose pip has to build with frobnicate, and its folder.
func environment(t *testing.T) (v Environment, dir string) {
	t.Helper()
	dir = programs(t, map[string]string{"apt-get": aptGet, "apt-cache": "exit 0"})
	require.NoError(t, os.Mkdir(filepath.Join(dir, "bin"), 0o755))
	path := filepath.Join(dir, "bin", "python3")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+strings.ReplaceAll(pip, `$(dirname "$0")`, dir)+"\n"), 0o755))
	return Environment{Name: "thing-1", Pip: []string{"thing==1"}, Builds: []Need{frobnicate()}}, dir
}

func pipCalls(t *testing.T, dir string) []string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "bin", "python3.calls"))
	require.NoError(t, err)
	calls := strings.Split(strings.TrimSpace(string(raw)), "\n")
	for i := range calls {
		calls[i] = strings.TrimPrefix(calls[i], "-m pip install --no-input --disable-pip-version-check --quiet ")
	}
	return calls
}

func TestNothingIsBuiltWithoutACompiler(t *testing.T) {
	v, dir := environment(t)
	err := v.fill(t.Context(), dir, &system{}, nil)
	var lacking *MissingError
	require.ErrorAs(t, err, &lacking)
	require.ErrorContains(t, err, lacking.Command, "what to do")
	require.ErrorContains(t, err, "No matching distribution", "why it is needed at all")
	require.Equal(t, []string{"--only-binary :all: thing==1"}, pipCalls(t, dir), "the source was not even fetched")
}

func TestReadyMadeBuildNeedsNoCompiler(t *testing.T) {
	v, dir := environment(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "bin", "python3.ready-made"), nil, 0o600))
	require.NoError(t, v.fill(t.Context(), dir, &system{}, nil))
	require.Equal(t, []string{"--only-binary :all: thing==1"}, pipCalls(t, dir))
}

func TestCompilerIsInstalledForABuild(t *testing.T) {
	v, dir := environment(t)
	require.NoError(t, v.fill(t.Context(), dir, &system{root: true}, nil))
	require.Equal(t, []string{"--only-binary :all: thing==1", "thing==1"}, pipCalls(t, dir))
	require.NoError(t, v.fill(t.Context(), dir, &system{}, nil), "now it is there")
	require.Len(t, pipCalls(t, dir), 3)
}

func TestInterruptedPipAsksForNoCompiler(t *testing.T) {
	v, dir := environment(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := v.fill(ctx, dir, &system{root: true}, nil)
	require.ErrorIs(t, err, context.Canceled)
	require.NoFileExists(t, filepath.Join(dir, "calls"))
}

func TestCompiler(t *testing.T) {
	t.Setenv("CC", "")
	for name, test := range map[string]struct{ gcc, want string }{
		"works":      {gcc: `for last; do :; done; [ "$(cat)" ] && : > "$last"`},
		"no headers": {gcc: `echo "<stdin>:1:10: fatal error: stdio.h: No such file or directory" >&2; echo more; exit 1`, want: "stdio.h: No such file or directory"},
		"no library": {gcc: `echo "ld: cannot find -lm" >&2; exit 1`, want: "cannot find -lm"},
		"silent":     {gcc: `exit 1`, want: "exit status 1"},
	} {
		t.Run(name, func(t *testing.T) {
			programs(t, map[string]string{"gcc": test.gcc})
			err := Compiler().Find(t.Context())
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.want)
			require.NotContains(t, err.Error(), "more", "one line of a list")
		})
	}
	t.Setenv("CC", "no-such-compiler")
	require.ErrorContains(t, Compiler().Find(t.Context()), "not found", "pip would use this one as well")
}
