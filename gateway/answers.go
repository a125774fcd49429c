package gateway

import (
	"strconv"
	"time"

	"github.com/rowvec/rowvec/gateway/rowpath"
	"github.com/rowvec/rowvec/search"
)

// snippetRunes is how much of a hit's text its snippet shows.
const snippetRunes = 240

// Found is one row, or one chunk of a row, that answers a search.
type Found struct {
	ID       string         `json:"id" doc:"The row's id, as the other routes take it"`
	Table    string         `json:"table"`
	Key      []KeyColumn    `json:"key,omitempty" nullable:"false" doc:"The row's key, column by column; absent where the index holds a hash of it only"`
	Score    float64        `json:"score" doc:"More is nearer: 1 - distance for cosine and ip, 1 / (1 + distance) for l2"`
	Distance float64        `json:"distance"`
	Text     string         `json:"text" doc:"The chunk's text; a chunk is the whole row where the table is not cut into chunks"`
	Snippet  string         `json:"snippet" doc:"The text on one line, cut"`
	Chunk    Chunk          `json:"chunk"`
	Metadata map[string]any `json:"metadata"`
}

// KeyColumn is one column of a row's key.
type KeyColumn struct {
	Column string  `json:"column,omitempty" doc:"Absent for a primary key, whose columns the configuration does not name"`
	Value  *string `json:"value" doc:"As text; null: null"`
}

// Chunk is a piece of a row's text.
type Chunk struct {
	Index  int       `json:"index" doc:"From 0"`
	Count  int       `json:"count" doc:"How many chunks the row has"`
	Start  int       `json:"start" doc:"Byte of the row's UTF-8 text where the chunk starts"`
	End    int       `json:"end" doc:"One past its last byte"`
	Vector []float32 `json:"vector,omitempty"`
}

// Version is what change of the row the index holds.
type Version struct {
	LSN        string     `json:"lsn" doc:"Position in the write-ahead log, a whole number as text: it may exceed 2^53"`
	CommitTime *time.Time `json:"commitTime,omitempty"`
}

// Took is what a search waited for, in milliseconds.
type Took struct {
	Embed  float64 `json:"embed" doc:"For the query's vector; about 0 when it was cached"`
	Index  float64 `json:"index" doc:"For Chroma"`
	Total  float64 `json:"total"`
	Cached bool    `json:"cached" doc:"The query's vector was at hand"`
}

// Answer is what a search found, best first.
type Answer struct {
	Table      string   `json:"table,omitempty" doc:"Absent where several tables of a collection were searched"`
	Skipped    []string `json:"skipped,omitempty" nullable:"false" doc:"Tables of the collection that were left out, as they lack a column of where"`
	Collection string   `json:"collection"`
	Query      string   `json:"query"`
	TookMs     Took     `json:"tookMs"`
	Partial    bool     `json:"partial" doc:"There may be more: so few records match that the search gave up"`
	Rows       []Found  `json:"rows" nullable:"false"`
}

// Neighbours are the rows nearest to a stored one.
type Neighbours struct {
	Table   string  `json:"table"`
	ID      string  `json:"id"`
	Partial bool    `json:"partial"`
	Rows    []Found `json:"rows" nullable:"false"`
}

// Row is a row as the index holds it.
type Row struct {
	Table    string         `json:"table"`
	ID       string         `json:"id"`
	Key      []KeyColumn    `json:"key,omitempty" nullable:"false"`
	Text     string         `json:"text"`
	Metadata map[string]any `json:"metadata"`
	Version  *Version       `json:"version,omitempty"`
	Model    string         `json:"model,omitempty" doc:"With the vectors: the embedding model that they are of, where the collection tells it"`
	Chunks   []Chunk        `json:"chunks" nullable:"false"`
}

// Features is a row as a feature store gives it: the vector and the metadata of an entity.
type Features struct {
	Entity     string         `json:"entity"`
	Table      string         `json:"table"`
	ID         string         `json:"id"`
	Model      string         `json:"model" doc:"The embedding model that the vector is of; empty where the collection does not tell it"`
	Dimensions int            `json:"dimensions"`
	Vector     []float32      `json:"vector" nullable:"false" doc:"Of several chunks their mean"`
	Metadata   map[string]any `json:"metadata"`
	Version    *Version       `json:"version,omitempty"`
}

func founds(hits []search.Hit, contains string) []Found {
	rows := make([]Found, len(hits))
	for i, h := range hits {
		rows[i] = Found{
			ID: rowpath.Of(h.Row), Table: h.Table, Key: keyOf(h.Key), Score: h.Score, Distance: h.Distance, Text: h.Text,
			Snippet: search.Snippet(h.Text, contains, snippetRunes),
			Chunk:   Chunk{Index: h.Chunk, Count: h.Chunks, Start: h.Start, End: h.End}, Metadata: h.Metadata,
		}
	}
	return rows
}

func keyOf(columns []search.KeyColumn) []KeyColumn {
	key := make([]KeyColumn, len(columns))
	for i, c := range columns {
		key[i] = KeyColumn(c)
	}
	return key
}

func versionOf(v *search.Version) *Version {
	if v == nil {
		return nil
	}
	out := &Version{LSN: strconv.FormatUint(v.LSN, 10)}
	if !v.CommitTime.IsZero() {
		out.CommitTime = &v.CommitTime
	}
	return out
}

func rowOf(r *search.Row) *Row {
	out := &Row{
		Table: r.Table, ID: rowpath.Of(r.ID), Key: keyOf(r.Key), Text: r.Text, Metadata: r.Metadata, Version: versionOf(r.Version), Chunks: make([]Chunk, len(r.Chunks)),
	}
	for i, c := range r.Chunks {
		out.Chunks[i] = Chunk{Index: i, Count: len(r.Chunks), Start: c.Start, End: c.End, Vector: c.Vector}
	}
	return out
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1_000 }
