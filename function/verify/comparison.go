package verify

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rowvec/rowvec/function/document"
	"github.com/rowvec/rowvec/function/wire"
)

// Config says what to compare, and how.
type Config struct {
	Table   string // schema.table
	Builder *document.Builder
	Text    string           // the template, to know which columns to read
	Fields  []document.Field // metadata
	Key     []string         // tables.<t>.key
	Chunked bool
	Shared  []string // the collection's other tables, as schema.table; nil: none, and ids carry no table
	Answers bool     // this table counts the records of a shared collection that are no table's
	Schemas bool     // the function has the schemas of the topics (pulsar.adminURL): a hint for tables without records yet

	Source  Source
	Index   Index
	Applier Applier // brings changes into the index; nil: nothing is mended

	DeleteGhosts bool // a repair deletes what the index has of rows that the table does not have, however much it is

	Sample   int             // rows to compare, taken at random; 0: all
	Settle   []time.Duration // before a suspect is compared again; nil: 2 s, then 5 s
	Progress func(Progress)  // called now and then, from one goroutine; may be nil

	sizes sizes // zero: usual
}

// sizes bound the pass over the records.
type sizes struct {
	page     int // ids listed at a time
	overlap  int // of a page with the one before
	check    int // ids looked up at a time
	expected int // records remembered
}

// usual sizes: Chroma 1.5.9 goes through all records before a page, so pages are large. The records remembered take up to 64 MB (as do
// those that were listed, listed.go), and those beyond are looked up one page after the other.
func usual() sizes { return sizes{page: 50_000, overlap: 1_000, check: 2_000, expected: 8_000_000} }

// Progress is how far a comparison is.
type Progress struct {
	Table  string
	Phase  string // "rows", "records", "settling", "mending"
	Done   int
	Total  int // an estimate; 0 when there is none
	Faults int
	Note   string // what a repair waits for
}

// defaultSettle is how long a change needs to arrive, twice: a second in the normal case (design §1), then with something to spare.
func defaultSettle() []time.Duration { return []time.Duration{2 * time.Second, 5 * time.Second} }

// comparison is one table's comparison at work.
type comparison struct {
	Config
	table    *Table
	keys     *Table // table, reduced to the key
	form     wire.Form
	judge    *judge
	ids      document.IDs
	others   []document.IDs // of the other tables
	ghosts   string         // why ghosts cannot be looked for, "" when they can
	report   *Report
	settle   *settling
	ending   bool      // all has been compared once
	found    []suspect // confirmed, to be mended
	tried    bool      // to mend some of it
	mended   bool      // some of what this round found was not refused: another comparison may find it mended
	deferred bool      // and something was left to the next, as it had come since
	missing  int       // rows that were not there when they were compared first
	total    int       // records of the collection when they were counted last

	expected *expected // records that the rows should have

	// Kept over the rounds of a repair:
	sample   sample
	culling  culling
	round    int                 // this one, from 0
	left     bool                // rows that may be on their way, by the first round to the second (lost.go)
	tally    *tally              // what was reported
	rounds   int                 // that tried to mend something
	failed   []Failure           // the first that could not be mended
	refused  map[string]struct{} // the ids of such
	weight   int                 // of the heaviest suspects of late, in bytes
	heaviest int                 // metadata of late, in bytes
	lag      time.Duration       // the longest that a change was seen to be late
}

// wanted lists the columns to read, nil for all: a template that reads the row as a whole may name any.
func (c *Config) wanted() []string {
	if readsWhole(c.Text) {
		return nil
	}
	columns := slices.Concat(c.Builder.Columns(), c.Key)
	for _, f := range c.Fields {
		columns = append(columns, f.Column)
	}
	return columns
}

var (
	action  = regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	literal = regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`|/\\*(?s:.*?)\\*/|[0-9]+\\.[0-9]+")
	member  = regexp.MustCompile(`\$?(?:\.\pL[\pL\pN_]*|\._[\pL\pN_]*)+`)
)

// readsWhole reports whether a template may read more than the columns that it names. It errs on the safe side: reading all columns
// only costs time.
func readsWhole(text string) bool {
	for _, a := range action.FindAllString(text, -1) {
		rest := member.ReplaceAllString(literal.ReplaceAllString(a, ""), "")
		if strings.ContainsAny(rest, ".$") {
			return true
		}
	}
	return false
}

// Run compares one table with its collection, and mends it when an Applier is given. What is different is no error but in the report;
// errors are those of the database, the index, the settings and ctx.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	cfg.Index = patient{cfg.Index}
	if cfg.Settle == nil {
		cfg.Settle = defaultSettle()
	}
	if cfg.sizes == (sizes{}) {
		cfg.sizes = usual()
	}
	begun := time.Now()
	c, err := prepare(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if cfg.Applier == nil {
		err = c.pass(ctx)
	} else {
		err = c.repair(ctx)
	}
	if err != nil {
		return nil, err
	}
	c.report.finish(time.Since(begun))
	return c.report, nil
}

func prepare(ctx context.Context, cfg Config) (*comparison, error) {
	table, err := cfg.Source.Describe(ctx, cfg.Table, cfg.wanted(), cfg.Key)
	if err != nil {
		return nil, err
	}
	c := &comparison{
		Config: cfg, table: table, keys: table.keysOnly(), ids: document.NewIDs(table.Name.String(), cfg.Shared != nil),
		culling: culling{free: cfg.DeleteGhosts}, weight: firstWeight, heaviest: firstWeight,
		tally: newTally(maxTallied), refused: map[string]struct{}{},
	}
	for _, other := range cfg.Shared {
		c.others = append(c.others, document.NewIDs(other, true))
	}
	if err := c.probe(ctx); err != nil {
		return nil, err
	}
	c.reset()
	return c, nil
}

// reset begins a comparison anew, with the form that was found.
func (c *comparison) reset() {
	c.report = newReport(c.Table, c.Sample)
	c.settle = newSettling(c.Settle)
	c.ending, c.found, c.culling.found = false, nil, 0
	c.tried, c.mended, c.deferred, c.missing = false, false, false, 0
	c.judge.unchecked = nil
	c.tally.begin()
	c.expected = newExpected(c.sizes.expected)
	c.ghosts = ""
	for _, i := range c.table.Key {
		if col := &c.table.Columns[i]; !col.Invertible(c.form) {
			c.ghosts = fmt.Sprintf("key column %q of type %s", col.Name, col.Type)
		}
	}
}

// entries makes documents of rows.
func (c *comparison) entries(rows []Row) ([]*entry, error) {
	return entriesIn(c.table, c.form, c.Builder, rows)
}

func entriesIn(t *Table, f wire.Form, b *document.Builder, rows []Row) ([]*entry, error) {
	all := make([]*entry, 0, len(rows))
	for _, row := range rows {
		change, err := t.change(row, f)
		if err != nil {
			return nil, err
		}
		e := &entry{key: t.key(row), change: change, bytes: row.weight()}
		if e.id, err = b.ID(change); err != nil {
			return nil, fmt.Errorf("table %s: %w", t.Name, err)
		}
		if e.doc, e.err = b.Build(change); e.err != nil {
			if fatal(e.err) {
				return nil, fmt.Errorf("table %s: %w", t.Name, e.err)
			}
			e.doc = nil
		}
		all = append(all, e)
	}
	return all, nil
}
