//go:build e2e

package secure

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// process is the function's, with what the worker gave it.
type process struct {
	pid  string
	conf struct {
		Name                 string
		Port, MetricsPort    int
		ClientAuthParameters string `json:"clientAuthenticationParameters"`
	}
}

// functionProcess finds the process that the worker started for a function of this stack.
func functionProcess(t *testing.T, name string) process {
	t.Helper()
	for pid, args := range commandLines(t) {
		if len(args) == 3 && args[1] == "-instance-conf" && strings.HasPrefix(args[0], world.out) {
			p := process{pid: pid}
			require.NoError(t, json.Unmarshal([]byte(args[2]), &p.conf))
			if p.conf.Name == name {
				return p
			}
		}
	}
	require.Fail(t, "no process runs the function", name)
	return process{}
}

// commandLines are those of all processes, by their id, as ps shows them to everybody.
func commandLines(t *testing.T) map[string][]string {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	found := map[string][]string{}
	for _, path := range paths {
		if raw, err := os.ReadFile(path); err == nil { // else it has ended
			found[filepath.Base(filepath.Dir(path))] = strings.Split(strings.TrimRight(string(raw), "\x00"), "\x00")
		}
	}
	return found
}

// narrowListeners asserts that the function listens for its worker alone: on the loopback address, and with its metrics on the host's own, too.
func narrowListeners(t *testing.T) {
	p := functionProcess(t, function)
	host, err := os.Hostname()
	require.NoError(t, err)
	own, err := net.DefaultResolver.LookupHost(t.Context(), host)
	require.NoError(t, err)
	ports := map[int][]string{}
	for _, at := range p.listening(t) {
		ports[at.Port] = append(ports[at.Port], at.IP.String())
	}
	require.Equal(t, []string{"127.0.0.1"}, ports[p.conf.Port], "the InstanceControl service, which asks nobody who he is")
	require.NotEmpty(t, ports[p.conf.MetricsPort])
	for _, at := range ports[p.conf.MetricsPort] {
		require.True(t, at == "127.0.0.1" || slices.Contains(own, at), "metrics on %s", at)
	}
	require.Len(t, ports, 2, "nothing else")
}

// listening are the addresses of the process's listening sockets.
func (p process) listening(t *testing.T) []net.TCPAddr {
	t.Helper()
	mine := map[string]bool{}
	links, err := filepath.Glob("/proc/" + p.pid + "/fd/*")
	require.NoError(t, err)
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil {
			mine[strings.TrimSuffix(strings.TrimPrefix(target, "socket:["), "]")] = true
		}
	}
	var found []net.TCPAddr
	for _, table := range []string{"tcp", "tcp6"} {
		file, err := os.Open("/proc/" + p.pid + "/net/" + table)
		require.NoError(t, err)
		for lines := bufio.NewScanner(file); lines.Scan(); {
			const address, state, inode = 1, 3, 9
			fields := strings.Fields(lines.Text())
			if fields[state] == "0A" && mine[fields[inode]] {
				found = append(found, socketAddress(t, fields[address]))
			}
		}
		require.NoError(t, file.Close())
	}
	return found
}

// socketAddress reads the kernel's form: words of four bytes, each in the machine's order, which here is the reverse.
func socketAddress(t *testing.T, text string) net.TCPAddr {
	t.Helper()
	host, port, _ := strings.Cut(text, ":")
	ip, err := hex.DecodeString(host)
	require.NoError(t, err)
	for word := range slices.Chunk(ip, 4) {
		slices.Reverse(word)
	}
	number, err := strconv.ParseUint(port, 16, 16)
	require.NoError(t, err)
	return net.TCPAddr{IP: ip, Port: int(number)}
}
