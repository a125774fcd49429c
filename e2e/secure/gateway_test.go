//go:build e2e

package secure

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/gateway/monitor"
)

// gateway lets the operator's gateway see the function, its backlog, its events, the tables and the index.
func gateway(t *testing.T, file string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	c := exec.CommandContext(ctx, filepath.Join(world.root, "bin", "rowvec"), "serve", "-f", file, "--listen", "127.0.0.1:0")
	c.Env = append(os.Environ(), pulsarName+"="+planted["token of "+operatorRole])
	var log bytes.Buffer
	c.Stderr = &log
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	address, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	address = strings.TrimSpace(address)
	eventually(t, 30*time.Second, func(ctx context.Context) error {
		var s monitor.Status
		if err := get(ctx, address+"/v1/status", &s); err != nil {
			return err
		}
		for name, h := range map[string]*monitor.Health{
			"events": &s.Sources.Events, "admin": &s.Sources.Admin, "chroma": &s.Sources.Chroma, "postgres": s.Sources.Postgres,
		} {
			if h == nil || !h.OK {
				return fmt.Errorf("the gateway does not see %s: %+v", name, h)
			}
		}
		if s.State != monitor.Running {
			return fmt.Errorf("the function is %s: %s", s.State, s.Cause)
		}
		return nil
	})
	var found struct{ Rows []struct{ ID string } }
	require.NoError(t, get(t.Context(), address+"/v1/search?table=app.articles&q=changed", &found))
	require.NotEmpty(t, found.Rows)
	stop()
	_ = c.Wait() // it was killed
	requireNoSecret(t, "the gateway's log", log.String())
}

func get(ctx context.Context, address string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", address, answer.Status)
	}
	return json.NewDecoder(answer.Body).Decode(into)
}
