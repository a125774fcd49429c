// Command rowvec is the operator's command line; package cli has its commands.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/rowvec/rowvec/cli"
)

// version is set by the build.
var version = "development"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Run(ctx, os.Args[1:], version, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
