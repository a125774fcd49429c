package connector

import _ "embed" // for the files beside this one

//go:embed postgres.yaml
var postgresYAML []byte

//go:embed debezium-server.properties
var serverProperties []byte

//go:embed setup.sql
var setupSQL string

// PostgresYAML returns the companion source's configuration, a template for `pulsar-admin sources create --source-config-file`:
// host, port, user, password, database and table list are to be edited. The copy is the caller's.
func PostgresYAML() []byte { return append([]byte(nil), postgresYAML...) }

// ServerProperties returns the configuration of Debezium Server, the other source: its application.properties, a template like
// PostgresYAML. The copy is the caller's.
func ServerProperties() []byte { return append([]byte(nil), serverProperties...) }

// SetupSQL returns the psql script that prepares a database for the companion source. It needs psql: it uses its variables.
func SetupSQL() string { return setupSQL }
