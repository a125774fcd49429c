//go:build e2e

package secure

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// ownSource runs the source beside the worker, in a role of its own, as README.md says; it goes on where the worker's was.
func ownSource(t *testing.T, file string) {
	t.Helper()
	deployer(t, "sources", "delete", "--name", "rowvec-source")
	insert(t, "articles", 20)
	token, err := world.stack.Authority.Token(sourceRole)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	c := exec.CommandContext(ctx, world.env.PulsarAdmin, "sources", "localrun", "--source-config-file", sourceYAML(t),
		"--broker-service-url", world.env.PulsarURL, "--use-tls", "--tls-trust-cert-path", world.stack.Authority.CertFile(),
		"--client-auth-plugin", "org.apache.pulsar.client.impl.auth.AuthenticationToken", "--client-auth-params", "file://"+token)
	var log bytes.Buffer
	c.Stdout, c.Stderr, c.Env = &log, &log, append(os.Environ(), "PULSAR_TOKEN_FILE="+token)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGTERM) } // with the source's own process
	c.WaitDelay = 20 * time.Second
	require.NoError(t, c.Start())
	defer func() {
		stop()
		_ = c.Wait() // it was stopped
		if t.Failed() {
			t.Logf("the source:\n%s", log.String())
		}
		requireNoSecret(t, "the source's log", log.String())
	}()
	verified(t, file, 90*time.Second)
	insert(t, "articles", 21)
	verified(t, file, time.Minute)
	for pid, args := range commandLines(t) {
		for _, arg := range args {
			requireNoSecret(t, "the command line of process "+pid, arg)
		}
	}
}
