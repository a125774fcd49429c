// Package e2e holds the end-to-end tests: they deploy rowvec with pulsar-admin on a real Pulsar, fed by the real Debezium source from
// a real Postgres, with a real embedding model and a real Chroma. Run them with `make test-e2e`; they stand behind the build tag e2e
// because they start all of that.
package e2e
