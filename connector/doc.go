// Package connector is the source side of rowvec: the companion configuration of Pulsar's Debezium source (postgres.yaml,
// setup.sql) and the decoder of what that source emits. It knows nothing of Pulsar's client, of embeddings or of Chroma.
package connector
