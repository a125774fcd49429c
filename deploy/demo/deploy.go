package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

const startLimit = 2 * time.Minute // of a function or a source, on a busy machine

// deploy brings up the function and then the source: a topic that nobody has subscribed to discards what is published.
func (d *demo) deploy(ctx context.Context) error {
	if err := d.writeSettings(); err != nil {
		return err
	}
	d.screen.line("The two shipped YAML files, with this stack's addresses:")
	d.screen.table([][]string{{functionFile, "from deploy/function.yaml"}, {sourceFile, "from connector/postgres.yaml"}})
	if err := d.deployFunction(ctx); err != nil {
		return err
	}
	if err := d.deploySource(ctx); err != nil {
		return err
	}
	return d.startGateway(ctx)
}

// startGateway serves what was deployed.
func (d *demo) startGateway(ctx context.Context) error {
	function, err := os.ReadFile(functionFile)
	if err != nil {
		return fmt.Errorf("read the function's settings: %w", err)
	}
	if err := d.stack.StartGateway(ctx, searcher, function); err != nil {
		return advise(err, "look at %s", d.stack.Gateway.Log())
	}
	d.env = d.stack.Env()
	d.screen.line("The gateway (rowvec serve) answers searches; open it in a browser to watch what follows: %s", d.env.GatewayURL)
	return nil
}

// gatewaySearch asks the gateway, in a shell that has the stack's addresses.
const gatewaySearch = `curl -s "$GATEWAY_URL/v1/search?table=` + table + `&topK=3&q=a+boat+for+the+lake"`

// complaints are what function and source say of themselves in their status, as the end of an error.
func (d *demo) complaints(ctx context.Context) string {
	var all []string
	if s, err := d.pulsar.FunctionStatus(ctx, functionName); err == nil {
		for _, i := range s.Instances {
			if i.Status.Error != "" {
				all = append(all, "functions status says: "+i.Status.Error)
			}
		}
	}
	if s, err := d.pulsar.SourceStatus(ctx, sourceName); err == nil {
		for _, i := range s.Instances {
			if i.Status.Error != "" {
				all = append(all, "sources status says: "+i.Status.Error)
			}
		}
	}
	if len(all) == 0 {
		return ""
	}
	return "\n" + strings.Join(all, "\n")
}
