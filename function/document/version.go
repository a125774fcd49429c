package document

import (
	"time"

	"github.com/rowvec/rowvec/connector"
)

// versionKeys are the metadata keys of a version's parts.
type versionKeys struct{ lsn, commit, emitted string }

func rowVersion() versionKeys  { return versionKeys{KeyLSN, KeyCommitTime, KeyEmitted} }
func textVersion() versionKeys { return versionKeys{KeyTextLSN, KeyTextCommit, KeyTextEmitted} }

// SetVersion writes a row's version to the metadata of a first record or of a tombstone.
func SetVersion(meta map[string]any, v connector.Version) { rowVersion().write(meta, v) }

// SetTextVersion writes the text's version to the metadata of a first record.
func SetTextVersion(meta map[string]any, v connector.Version) { textVersion().write(meta, v) }

// ParseVersion reads the version of a tombstone. Its error is an *Error (poison, bad_state).
func ParseVersion(meta map[string]any) (connector.Version, error) { return rowVersion().read(meta) }

func (k versionKeys) write(meta map[string]any, v connector.Version) {
	meta[k.lsn] = int64(v.LSN)
	meta[k.commit] = millis(v.CommitTime)
	meta[k.emitted] = millis(v.Emitted)
}

// read takes a version from stored metadata. A mark without the time of emission is one that did not know it.
func (k versionKeys) read(meta map[string]any) (connector.Version, error) {
	lsn, err := integer(meta, k.lsn)
	if err != nil {
		return connector.Version{}, err
	}
	v := connector.Version{LSN: uint64(lsn)}
	if v.CommitTime, err = instant(meta, k.commit); err != nil || meta[k.emitted] == nil {
		return v, err
	}
	v.Emitted, err = instant(meta, k.emitted)
	return v, err
}

// millis keeps the zero time, which says that a time is not known, as zero.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func instant(meta map[string]any, key string) (time.Time, error) {
	ms, err := integer(meta, key)
	if err != nil || ms == 0 {
		return time.Time{}, err
	}
	return time.UnixMilli(ms).UTC(), nil
}
