package document

import (
	"slices"

	"github.com/rowvec/rowvec/connector"
)

// Document is what one row becomes in the index.
type Document struct {
	ID          string
	Chunks      []Chunk        // at least one, unless Empty or Missing
	Metadata    map[string]any // the user's metadata, in Chroma's types: string, int64, float64, bool and slices of these
	Keep        []string       // metadata keys whose column was unavailable: the stored value stays
	Fingerprint string         // 128 bits in hex over all that the vectors depend on: identity, text, chunk bounds
	Empty       bool           // the row has no text: it does not belong in the index
	Missing     []string       // columns of the text that the change does not carry, sorted; then there is no text
	Dropped     int            // metadata values that the index cannot hold: NaN and infinities
	Truncated   bool           // the text is the beginning of the row's, which has more tokens than the endpoint takes
	Lost        []string       // metadata keys whose value nobody knows (Forget)

	keepColumns []string // the columns of Keep
	columns     Columns  // of the text, as far as the change carries them
	open        Open     // columns that are known as of an older version than the row's
	chunked     bool     // the table asks for chunks: records say where they stand
	fullKey     string   // the id before hashing; empty when the id is not a hash
	fields      []string // every metadata key that the table's settings can write
}

// Chunk is one piece of a row's text and the record it is stored as.
type Chunk struct {
	ID    string
	Text  string // text[Start:End] of the row's text
	Index int    // from 0
	Start int    // byte offset into the row's text
	End   int    // byte offset, one past the last
}

// Record is one record of the index, without its vector. A nil metadata value removes the key from the stored record.
type Record struct {
	ID       string
	Document string
	Metadata map[string]any
}

// Records returns all of the row's records in the order of the chunks, with the user's and the reserved metadata. The first carries
// the row's commit mark and has to be written last. stored is what the index holds, or nil: its user keys that the row no longer has
// are sent as nil, because the store merges metadata (design §4); keys in Keep are not sent at all.
//
// Every metadata key that the table can have and the row has not is sent as nil as well. Later chunks may have been written by a
// change that never committed, with keys that stored does not tell; and Chroma 1.5.9 was seen to show a new record list values that
// another collection, since deleted, had under the same key.
//
// A document with Missing columns whose text is the stored one (TextUnchanged) gives metadata for all of the stored records, and no
// texts.
func (d *Document) Records(v connector.Version, stored *State) []Record {
	if len(d.Missing) > 0 {
		return d.refreshed(v, stored)
	}
	if d.Empty {
		return nil
	}
	records := make([]Record, len(d.Chunks))
	for i, chunk := range d.Chunks {
		meta := d.metadataOf(stored)
		d.reserve(meta, chunk, v, stored)
		records[i] = Record{ID: chunk.ID, Document: chunk.Text, Metadata: meta}
	}
	return records
}

// refreshed gives the stored records the row's metadata and version, and leaves the text.
func (d *Document) refreshed(v connector.Version, stored *State) []Record {
	ids := ChunkIDs(d.ID, 0, stored.Chunks)
	records := make([]Record, len(ids))
	for i, id := range ids {
		records[i] = Record{ID: id, Metadata: d.metadataOf(stored)}
	}
	mark := *stored
	mark.Version, mark.Open = v, d.open
	mark.Columns, mark.TextVersion = d.open.marked(stored.Columns, v)
	mark.write(records[0].Metadata)
	return records
}

// metadataOf is the user's metadata of one record, with nil for the keys that must go. What the source did not send stays as stored,
// and goes to records that are new.
func (d *Document) metadataOf(stored *State) map[string]any {
	meta := make(map[string]any, len(d.Metadata)+len(d.fields)+12)
	d.clearKeys(meta, d.fields)
	if stored != nil {
		d.clearKeys(meta, stored.Keys)
		for _, key := range d.Keep {
			if value, has := stored.Metadata[key]; has {
				meta[key] = value
			}
		}
	}
	for key, value := range d.Metadata {
		meta[key] = value
	}
	return meta
}

func (d *Document) clearKeys(meta map[string]any, keys []string) {
	for _, key := range keys {
		if _, has := d.Metadata[key]; !has && !slices.Contains(d.Keep, key) {
			meta[key] = nil
		}
	}
}

// reserve sets the reserved keys of one record.
func (d *Document) reserve(meta map[string]any, chunk Chunk, v connector.Version, stored *State) {
	if chunk.Index == 0 {
		mark := State{Version: v, Fingerprint: d.Fingerprint, Chunks: len(d.Chunks), Open: d.open, opened: stored != nil && stored.opened}
		mark.Columns, mark.TextVersion = d.open.marked(d.columns, v)
		mark.write(meta)
	}
	if d.fullKey != "" {
		meta[KeyFullKey] = d.fullKey
	}
	if d.chunked || len(d.Chunks) > 1 {
		meta[KeyRow] = d.ID
		meta[KeyChunk] = int64(chunk.Index)
		meta[KeyStart] = int64(chunk.Start)
		meta[KeyEnd] = int64(chunk.End)
	} else if stored != nil && stored.placed {
		for _, key := range placeKeys() {
			meta[key] = nil
		}
	}
}
