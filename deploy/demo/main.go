// Command demo shows rowvec from nothing to a working index, on the real stack: it brings the stack up, fills a table, deploys function and source with
// pulsar-admin, searches, changes rows, and checks that the collection equals the table. Run it from the project's root, by `make demo`, as often as you like.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait for the clean end
	code := run(ctx, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
