package document

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"

	"github.com/rowvec/rowvec/connector"
)

// truncatePrefix begins the ids of truncate marks. No row's id begins like this: in those a "%" is followed by hex digits in capitals,
// or by "empty" or "null".
const truncatePrefix = "%truncate/"

// TruncateID returns the id under which the newest truncate of a table ("schema.table") is remembered, beside the tombstones of its
// rows. It is never the id of a row, nor of another table.
func TruncateID(table string) string {
	id := string(appendEncoded([]byte(truncatePrefix), table, true))
	if len(id) <= maxIDBytes {
		return id
	}
	sum := sha256.Sum256([]byte(table))
	return truncatePrefix + hashPrefix + base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:])
}

// Owns reports whether a first record, by its id and metadata as the store gives them, is of a row of that table. Without
// Spec.PrefixIDs the builder's table has the collection for itself.
func (b *Builder) Owns(t connector.Table, id string, meta map[string]any) bool {
	if !b.spec.PrefixIDs {
		return true
	}
	if strings.HasPrefix(id, hashPrefix) {
		id, _ = meta[KeyFullKey].(string)
	}
	return strings.HasPrefix(id, string(appendPrefix(nil, t)))
}
