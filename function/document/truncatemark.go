package document

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/rowvec/rowvec/connector"
)

// truncatedPrefix begins the metadata keys of a truncate mark that tell a truncate's version.
const truncatedPrefix = reservedPrefix + "truncated_"

// TruncateMark is what a table's truncate mark tells.
//
// Each truncate has a metadata key of its own, and the newest counts. As the store merges metadata key by key, no write about one
// truncate can hide another, however late it comes; who removes a key has seen one of a newer truncate. So the newest never gets older.
// In the same way a lease is given back under a key of its own, by its name: that cannot touch a lease that somebody took since.
type TruncateMark struct {
	Newest connector.Version
	Over   bool                         // all that is older than the newest is gone
	Keys   map[string]connector.Version // of all truncates
	Lease  int64                        // as written last; 0: none
	Left   bool                         // it was given back
}

// TruncateKey returns the metadata key of a truncate. Its value is an int64: 1 while rows that are older may be there, 0 when they are gone.
func TruncateKey(v connector.Version) string {
	return fmt.Sprintf("%s%d_%d_%d", truncatedPrefix, int64(v.LSN), millis(v.CommitTime), millis(v.Emitted))
}

// ParseTruncateMark reads the metadata of a truncate mark. Its error is an *Error (poison, bad_state).
func ParseTruncateMark(meta map[string]any) (m TruncateMark, err error) {
	m.Keys = make(map[string]connector.Version)
	for _, key := range slices.Sorted(maps.Keys(meta)) {
		value := meta[key]
		if value == nil || !strings.HasPrefix(key, truncatedPrefix) {
			continue
		}
		v, ok := parseTruncateKey(key)
		open, err := integer(meta, key)
		if !ok || err != nil {
			return m, badState(key, "the version of a truncate, and 0 or 1", value)
		}
		if m.Keys[key] = v; len(m.Keys) == 1 || m.Newest.StaleAgainst(v) {
			m.Newest, m.Over = v, open == 0
		}
	}
	if len(m.Keys) == 0 {
		return m, badState(truncatedPrefix+"...", "the version of a truncate", nil)
	}
	left := int64(0)
	for key, to := range map[string]*int64{KeySweep: &m.Lease, KeyLeft: &left} {
		if meta[key] == nil {
			continue
		}
		if *to, err = integer(meta, key); err != nil {
			return m, err
		}
	}
	m.Left = left == m.Lease
	return m, nil
}

func parseTruncateKey(key string) (v connector.Version, ok bool) {
	parts := strings.Split(strings.TrimPrefix(key, truncatedPrefix), "_")
	if len(parts) != 3 {
		return v, false
	}
	var numbers [3]int64
	for i, part := range parts {
		var err error
		if numbers[i], err = strconv.ParseInt(part, 10, 64); err != nil {
			return v, false
		}
	}
	return connector.Version{LSN: uint64(numbers[0]), CommitTime: timeOf(numbers[1]), Emitted: timeOf(numbers[2])}, true
}
