// Package document says what a row means in the index: its id, its text cut into chunks, its metadata and the fingerprint of what a
// vector depends on. It also owns the reserved metadata (_rv_*) that a row's records carry. It is pure: no I/O, no goroutines, and
// equal changes give equal documents in every process (design §4, §5).
package document
