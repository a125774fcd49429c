package install

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRunSplitsWhatIsPrinted(t *testing.T) {
	t.Parallel()
	var seen []string
	require.NoError(t, run(t.Context(), "/", []string{"WHO=me"}, func(line string) { seen = append(seen, line) },
		"sh", "-c", `printf 'one\rtwo\n\nthree by %s in %s\n' "$WHO" "$PWD"; echo four >&2; printf unfinished`))
	require.Equal(t, []string{"one", "two", "three by me in /", "four"}, seen)
}

func TestRunSaysWhatWentWrong(t *testing.T) {
	t.Parallel()
	err := run(t.Context(), "", nil, nil, "sh", "-c", `yes filler | head -c 100000; echo; echo the reason; exit 3`)
	var failed *CommandError
	require.ErrorAs(t, err, &failed)
	require.True(t, strings.HasPrefix(failed.Command, "sh -c"))
	require.LessOrEqual(t, len(failed.Output), keptOutput)
	require.True(t, strings.HasSuffix(err.Error(), "the reason"), "the end is what matters")
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, 3, exit.ExitCode())
	require.True(t, missing(run(t.Context(), "", nil, nil, "no-such-program")))
	require.False(t, missing(err))
}

func TestRunEndsTheWholeGroup(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "pid")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- run(ctx, "", nil, nil, "sh", "-c", `sleep 1000 & echo $! > `+file+`; wait`) }()
	var pid []byte
	require.Eventually(t, func() bool {
		pid, _ = os.ReadFile(file)
		return strings.HasSuffix(string(pid), "\n")
	}, 10*time.Second, 10*time.Millisecond)
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	stat := filepath.Join("/proc", strings.TrimSpace(string(pid)), "stat")
	require.Eventually(t, func() bool {
		raw, err := os.ReadFile(stat)
		return err != nil || strings.Contains(string(raw), ") Z ")
	}, 10*time.Second, 10*time.Millisecond)
}

func TestArtifact(t *testing.T) {
	programs(t, map[string]string{"mvn": `
for a in "$@"; do case "$a" in -DoutputDirectory=*) dir=${a#*=};; -Dartifact=g:thing:1) asked=yes;; esac; done
[ "$asked" ] || exit 1
printf 'Progress (1): 12/95 MB\rProgress (1): 95 MB\nProgress (2): 1.2/2.0 MB | 3/4 kB\n'
echo jar > "$dir/thing-1.jar"`})
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "older.jar"), nil, 0o600))
	path, err := Artifact(t.Context(), "g:thing:1", dir, nil)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "thing-1.jar"), path)
	_, err = Artifact(t.Context(), "g:thing:1", dir, nil)
	require.ErrorContains(t, err, "expected one more file", "Maven said nothing and brought nothing")
}

func TestArtifactThatCannotBeFetched(t *testing.T) {
	programs(t, map[string]string{"mvn": `echo "[ERROR] Could not find artifact"; exit 1`})
	_, err := Artifact(t.Context(), "g:thing:1", t.TempDir(), nil)
	require.ErrorContains(t, err, "fetch g:thing:1")
	require.ErrorContains(t, err, "Could not find artifact")
}

func TestTransfer(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][]string{
		"Progress (1): 12/95 MB":               {"12", "95"},
		"Progress (1): 1.2/245 MB":             {"1.2", "245"},
		"Progress (1): 0.9/95 MB  ":            {"0.9", "95"},
		"Progress (1): 95 MB":                  nil,
		"Progress (1): 12/95 kB":               nil,
		"Progress (2): 1.2/2.0 MB | 30/40 kB":  nil,
		"Downloading from somewhere: thing.gz": nil,
	} {
		m := transfer.FindStringSubmatch(line)
		if want == nil {
			require.Nil(t, m, line)
			continue
		}
		require.Equal(t, want, m[1:], line)
	}
	require.EqualValues(t, 1, whole("1.9"))
}
