package monitor

import "github.com/rowvec/rowvec/event"

// Hello is the first event of a stream. Times of this package's JSON are milliseconds since 1970.
type Hello struct {
	Version        string  `json:"version"` // of the gateway
	Now            int64   `json:"now"`
	Function       string  `json:"function"` // tenant/namespace/name
	Tables         []Named `json:"tables"`
	HistorySeconds int     `json:"historySeconds"` // how far back the event history goes
	Authenticated  bool    `json:"authenticated"`  // the listener came with a token
}

// Named is a table and the name that it has in the feature API, if any.
type Named struct {
	Table  string `json:"table"`
	Entity string `json:"entity,omitempty"`
}

// Quantiles of durations, in milliseconds, to within 1 %. Where nothing was measured there are none: null, and all 0 in Queries.
type Quantiles struct {
	Count int64   `json:"count"`
	P50   float64 `json:"p50"`
	P95   float64 `json:"p95"`
	P99   float64 `json:"p99"`
}

// Queries are the searches that the gateway answered. Errors are those that what is behind did not answer.
type Queries struct {
	Quantiles
	Errors int64 `json:"errors"`
}

// Tick is what one second brought.
type Tick struct {
	Time           int64                   `json:"time"`
	Outcomes       map[event.Outcome]int64 `json:"outcomes"`              // records settled
	DeadLetters    map[string]int64        `json:"deadLetters,omitempty"` // of them the poisonous, by reason
	Freshness      *Quantiles              `json:"freshnessMs"`           // commit to durable, of the records that changed the index
	Backlog        map[string]*int64       `json:"backlog"`               // messages not yet acknowledged, by table; null: not known
	Queries        Queries                 `json:"queries"`
	ChangesDropped int64                   `json:"changesDropped"` // changes over the limit, which the stream left out
	State          State                   `json:"state"`
	Clients        int                     `json:"clients"` // listeners of the stream
}

// History is the ticks before the stream.
type History struct {
	Ticks []Tick `json:"ticks"`
}

// Change is one record that the function settled.
type Change struct {
	Time        int64           `json:"time"` // when its outcome was certain
	Table       string          `json:"table"`
	Row         string          `json:"row"` // its name, as the routes take it
	Operation   event.Operation `json:"operation,omitempty"`
	Outcome     event.Outcome   `json:"outcome"`
	Reason      string          `json:"reason,omitempty"`
	FreshnessMs *int64          `json:"freshnessMs,omitempty"`
	Chunks      int             `json:"chunks,omitempty"`
	Texts       int             `json:"textsEmbedded,omitempty"`
	LSN         string          `json:"lsn,omitempty"`
	Instance    int             `json:"instance"`
}

// For lets only those see a change who may see its table; one whose table is not known is for those who may see all.
func (c Change) For(see func(string) bool) any {
	if see != nil && !see(c.Table) {
		return nil
	}
	return c
}

// State is how the function is.
type State string

// The states. Away: the broker answers and the function runs nowhere. Unknown: the broker does not answer, or was not configured.
const (
	Running  State = "running"
	Retrying State = "retrying"
	Halted   State = "halted"
	Away     State = "away"
	Unknown  State = "unknown"
)

// Status is the state of everything at one moment.
type Status struct {
	Now         int64         `json:"now"`
	Version     string        `json:"version"`
	Function    FunctionName  `json:"function"`
	State       State         `json:"state"`
	Cause       string        `json:"cause,omitempty"` // why the state is not running
	Tables      []TableStatus `json:"tables"`
	Instances   []Instance    `json:"instances"`
	DeadLetters DeadLetters   `json:"deadLetters"`
	Sources     Sources       `json:"sources"`
}

// FunctionName is the function in Pulsar.
type FunctionName struct {
	Tenant    string `json:"tenant"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// TableStatus is one table and its collection.
type TableStatus struct {
	Table       string           `json:"table"`
	Collection  string           `json:"collection"`
	Entity      string           `json:"entity,omitempty"`
	Records     *int64           `json:"records"`     // in the collection: rows, or chunks of rows; null: not known, or of tables, too, that may not be seen
	Rows        *int64           `json:"rows"`        // in the index; null: not known
	SourceRows  *int64           `json:"sourceRows"`  // in Postgres; null: not known
	Coverage    *float64         `json:"coverage"`    // rows of the index by rows of Postgres, 0 to 1; null: not known
	Backlog     *int64           `json:"backlog"`     // messages; null: not known
	Freshness   *Quantiles       `json:"freshnessMs"` // of the last minute; null: nothing came
	LastChange  *int64           `json:"lastChange"`  // when a record of it was settled last
	DeadLetters map[string]int64 `json:"deadLetters"` // since the gateway's start, by reason
}

// Instance is one process of the function.
type Instance struct {
	ID             int    `json:"id"`
	Running        bool   `json:"running"`
	State          State  `json:"state"`
	Cause          string `json:"cause,omitempty"`
	Received       *int64 `json:"received,omitempty"` // these three count records of all tables: absent for who may see some of them
	Processed      *int64 `json:"processed,omitempty"`
	Failed         *int64 `json:"failed,omitempty"` // dead letters
	Restarts       int64  `json:"restarts"`
	LastError      string `json:"lastError,omitempty"`
	LastErrorTime  int64  `json:"lastErrorTime,omitempty"`
	LastInvocation int64  `json:"lastInvocation,omitempty"`
}

// DeadLetters are what can never succeed. Waiting is what stands in the dead-letter topic, since whenever; ByReason counts from the
// gateway's start.
type DeadLetters struct {
	Waiting  *int64           `json:"waiting"`
	ByReason map[string]int64 `json:"byReason"`
}

// Sources tells what the gateway can see at all.
type Sources struct {
	Events   Health  `json:"events"`   // the function's output topic
	Admin    Health  `json:"admin"`    // Pulsar's admin interface
	Chroma   Health  `json:"chroma"`   //
	Postgres *Health `json:"postgres"` // null: not configured
}

// Health of one source.
type Health struct {
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
}
