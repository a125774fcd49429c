// Package indexer turns changes of rows into writes of a vector index: it batches what waits, plans, embeds, writes and tells each
// record's outcome. It knows nothing of Pulsar; the endpoint and the index are behind the interfaces in ports.go.
package indexer
