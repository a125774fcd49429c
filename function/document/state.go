package document

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/rowvec/rowvec/connector"
)

// State is what the index holds of a row, read from its first record.
type State struct {
	Version     connector.Version
	TextVersion connector.Version // the oldest version as of which a column of the text is known
	Fingerprint string
	Chunks      int      // records that the row has
	Columns     Columns  // what the text was made of; nil: not known
	Open        Open     // columns of text and metadata that are known as of an older version than the row's
	Keys        []string // stored user metadata keys, sorted

	By       int64          // tells announcements of a new row apart; 0: the record is none
	Metadata map[string]any // stored user metadata; never nil

	opened bool // the record has KeyOpen, which must be removed when nothing is open any more
	placed bool // the record has placeKeys, which a table that no longer asks for chunks must remove
}

// ParseState reads the metadata of a row's first record as the store gives it; integers may come as float64 or json.Number.
//
// A record without KeyLSN was not written by rowvec: its State has the zero version and no fingerprint, so that any change is newer
// and has its text embedded, and the Keys of the foreign record, so that they are removed. It is thus overwritten.
//
// A record whose mark is damaged gives an *Error (poison, bad_state) beside a State with its Keys: to overwrite it would be to give
// up the fence silently.
func ParseState(meta map[string]any) (State, error) {
	s := State{Metadata: UserMetadata(meta)}
	s.Keys = slices.Sorted(maps.Keys(s.Metadata))
	if meta[KeyLSN] == nil {
		return s, nil
	}
	mark, err := parseMark(meta)
	if err != nil {
		return s, err
	}
	mark.Keys, mark.Metadata = s.Keys, s.Metadata
	mark.By, _ = integer(meta, KeyBy) // no part of the mark: what cannot be read says nothing
	mark.placed, mark.opened = meta[KeyRow] != nil, meta[KeyOpen] != nil
	return mark, nil
}

// write puts the commit mark into the metadata of a first record.
func (s *State) write(meta map[string]any) {
	rowVersion().write(meta, s.Version)
	textVersion().write(meta, s.TextVersion)
	meta[KeyFingerprint] = s.Fingerprint
	meta[KeyChunks] = int64(s.Chunks)
	meta[KeyColumns] = s.Columns.encode()
	if open := s.Open.encode(); open != nil || s.opened {
		meta[KeyOpen] = open
	}
}

func parseMark(meta map[string]any) (State, error) {
	version, err := rowVersion().read(meta)
	if err != nil {
		return State{}, err
	}
	text := version
	if meta[KeyTextLSN] != nil {
		if text, err = textVersion().read(meta); err != nil {
			return State{}, err
		}
	}
	columns, err := decodeColumns(meta[KeyColumns])
	if err != nil {
		return State{}, err
	}
	open, err := decodeOpen(meta[KeyOpen])
	if err != nil {
		return State{}, err
	}
	chunks, err := integer(meta, KeyChunks)
	if err != nil {
		return State{}, err
	}
	fingerprint, ok := meta[KeyFingerprint].(string)
	if !ok {
		return State{}, badState(KeyFingerprint, "text", meta[KeyFingerprint])
	}
	if chunks < 1 || chunks > math.MaxInt32 {
		return State{}, badState(KeyChunks, "a count from 1 on", chunks)
	}
	return State{Version: version, TextVersion: text, Fingerprint: fingerprint, Chunks: int(chunks), Columns: columns, Open: open}, nil
}

// integer reads a whole number in any of the types that a JSON decoder may have given it.
func integer(meta map[string]any, key string) (int64, error) {
	switch v := meta[key].(type) {
	case int64:
		return v, nil
	case int:
		return int64(v), nil
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<63 {
			return int64(v), nil
		}
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n, nil
		}
		if f, err := v.Float64(); err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<63 {
			return int64(f), nil
		}
	}
	return 0, badState(key, "a whole number", meta[key])
}

func badState(key, want string, found any) error {
	return &Error{
		class: classPoison, reason: ReasonBadState,
		msg: fmt.Sprintf("stored metadata %s: expected %s, found %v; delete the record and send the row again", key, want, found),
	}
}
