package stack

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// distribution makes what layOut takes from a real one, and a pulsar whose programs only show how they were called.
func distribution(t *testing.T) *pulsar {
	t.Helper()
	base := t.TempDir()
	p := &pulsar{
		place:        place{dir: filepath.Join(base, "run", "pulsar"), ports: []int{6650, 8080, 3181}},
		distribution: filepath.Join(base, "pulsar-4"), connector: filepath.Join(base, "connector"), unpacked: filepath.Join(base, "nar"), java: "/usr/lib/jvm/17",
	}
	show := "#!/bin/sh\necho \"$@\"\necho java $JAVA_HOME extra $PULSAR_EXTRA_OPTS conf $BOOKIE_CONF\n"
	for name, text := range map[string]string{
		"pulsar-4/bin/pulsar-admin":          show,
		"pulsar-4/bin/bookkeeper":            show + "[ -e ../../fail ] && exit 1\nexec cp \"$BOOKIE_CONF\" seen",
		"pulsar-4/conf/standalone.conf":      "# brokerServicePort=1\nbrokerServicePort=6650\nbindAddress=0.0.0.0\nkeep=this=\nbrokerServicePortTls=\n",
		"pulsar-4/conf/functions_worker.yml": "pulsarServiceUrl: pulsar://localhost:6650\nworkerPort: 6750\nruntime:\n    pulsarServiceUrl: inner",
		"pulsar-4/lib/broker.jar":            "", "pulsar-4/instances/go": "", "connector/" + connectorNAR: "nar",
	} {
		path := filepath.Join(base, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o755))
	}
	require.NoError(t, os.MkdirAll(p.dir, 0o755))
	return p
}

func read(t *testing.T, parts ...string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(parts...))
	require.NoError(t, err)
	return string(raw)
}

func TestPulsarGetsAHomeOfItsOwn(t *testing.T) {
	t.Parallel()
	p := distribution(t)
	for range 2 { // a restart lays out the folder again
		require.NoError(t, p.prepare(t.Context(), false))
	}
	conf := read(t, p.dir, "conf", "standalone.conf")
	for _, line := range []string{
		"# brokerServicePort=1", "brokerServicePort=6650", "webServicePort=8080", "bindAddress=127.0.0.1", "keep=this=",
		"brokerServicePortTls=", "allowEphemeralPorts=true", "narExtractionDirectory=" + p.unpacked,
	} {
		require.Equal(t, 1, strings.Count("\n"+conf, "\n"+line+"\n"), line)
	}
	require.NotContains(t, conf, "0.0.0.0")
	worker := read(t, p.dir, "conf", "functions_worker.yml")
	require.Contains(t, worker, "\npulsarWebServiceUrl: http://127.0.0.1:8080\n")
	require.True(t, strings.HasPrefix(worker, "pulsarServiceUrl: pulsar://127.0.0.1:6650\nworkerPort: 6750\n"), worker)
	require.Contains(t, worker, "    pulsarServiceUrl: inner", "only top-level keys")
	require.Equal(t, "nar", read(t, p.dir, "connectors", connectorNAR))
	require.FileExists(t, filepath.Join(p.dir, "lib", "broker.jar"))
	require.Contains(t, read(t, p.distribution, "conf", "standalone.conf"), "0.0.0.0", "the cache stays as it was")
}

func TestAdminProgramTalksToThisStack(t *testing.T) {
	t.Parallel()
	p := distribution(t)
	require.NoError(t, p.prepare(t.Context(), false))
	admin := exec.Command(filepath.Join(filepath.Dir(p.dir), adminName), "functions", "create", "--name", "two words")
	admin.Env = append(os.Environ(), "PULSAR_EXTRA_OPTS=-Dfrom=outside")
	printed, err := admin.Output()
	require.NoError(t, err)
	require.Equal(t, "--admin-url http://127.0.0.1:8080 functions create --name two words\njava /usr/lib/jvm/17 extra conf\n", string(printed))
}

func TestBookieIsForgottenAfterACrash(t *testing.T) {
	t.Parallel()
	p := distribution(t)
	seen := filepath.Join(p.dir, "seen")
	require.NoError(t, p.prepare(t.Context(), true))
	require.NoFileExists(t, seen, "there was no metadata yet")

	metadata := filepath.Join(p.dir, "data", "metadata")
	require.NoError(t, os.MkdirAll(metadata, 0o755))
	require.NoError(t, p.prepare(t.Context(), false))
	require.NoFileExists(t, seen, "it had ended in order")
	require.NoError(t, p.prepare(t.Context(), true))
	require.Equal(t, "metadataServiceUri=metadata-store:rocksdb://"+metadata+"\n", read(t, seen))

	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(filepath.Dir(p.dir)), "fail"), nil, 0o600))
	err := p.prepare(t.Context(), true)
	require.ErrorContains(t, err, "list the bookies")
	require.ErrorContains(t, err, "shell listbookies -rw", "what it printed")
}

func TestEnvironmentOfOthersDoesNotReachTheParts(t *testing.T) {
	t.Setenv("PULSAR_STANDALONE_CONF", "/etc/other.conf")
	t.Setenv("PULSAR_GC", "-XX:+UseZGC")
	t.Setenv("JAVA_TOOL_OPTIONS", "-Dproxy=here")
	t.Setenv("PGDATA", "/elsewhere")
	t.Setenv("PYTHONPATH", "/elsewhere")
	t.Setenv("HTTPS_PROXY", "kept")
	p := distribution(t)
	env := p.spec().Env
	require.NotContains(t, env, "PULSAR_STANDALONE_CONF=/etc/other.conf")
	require.NotContains(t, env, "PULSAR_GC=-XX:+UseZGC")
	require.Contains(t, env, "PULSAR_GC="+smallJVM)
	require.Contains(t, env, "JAVA_TOOL_OPTIONS=-Dproxy=here "+smallJVM)
	require.Contains(t, env, "HTTPS_PROXY=kept")
	at := place{dir: t.TempDir(), ports: []int{1}}
	require.NotContains(t, newPostgres(at).spec().Env, "PGDATA=/elsewhere")
	require.NotContains(t, newChroma(at).spec().Env, "PYTHONPATH=/elsewhere")
	require.NotContains(t, newEmbedding(at).spec().Env, "PYTHONPATH=/elsewhere")
}
