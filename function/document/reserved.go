package document

import "strings"

const reservedPrefix = "_rv_"

// The reserved metadata. A row's first record carries the row's commit mark (version, fingerprint, chunk count) and is written last;
// records of a table with chunks also say where in the row's text they stand. Later keys are added beside these: readers skip
// reserved keys that they do not know.
const (
	KeyLSN         = "_rv_lsn"    // int64: the row's version, its log position
	KeyCommitTime  = "_rv_ts"     // int64: the row's version, its commit time in milliseconds since 1970
	KeyEmitted     = "_rv_em"     // int64: the row's version, when the source emitted it, in milliseconds since 1970; 0: not known
	KeyTextLSN     = "_rv_tlsn"   // int64: the text's version, like KeyLSN
	KeyTextCommit  = "_rv_tts"    // int64: the text's version, like KeyCommitTime
	KeyTextEmitted = "_rv_tem"    // int64: the text's version, like KeyEmitted
	KeyColumns     = "_rv_cols"   // string: a hash of each column that the text was made of, see Columns
	KeyOpen        = "_rv_open"   // string: as of which version columns are known that are older than the row, see Open
	KeyDeleted     = "_rv_gone"   // int64: when the row was deleted, in milliseconds since 1970; on tombstones
	KeySweep       = "_rv_sweep"  // int64: the lease of who deletes the rows, as written last; on truncate marks
	KeyLeft        = "_rv_left"   // int64: the lease that was given back last; on truncate marks
	KeyFingerprint = "_rv_fp"     // string: see Document.Fingerprint
	KeyChunks      = "_rv_chunks" // int64: how many records the row has
	KeyRow         = "_rv_row"    // string: the row's id; on records of a table with chunks
	KeyChunk       = "_rv_chunk"  // int64: the chunk's index from 0; on records of a table with chunks
	KeyStart       = "_rv_start"  // int64: first byte of the chunk in the row's text; on records of a table with chunks
	KeyEnd         = "_rv_end"    // int64: one past the last byte; on records of a table with chunks
	KeyBy          = "_rv_by"     // int64: which write announced a row that was not there; on first records until they are committed
	KeyFullKey     = "_rv_key"    // string: the id before hashing; on records of rows whose id is a hash
	KeyProbe       = "_rv_probe"  // int64: when the probe was written, in milliseconds since 1970; on ProbeID alone
)

// ProbeID is the id of a record by which the function finds out whether a collection takes writes. It is there for a moment, or until the
// next start when a process dies in that moment. It is never the id of a row or of a truncate's mark (truncatePrefix).
const ProbeID = "%probe"

// placeKeys returns the reserved keys that only records of a table with chunks have.
func placeKeys() [4]string { return [...]string{KeyRow, KeyChunk, KeyStart, KeyEnd} }

// IsReserved reports whether a metadata key belongs to rowvec and not to the user.
func IsReserved(key string) bool { return strings.HasPrefix(key, reservedPrefix) }

// UserMetadata returns the user's part of a record's stored metadata: no reserved keys, no nulls. The result is never nil and shares
// no map with meta.
func UserMetadata(meta map[string]any) map[string]any {
	user := make(map[string]any, len(meta))
	for key, value := range meta {
		if value != nil && !IsReserved(key) {
			user[key] = value
		}
	}
	return user
}
