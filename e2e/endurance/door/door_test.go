package door_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rowvec/rowvec/e2e/endurance/door"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// begin makes a door to a server that holds each request at /slow until it is cut off.
func begin(t *testing.T) (d *door.Door, get func(path string) (string, error), held <-chan struct{}) {
	t.Helper()
	arrived := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			arrived <- struct{}{}
			<-r.Context().Done()
		}
		_, _ = io.WriteString(w, "hello "+r.URL.Path)
	}))
	t.Cleanup(server.Close)
	target, err := url.Parse(server.URL)
	require.NoError(t, err)
	d, err = door.New(target)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	t.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections) // the door's own way to the server
	return d, func(path string) (string, error) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.URL()+path, http.NoBody)
		require.NoError(t, err)
		response, err := client.Do(request)
		if err != nil {
			return "", err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		return string(body), err
	}, arrived
}

func TestAShutDoorRefusesConnections(t *testing.T) {
	t.Parallel()
	d, get, _ := begin(t)
	at := d.URL()
	for range 3 {
		body, err := get("/there")
		require.NoError(t, err)
		require.Equal(t, "hello /there", body)
		require.NoError(t, d.Shut())
		for range 3 {
			_, err = get("/there")
			require.ErrorIs(t, err, syscall.ECONNREFUSED)
		}
		require.NoError(t, d.Open())
		require.NoError(t, d.Open(), "it is open")
		require.Equal(t, at, d.URL())
	}
	require.NoError(t, d.Shut())
}

func TestShuttingCutsOffWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	d, get, held := begin(t)
	failed := make(chan error, 1)
	go func() {
		_, err := get("/slow")
		failed <- err
	}()
	<-held
	require.NoError(t, d.Shut())
	require.Error(t, <-failed)
}
