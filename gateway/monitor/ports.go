package monitor

import (
	"context"
	"log/slog"
	"time"
)

// Config says what is watched and who is asked.
type Config struct {
	Version  string
	Function FunctionName
	Tables   []Table // in the order in which they are shown

	Broker Broker                                                  // nil: not configured
	Index  func(ctx context.Context, t Table) (IndexCounts, error) // counts a table's records in Chroma
	Source func(ctx context.Context, t Table) (rows int64, err error)
	// Events tells whether outcome events arrive; nil: not configured.
	Events func() Health

	Log *slog.Logger
}

// Table is a table that is watched.
type Table struct {
	Table      string
	Collection string
	Entity     string
	Chunked    bool
}

// IndexCounts are a table's records in Chroma and, where that is known, its rows.
type IndexCounts struct {
	Records int64
	Rows    *int64
}

// Broker answers for the function in Pulsar.
type Broker interface {
	Instances(ctx context.Context) ([]Instance, error)
	// Backlog returns the messages that the function has not acknowledged, by table, and those in the dead-letter topic.
	Backlog(ctx context.Context) (byTable map[string]int64, deadLetters int64, err error)
}

// Rounds of asking. Counting rows reads a whole table in Postgres, so that has a longer one.
const (
	round      = 2 * time.Second
	countRound = 30 * time.Second
	askTimeout = 5 * time.Second
	// A status without news is sent again after statusRound, so that a listener sees that it is fresh.
	statusRound = 5 * time.Second
)

// String is tenant/namespace/name.
func (f FunctionName) String() string { return f.Tenant + "/" + f.Namespace + "/" + f.Name }
