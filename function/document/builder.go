package document

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/rowvec/rowvec/connector"
)

// Builder makes documents of one table's changes. It is safe for concurrent use.
type Builder struct {
	spec    Spec
	tmpl    *rowTemplate
	chunker *Chunker // nil: one record per row
	limit   *limit   // of a text that is not cut into chunks; nil: none
	fields  []string
	buffers sync.Pool // of *bytes.Buffer

	proof proof
}

// maxPooled keeps a rare huge text from holding its memory for ever.
const maxPooled = 1 << 20

// NewBuilder checks the settings and parses the template. Its error joins an *Error for each fault, naming the setting.
func NewBuilder(spec Spec) (*Builder, error) {
	tmpl, err := parseTemplate(&spec)
	if err = errors.Join(err, spec.validate()); err != nil {
		return nil, err
	}
	b := &Builder{spec: spec, tmpl: tmpl, limit: spec.limit()}
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

// Uses reports whether a document depends on a column of the row.
func (b *Builder) Uses(column string) bool {
	return b.tmpl.whole || slices.Contains(b.tmpl.columns, column) || slices.Contains(b.spec.Key, column) ||
		slices.ContainsFunc(b.spec.Metadata, func(f Field) bool { return f.Column == column })
}

// Build makes the document of an insert, update or read. Errors are *Error: halt when the template names a column that the row does
// not have or the table has no key; poison when this row cannot become a document, because a column of its text is missing, say.
func (b *Builder) Build(c *connector.Change) (*Document, error) {
	doc, err := b.Draft(c)
	if err != nil {
		return nil, err
	}
	return doc, b.Complete(c, doc)
}

// Complete returns why a draft is not a whole document: the change does not carry a column of the text. Nil if it is one.
func (b *Builder) Complete(c *connector.Change, doc *Document) error {
	if len(doc.Missing) == 0 {
		return nil
	}
	return b.unavailable(c, doc.ID, doc.Missing[0], b.spec.setting("text"))
}

// Draft is Build for a change that may lack columns of the text: then the document has Missing, and no text.
func (b *Builder) Draft(c *connector.Change) (*Document, error) { return b.DraftRow(c, c.After) }

// DraftRow is Draft of a row that was put together from several changes of it, one of which is c.
func (b *Builder) DraftRow(c *connector.Change, row connector.Row) (*Document, error) {
	id, full, err := b.id(c)
	if err != nil {
		return nil, err
	}
	if row == nil {
		return nil, b.noRow(c, id)
	}
	doc := &Document{ID: id, fullKey: full, fields: b.fields, chunked: b.chunker != nil}
	b.metadata(doc, row)
	if doc.columns, doc.Missing, err = b.textColumns(row, id); err != nil {
		return nil, err
	}
	if len(doc.Missing) > 0 {
		return doc, nil
	}
	buf := b.buffer()
	defer b.release(buf)
	if err = b.tmpl.execute(buf, row); err != nil {
		return nil, b.templateFailed(c, id, err)
	}
	b.proof.rendered()
	rowText := string(clean(buf.Bytes()))
	if doc.Empty = rowText == "" && !b.spec.KeepEmpty; doc.Empty {
		return doc, nil
	}
	if rowText, doc.Truncated, err = b.fit(id, rowText); err != nil {
		return nil, err
	}
	doc.Chunks = b.chunks(id, rowText)
	doc.Fingerprint = fingerprint(buf, b.spec.Identity, rowText, doc.Chunks)
	return doc, nil
}

// textColumns hashes the columns that the text is made of and lists those that the change does not carry, sorted. A template over the
// whole row is made of them all.
func (b *Builder) textColumns(row connector.Row, id string) (columns Columns, missing []string, err error) {
	names := b.tmpl.columns
	for _, name := range names {
		if _, has := row[name]; !has {
			return nil, nil, b.missing(row, id, name)
		}
	}
	if b.tmpl.whole {
		names = slices.Sorted(maps.Keys(row))
	}
	columns = make(Columns, len(names))
	for _, name := range names {
		if _, gone := row[name].(connector.Unavailable); gone {
			missing = append(missing, name)
		} else {
			columns[name] = Column{Hash: hashOf(row[name])}
		}
	}
	return columns, missing, nil
}

// fit returns a text that the endpoint takes: the whole, or its beginning if the settings want that.
func (b *Builder) fit(id, rowText string) (fitting string, truncated bool, err error) {
	head, over := b.limit.exceeded(rowText)
	switch {
	case !over:
		return rowText, false, nil
	case !b.spec.Truncate:
		return "", false, b.tooLong(id, head)
	default:
		return b.limit.truncate(head), true, nil
	}
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
