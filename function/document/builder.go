package document

import (
	"bytes"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/rowvec/rowvec/connector"
)

// Builder makes documents of one table's changes. It is safe for concurrent use.
type Builder struct {
	spec    Spec
	tmpl    *rowTemplate
	chunker *Chunker // nil: one record per row
	fields  []string
	buffers sync.Pool // of *bytes.Buffer

	proven atomic.Bool  // the template has rendered a row
	failed atomic.Int64 // rows on which it failed before it was proven
}

// maxUnproven is how many rows a template may fail on before it has rendered any. Beyond it the template is at fault, not the rows.
const maxUnproven = 10

// maxPooled keeps a rare huge text from holding its memory for ever.
const maxPooled = 1 << 20

// NewBuilder checks the settings and parses the template. Its error joins an *Error for each fault, naming the setting.
func NewBuilder(spec Spec) (*Builder, error) {
	tmpl, err := parseTemplate(&spec)
	if err = errors.Join(err, spec.validate()); err != nil {
		return nil, err
	}
	b := &Builder{spec: spec, tmpl: tmpl}
	b.buffers.New = func() any { return new(bytes.Buffer) }
	for _, f := range spec.Metadata {
		b.fields = append(b.fields, f.name())
	}
	if spec.Chunk != nil {
		b.chunker = NewChunker(*spec.Chunk, spec.Tokenizer)
	}
	return b, nil
}

// Columns returns the columns that the text template names, sorted.
func (b *Builder) Columns() []string { return slices.Clone(b.tmpl.columns) }

// Build makes the document of an insert, update or read. Errors are *Error: halt when the template names a column that the row does
// not have or the table has no key; poison when this row cannot become a document.
func (b *Builder) Build(c *connector.Change) (*Document, error) {
	id, full, err := b.id(c)
	if err != nil {
		return nil, err
	}
	if c.After == nil {
		return nil, b.noRow(c, id)
	}
	buf := b.buffer()
	defer b.release(buf)
	rowText, err := b.render(buf, c, id)
	if err != nil {
		return nil, err
	}
	doc := &Document{ID: id, fullKey: full, fields: b.fields, chunked: b.chunker != nil}
	doc.Metadata, doc.Keep = b.metadata(c.After)
	if doc.Empty = rowText == "" && !b.spec.KeepEmpty; doc.Empty {
		return doc, nil
	}
	doc.Chunks = b.chunks(id, rowText)
	doc.Fingerprint = fingerprint(buf, b.spec.Identity, rowText, doc.Chunks)
	return doc, nil
}

// render executes the template, once it is sure that the row has all that the text needs.
func (b *Builder) render(buf *bytes.Buffer, c *connector.Change, id string) (string, error) {
	for _, column := range b.tmpl.columns {
		value, has := c.After[column]
		if !has {
			return "", b.missing(c, id, column)
		}
		if _, gone := value.(connector.Unavailable); gone {
			return "", b.unavailable(c, id, column, b.spec.setting("text"))
		}
	}
	if b.tmpl.whole {
		if column, gone := firstUnavailable(c.After); gone {
			return "", b.unavailable(c, id, column, b.spec.setting("text"))
		}
	}
	if err := b.tmpl.execute(buf, c.After); err != nil {
		return "", b.templateFailed(c, id, err)
	}
	if !b.proven.Load() {
		b.proven.Store(true)
	}
	return string(clean(buf.Bytes())), nil
}

// firstUnavailable returns the first such column by name, so that the error is the same every time.
func firstUnavailable(row connector.Row) (string, bool) {
	first, found := "", false
	for column, value := range row {
		if _, gone := value.(connector.Unavailable); gone && (!found || column < first) {
			first, found = column, true
		}
	}
	return first, found
}

func (b *Builder) chunks(id, rowText string) []Chunk {
	if b.chunker == nil {
		return []Chunk{{ID: id, Text: rowText, End: len(rowText)}}
	}
	spans := b.chunker.Split(rowText)
	chunks := make([]Chunk, len(spans))
	for i, s := range spans {
		chunks[i] = Chunk{ID: chunkID(id, i), Text: rowText[s.Start:s.End], Index: i, Start: s.Start, End: s.End}
	}
	return chunks
}

func (b *Builder) buffer() *bytes.Buffer {
	buf, ok := b.buffers.Get().(*bytes.Buffer)
	if !ok {
		return new(bytes.Buffer)
	}
	buf.Reset()
	return buf
}

func (b *Builder) release(buf *bytes.Buffer) {
	if buf.Cap() <= maxPooled {
		b.buffers.Put(buf)
	}
}
