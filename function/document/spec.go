package document

import (
	"errors"
	"fmt"
	"strings"
)

// Field is one metadata column and the name it is stored under.
type Field struct {
	Column string
	As     string // empty: the column's own name
}

// name is the metadata key that the field is stored under.
func (f Field) name() string {
	if f.As != "" {
		return f.As
	}
	return f.Column
}

// ChunkSpec asks for a row's text to be cut into pieces of at most Tokens tokens, neighbours sharing up to Overlap tokens.
type ChunkSpec struct {
	Tokens  int // at least 4: the most that one character may count as
	Overlap int // 0 <= Overlap < Tokens
}

// Spec is what the configuration says about one table (design §6, userConfig.tables.<schema.table>).
type Spec struct {
	Table     string     // "schema.table", as the settings name it
	Text      string     // text/template over the row
	Metadata  []Field    // columns stored beside the vector
	Key       []string   // the row's key columns, for a table without a primary key
	Chunk     *ChunkSpec // nil: one record per row
	KeepEmpty bool       // rows whose text is empty stay in the index (emptyText: keep)
	PrefixIDs bool       // several tables share the collection: ids start with the table's name
	Identity  string     // model, dimensions, prefix: what else a vector depends on
	Tokenizer Tokenizer  // counts tokens for Chunk and MaxTokens; nil: Estimate
	Prefix    string     // what the endpoint gets before every text; not part of the document
	MaxTokens int        // that a text may have, Prefix included; 0: no limit
	Truncate  bool       // without Chunk: a text over MaxTokens is cut there (overflow: truncate); else it is poison
}

// minTokens is the smallest chunk: Estimate counts no single character as more.
const minTokens = 4

// setting is the full name of one of the table's settings, as error messages give it.
func (s *Spec) setting(name string) string { return settingOf(s.Table, name) }

func settingOf(table, name string) string { return "tables." + table + "." + name }

// validate checks everything but the template. Each error names its setting.
func (s *Spec) validate() error {
	return errors.Join(s.validateMetadata(), s.validateKey(), s.validateChunk(), s.validateLimit())
}

func (s *Spec) validateMetadata() error {
	var errs []error
	seen := make(map[string]bool, len(s.Metadata))
	for _, f := range s.Metadata {
		name := f.name()
		if fault := nameFault(f); fault != "" {
			errs = append(errs, s.bad("metadata", "the name %q %s", name, fault))
		} else if seen[name] {
			errs = append(errs, s.bad("metadata", "the name %q is given twice; rename one of the two", name))
		}
		seen[name] = true
	}
	return errors.Join(errs...)
}

// nameFault says why Chroma or rowvec cannot store a field under its name; Chroma 1.5.9 answers 400 to a metadata key that is empty
// or starts with "#", "$" or (older versions) "chroma:".
func nameFault(f Field) string {
	name := f.name()
	switch {
	case f.Column == "":
		return "has no column"
	case strings.HasPrefix(name, "#"), strings.HasPrefix(name, "$"), strings.HasPrefix(name, "chroma:"):
		return `cannot be stored: Chroma refuses metadata names that start with "#", "$" or "chroma:"; rename it with "as"`
	case IsReserved(name):
		return "is reserved: names that start with " + reservedPrefix + ` are rowvec's own; rename it with "as"`
	default:
		return ""
	}
}

func (s *Spec) validateKey() error {
	var errs []error
	seen := make(map[string]bool, len(s.Key))
	for _, column := range s.Key {
		if column == "" {
			errs = append(errs, s.bad("key", "a column name is empty"))
		} else if seen[column] {
			errs = append(errs, s.bad("key", "the column %q is given twice", column))
		}
		seen[column] = true
	}
	return errors.Join(errs...)
}

func (s *Spec) validateChunk() error {
	c := s.Chunk
	switch {
	case c == nil:
		return nil
	case c.Tokens < minTokens:
		return s.bad("chunk.tokens", "expected at least %d, found %d", minTokens, c.Tokens)
	case c.Overlap < 0 || c.Overlap >= c.Tokens:
		return s.bad("chunk.overlap", "expected 0 or more and less than chunk.tokens (%d), found %d", c.Tokens, c.Overlap)
	default:
		return nil
	}
}

// The limit's settings, as error messages give them.
const (
	limitSetting  = "embedding.maxTextTokens"
	prefixSetting = "embedding.prefix"
)

// validateLimit makes sure that what Chunk asks for fits, and that there is room for a text at all.
func (s *Spec) validateLimit() error {
	if s.MaxTokens == 0 {
		return nil
	}
	prefix := s.tokenizer().Count(s.Prefix)
	room := s.MaxTokens - prefix
	switch {
	case room < minTokens:
		return badSetting(limitSetting, "the limit of %d tokens leaves no room for a text: %s has %d; expected at least %d",
			s.MaxTokens, prefixSetting, prefix, prefix+minTokens)
	case s.Chunk != nil && s.Chunk.Tokens > room:
		return s.bad("chunk.tokens", "%d tokens, and %d of %s, are more than one text may have by %s (%d); expected at most %d",
			s.Chunk.Tokens, prefix, prefixSetting, limitSetting, s.MaxTokens, room)
	default:
		return nil
	}
}

func (s *Spec) tokenizer() Tokenizer {
	if s.Tokenizer == nil {
		return Estimate{}
	}
	return s.Tokenizer
}

// limit is that of a text that goes to the endpoint whole; nil when there is none.
func (s *Spec) limit() *limit {
	if s.Chunk != nil || s.MaxTokens == 0 {
		return nil
	}
	return &limit{tokens: s.MaxTokens, prefix: s.Prefix, tok: s.tokenizer()}
}

func (s *Spec) bad(name, format string, args ...any) error {
	return badSetting(s.setting(name), format, args...)
}

func badSetting(setting, format string, args ...any) error {
	return &Error{class: classHalt, reason: ReasonBadSetting, Setting: setting, msg: fmt.Sprintf(format, args...)}
}
