// Package verify compares a Postgres table with its collection in the vector index and mends the differences.
//
// A comparison is two passes in bounded memory: over the table's rows, page by page in key order, which finds what the index lacks or
// has wrong; and over the index's record ids, which finds what the table does not have. Chroma lists records in the order of their
// insertion only, so the two are not merged: the first pass remembers a hash of each record that it expects (expected.go), up to a bound,
// and the second looks up only the ids that it does not know. Rows go through the very document.Builder that
// the function uses, as the change that the source would have sent (wire.go), so that id, text, metadata, chunks and fingerprint are
// what the function would write. What differs is a suspect only: it is compared again, with a fresh row, after the time that a change
// needs to arrive (settle.go). What is left is counted, shown, and on demand mended through the same indexer (repair.go).
//
// Postgres is behind Source, the index behind Index, the indexer behind Applier.
package verify
