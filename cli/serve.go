package cli

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/gateway/access"
)

type serveOptions struct {
	file    string
	listen  string
	version string
}

func newServe(version string) *cobra.Command {
	o := serveOptions{version: version}
	c := &cobra.Command{
		Use:   "serve [flags]",
		Short: "Answer searches over HTTP and show the index live",
		Long: `Serve the HTTP API and the page at /, from the same function.yaml as the function: searches by meaning, stored rows, features, the
state of the index, and a stream of its changes. /openapi.json describes the API.

Without userConfig.gateway.tokens it listens on a loopback address only. The live view needs output and userConfig.pulsar (adminURL,
serviceURL); coverage needs userConfig.postgres.url. Ends at SIGINT or SIGTERM, when the requests under way are answered.`,
		Example: `  rowvec serve -f function.yaml
  rowvec serve -f function.yaml --listen 127.0.0.1:0`,
		Args: args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			return serve(c.Context(), &o, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	fileFlag(c, &o.file)
	c.Flags().StringVar(&o.listen, "listen", "", "host:port instead of userConfig.gateway.listen; port 0 takes a free one")
	return c
}

// garbagePercent is how far the heap of a gateway grows between two collections. It is small, so that Go's 100 collects each second at 200
// searches in it: on two cores that was seen in the slowest hundredth, 7 to 9 ms in place of 3.5.
const garbagePercent = 400

// collectLess sets it, unless the environment says otherwise, and returns what takes it back.
func collectLess() (restore func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	before := debug.SetGCPercent(garbagePercent)
	return func() { debug.SetGCPercent(before) }
}

// serve prints the address on stdout, once it is there, and logs to stderr.
func serve(ctx context.Context, o *serveOptions, stdout, stderr io.Writer) error {
	f, err := config.Load(o.file)
	if err != nil {
		return err
	}
	if o.listen != "" {
		f.Config.Gateway.Listen = o.listen
	}
	keeper, err := access.New(f.Config.Gateway, f.Secret)
	if err != nil {
		return err
	}
	if err := checkTLS(f.Config.Gateway.TLS); err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(stderr, nil)).With("program", "rowvec serve")
	defer collectLess()()
	s, err := newServer(f, keeper, o.version, log)
	if err != nil {
		return err
	}
	defer s.close()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.Config.Gateway.Listen)
	if err != nil {
		return fmt.Errorf("userConfig.gateway.listen: %w", err)
	}
	fmt.Fprintln(stdout, address(f.Config.Gateway, listener))
	if keeper.Open() {
		log.WarnContext(ctx, "no tokens are configured: whoever reaches this loopback address may read the rows", "listen", listener.Addr().String())
	}
	if host, _, err := net.SplitHostPort(f.Config.Gateway.Listen); err == nil && !config.Loopback(host) && f.Config.Gateway.TLS.Cert == "" {
		log.WarnContext(ctx, "tokens and rows cross the network in the clear: set userConfig.gateway.tls, unless something in front speaks TLS", "listen", listener.Addr().String())
	}
	return s.run(ctx, listener)
}

// checkTLS finds files that cannot be used before anything listens.
func checkTLS(files config.TLSFiles) error {
	if files.Cert == "" {
		return nil
	}
	if _, err := tls.LoadX509KeyPair(files.Cert, files.Key); err != nil {
		return fmt.Errorf("userConfig.gateway.tls: expected a certificate and its key, as PEM files: %w", err)
	}
	return nil
}

func address(g config.Gateway, l net.Listener) string {
	scheme := "http"
	if g.TLS.Cert != "" {
		scheme = "https"
	}
	return scheme + "://" + l.Addr().String()
}
