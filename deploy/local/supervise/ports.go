package supervise

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports below Linux's ephemeral range (32768 and up): a port that is free while its server is down must not be taken by somebody's outgoing
// connection, or by the ports that the functions worker draws for its instances, before the server is back.
const firstPort, lastPort = 15000, 32000

// Ports finds n different TCP ports of the loopback address that nobody listens on. They are not reserved: listen soon.
func Ports(ctx context.Context, n int) ([]int, error) {
	found := make([]int, 0, n)
	var config net.ListenConfig
	for range 1000 {
		if len(found) == n {
			return found, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		port := firstPort + rand.IntN(lastPort-firstPort) //nolint:gosec // no secret, only spread
		l, err := config.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		defer func() { _ = l.Close() }() // held until all are found, so that they differ
		found = append(found, port)
	}
	return nil, fmt.Errorf("no %d free ports between %d and %d", n, firstPort, lastPort)
}
