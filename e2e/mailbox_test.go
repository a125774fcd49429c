//go:build e2e

package e2e

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deadletter/mailbox/mailboxtest"
	"github.com/rowvec/rowvec/function/admin"
)

// TestMailboxConforms: what the double lets an operator's program do with dead letters, the real broker does, too.
func TestMailboxConforms(t *testing.T) {
	questions, err := admin.New(admin.Config{URL: world.env.PulsarAdminURL})
	require.NoError(t, err)
	t.Cleanup(questions.Close)
	call := func(method, topic, what, body string) *http.Response {
		request, err := http.NewRequestWithContext(t.Context(), method,
			world.env.PulsarAdminURL+"/admin/v2/persistent/"+strings.TrimPrefix(topic, "persistent://")+what, strings.NewReader(body))
		require.NoError(t, err)
		request.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		return response
	}
	mailboxtest.Suite(t, mailboxtest.Broker{
		Client: newClient(t), Admin: questions, Prefix: "mailbox-" + strconv.FormatInt(time.Now().UnixMilli(), 36) + "-",
		Partition: func(topic string, n int) {
			response := call(http.MethodPut, topic, "/partitions", strconv.Itoa(n))
			defer response.Body.Close()
			require.Equal(t, http.StatusNoContent, response.StatusCode)
		},
		Delete: func(topic string) {
			response := call(http.MethodDelete, topic, "?force=true", "")
			defer response.Body.Close()
			require.Equal(t, http.StatusNoContent, response.StatusCode)
		},
		Left: func(topic, subscription string) int64 {
			response := call(http.MethodGet, topic, "/stats?getPreciseBacklog=true", "")
			defer response.Body.Close()
			var s struct {
				Subscriptions map[string]struct {
					Backlog int64 `json:"msgBacklog"`
				} `json:"subscriptions"`
			}
			require.NoError(t, json.NewDecoder(response.Body).Decode(&s))
			return s.Subscriptions[subscription].Backlog
		},
	})
}
