package main

import "context"

// report shows what an operator sees.
func (d *demo) report(ctx context.Context) error {
	for _, what := range []string{"status", "stats"} {
		if err := d.pulsarAdmin(ctx, "functions", what, "--name", functionName); err != nil {
			return err
		}
	}
	return nil
}

// farewell says what can be done now.
func (d *demo) farewell(context.Context) error {
	d.screen.line("The stack runs on. In a shell, from this folder:")
	for _, part := range []struct{ what, command string }{
		{"load the addresses", ". " + stackDir + "/stack.env"},
		{"change a row", `psql "$POSTGRES_URL" -c "UPDATE ` + table + ` SET title = 'Inflatable canoe', body = 'Two seats; rolls up into a bag.' WHERE id = 7"`},
		{"search", shellLine(append([]string{searcher}, searchArgs("a boat for the lake")...)...)},
		{"ask the gateway, whose page is at " + d.env.GatewayURL, gatewaySearch},
		{"look at function and source", `"$PULSAR_ADMIN" functions status --name ` + functionName + "\n" +
			`"$PULSAR_ADMIN" functions stats --name ` + functionName + "\n" +
			`"$PULSAR_ADMIN" sources status --name ` + sourceName},
		{"change a setting: edit the file, then", `"$PULSAR_ADMIN" functions update --function-config-file "$PWD/` + functionFile + `"`},
		{"read the logs: function and Pulsar, source, the others", d.stack.Pulsar.Log() + "\n" + d.sourceLog() + "\n" + d.absolute(stackDir) + "/logs/"},
		{"end it; with its data", "make down\ngo run ./deploy/local down --wipe"},
	} {
		d.screen.line("\n%s", part.what)
		d.screen.output(d.screen.style(cyan, part.command))
	}
	return nil
}
