package monitor

import (
	"context"
	"log/slog"
	"time"

	"github.com/rowvec/rowvec/function/document"
)

// Config says what is watched and who is asked.
type Config struct {
	Version  string
	Function FunctionName
	Tables   []Table // in the order in which they are shown

	Broker Broker                                                  // nil: not configured
	Chroma func(ctx context.Context) error                         // asks it for a sign of life, cheaply
	Index  func(ctx context.Context, t Table) (IndexCounts, error) // counts a table's records in Chroma; it may take minutes
	Source Source                                                  // nil: not configured
	// Events tells whether outcome events arrive; nil: not configured.
	Events func() Health

	Log *slog.Logger
}

// Table is a table that is watched.
type Table struct {
	Table      string
	Collection string
	Entity     string
	IDs        document.IDs // turn a row's id in the index into its name
}

// IndexCounts are a table's records in Chroma and, where that is known, its rows.
type IndexCounts struct {
	Records int64
	Rows    *int64
}

// Broker answers for the function in Pulsar.
type Broker interface {
	Instances(ctx context.Context) ([]Instance, error)
	// Backlog returns the messages that the function has not acknowledged, by table, and those in the dead-letter topic; what is not known
	// is missing, or nil. An error says what could not be asked, and the rest holds.
	Backlog(ctx context.Context) (byTable map[string]int64, deadLetters *int64, err error)
}

// Source answers for the tables in Postgres.
type Source interface {
	// Ping asks for a sign of life, cheaply, whatever is being counted meanwhile.
	Ping(ctx context.Context) error
	// Rows counts a table, given as schema.table; it may take minutes.
	Rows(ctx context.Context, table string) (int64, error)
}

// Rounds of asking. Counting reads all of a collection's ids, or a whole table in Postgres: it may take its time, and rests for as long
// as it took.
const (
	round        = 2 * time.Second
	askTimeout   = 5 * time.Second
	countRound   = 30 * time.Second
	countTimeout = 5 * time.Minute
	// Tables that are counted at once: Chroma has to answer searches meanwhile, and there is one connection to Postgres to count with.
	indexCounts  = 2
	sourceCounts = 1
	// A status without news is sent again after statusRound, so that a listener sees that it is fresh.
	statusRound = 5 * time.Second
)

// String is tenant/namespace/name.
func (f FunctionName) String() string { return f.Tenant + "/" + f.Namespace + "/" + f.Name }
