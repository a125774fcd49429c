// Command rowvec-function is what a Pulsar functions worker starts, with -instance-conf and one JSON argument.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/rowvec/rowvec/function"
)

// version is set by the build.
var version = "development"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := function.Run(ctx, os.Args[1:], os.Getenv, version, os.Stderr)
	stop()
	os.Exit(code)
}
