package instance

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestControlListensAsNarrowlyAsTheRuntimeAllows(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{loopback}, controlHosts(&Conf{}))
	require.Equal(t, []string{allInterfaces}, controlHosts(&Conf{Kubernetes: true}))
}

func TestMetricsListenWhereTheWorkerScrapes(t *testing.T) {
	t.Parallel()
	finds := func(err error, hosts ...string) func(context.Context) ([]string, error) {
		return func(context.Context) ([]string, error) { return hosts, err }
	}
	for _, tc := range []struct {
		name   string
		conf   Conf
		lookup func(context.Context) ([]string, error)
		want   []string
	}{
		{"own address", Conf{}, finds(nil, "10.1.2.3"), []string{loopback, "10.1.2.3"}},
		{"several", Conf{}, finds(nil, "10.1.2.3", "10.1.2.4"), []string{loopback, "10.1.2.3", "10.1.2.4"}},
		{"a name that means loopback", Conf{}, finds(nil, loopback), []string{loopback}},
		{"Debian's own loopback", Conf{}, finds(nil, "127.0.1.1"), []string{loopback, "127.0.1.1"}},
		{"unknown name", Conf{}, finds(errors.New("no such host")), []string{allInterfaces}},
		{"Kubernetes", Conf{Kubernetes: true}, finds(nil, "10.1.2.3"), []string{allInterfaces}},
	} {
		require.Equal(t, tc.want, metricsHosts(t.Context(), &tc.conf, tc.lookup), tc.name)
	}
}

func TestLookupHostFindsWhatCanBeListenedOn(t *testing.T) {
	t.Parallel()
	hosts, err := lookupHost(t.Context())
	if err != nil {
		require.Equal(t, []string{allInterfaces}, metricsHosts(t.Context(), &Conf{}, lookupHost))
		return
	}
	require.NotEmpty(t, hosts)
	for _, host := range hosts {
		require.NotNil(t, net.ParseIP(host))
	}
}

func TestAnAddressOfAnotherHostMeansAllInterfaces(t *testing.T) {
	t.Parallel()
	p := &port{setting: "metricsPort", number: 0, hosts: []string{loopback, "192.0.2.1"}, fallback: true}
	require.NoError(t, p.open(t.Context()))
	require.Len(t, p.addrs(), 1)
	require.True(t, p.addrs()[0].(*net.TCPAddr).IP.IsUnspecified())
	require.NoError(t, p.opened()[0].Close())

	p.fallback = false
	require.ErrorIs(t, p.open(t.Context()), syscall.EADDRNOTAVAIL)
	require.Empty(t, p.addrs(), "what was opened before is closed again")
}

func TestAStolenPortIsNamedAndTriedAgain(t *testing.T) {
	t.Parallel()
	c := testConf(t)
	thief, err := net.Listen("tcp", net.JoinHostPort(loopback, strconv.Itoa(c.MetricsPort)))
	require.NoError(t, err)
	defer func() { _ = thief.Close() }()

	i := opened(t, c, Options{})
	text := i.Stats().Conditions["metricsPort"]
	for text == "" {
		advance(time.Millisecond) // the report comes from the port's own goroutine
		text = i.Stats().Conditions["metricsPort"]
	}
	require.Contains(t, text, "cannot listen on 127.0.0.1:"+strconv.Itoa(c.MetricsPort))
	require.Contains(t, text, "the functions worker gave this instance metricsPort "+strconv.Itoa(c.MetricsPort))
	require.Contains(t, text, "another process holds it")
	require.Contains(t, text, "pulsar-admin functions restart --fqfn public/default/emb")
	require.Empty(t, i.MetricsAddrs())
	require.NotEmpty(t, i.ControlAddrs(), "one port does not wait for the other")

	require.NoError(t, thief.Close())
	require.Eventually(t, func() bool { return len(i.Stats().Conditions) == 0 }, 10*time.Second, 10*time.Millisecond)
	status, _, _ := scrape(t, "http://"+i.MetricsAddrs()[0].String())
	require.Equal(t, http.StatusOK, status)
}

func TestCloseEndsTheWaitForAPort(t *testing.T) {
	t.Parallel()
	c := testConf(t)
	thief, err := net.Listen("tcp", net.JoinHostPort(loopback, strconv.Itoa(c.Port)))
	require.NoError(t, err)
	defer func() { _ = thief.Close() }()
	i := opened(t, c, Options{})
	start := time.Now()
	require.NoError(t, i.Close(t.Context()))
	require.Less(t, time.Since(start), portRetryFirst)
}

func TestPortErrorTellsTheFaultsApart(t *testing.T) {
	t.Parallel()
	taken := &PortError{Setting: "port", Port: 9093, FQFN: "t/n/f", Err: syscall.EADDRINUSE}
	require.ErrorIs(t, taken, syscall.EADDRINUSE)
	require.Equal(t, "retry", taken.Class())
	require.Equal(t, "port_unavailable", taken.Reason())
	require.ErrorContains(t, taken, "cannot listen on :9093")
	denied := &PortError{Setting: "port", Port: 80, Host: loopback, Err: syscall.EACCES}
	require.EqualError(t, denied, "cannot listen on 127.0.0.1:80 (port 80 given by the functions worker): permission denied")
}
