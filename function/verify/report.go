package verify

import (
	"maps"
	"slices"
	"time"
)

// maxExamples is how many faults of a kind are shown.
const maxExamples = 20

// Report is the result of one table's comparison. Its JSON is a contract.
type Report struct {
	Table      string             `json:"table"`
	Collection string             `json:"collection"`
	Equal      bool               `json:"equal"`   // no faults, and nothing that could not be compared
	Sampled    int                `json:"sampled"` // rows asked for by a sample; 0: everything was compared
	Rows       int                `json:"rows"`    // rows compared
	Records    int                `json:"records"` // records of the index looked at
	Foreign    int                `json:"foreign"` // of these, records of others: without a mark of rowvec's, or of no row that the tables can have
	Faults     map[Kind]int       `json:"faults"`  // by kind; every kind is there
	OnTheWay   int                `json:"onTheWay"`
	Unsettled  int                `json:"unsettled"` // rows that changed each time they were compared
	Unchecked  []Unchecked        `json:"unchecked"`
	Examples   map[Kind][]Example `json:"examples"` // the first of each kind
	Repair     *Repair            `json:"repair"`   // null when nothing was to be mended
	Seconds    float64            `json:"seconds"`
	Error      string             `json:"error"` // why the comparison was not finished; then the rest says nothing
}

// Unchecked is what could not be compared, because it cannot be told here how the source writes it.
type Unchecked struct {
	What   string `json:"what"` // "metadata price", "text", "ghosts"
	Why    string `json:"why"`
	Values int    `json:"values"` // how many values were passed over; 0 where there is nothing to count
}

// Repair is what was mended.
type Repair struct {
	Rounds int          `json:"rounds"` // passes that tried to mend something
	Mended map[Kind]int `json:"mended"` // faults that are gone, by kind
	Failed []Failure    `json:"failed"` // the first that could not be mended

	Refused string `json:"refused"` // why ghosts were left; "" when they were not
}

// Failure is a row that could not be mended.
type Failure struct {
	id     string
	Row    string `json:"row"`
	Kind   Kind   `json:"kind"`
	Reason string `json:"reason"`
}

func newReport(table string, sampled int) *Report {
	r := &Report{Table: table, Sampled: sampled, Faults: map[Kind]int{}, Examples: map[Kind][]Example{}, Unchecked: []Unchecked{}}
	for _, k := range Kinds() {
		r.Faults[k], r.Examples[k] = 0, []Example{}
	}
	return r
}

// Failed is the report of a table that could not be compared.
func Failed(table string, err error) *Report {
	r := newReport(table, 0)
	r.Error = plain(err.Error())
	return r
}

func (r *Report) add(id string, f *finding) {
	r.Faults[f.kind]++
	if len(r.Examples[f.kind]) < maxExamples {
		r.Examples[f.kind] = append(r.Examples[f.kind], Example{Row: clip(plain(id)), Expected: clip(f.expected), Found: clip(f.found)})
	}
}

// Total is the number of faults.
func (r *Report) Total() int {
	n := 0
	for _, count := range r.Faults {
		n += count
	}
	return n
}

// Clean reports that the comparison was finished and found no fault, in what could be compared.
func (r *Report) Clean() bool { return r.Error == "" && r.Total() == 0 }

func (r *Report) finish(took time.Duration) {
	r.Equal = r.Clean() && r.Unsettled == 0 && len(r.Unchecked) == 0
	r.Seconds = took.Round(time.Millisecond).Seconds()
}

// note writes down what was not checked.
func (c *comparison) note() {
	j := c.judge
	if j.unchecked[""] > 0 {
		c.report.Unchecked = append(c.report.Unchecked, Unchecked{
			What: "text", Values: j.unchecked[""],
			Why: "the text has column " + j.textGuess + ", whose form on the wire cannot be told: a text that differs may be right",
		})
	}
	for _, key := range slices.Sorted(maps.Keys(j.unchecked)) {
		if key == "" {
			continue
		}
		why := "a column whose form on the wire cannot be told"
		if col := j.columns[key]; col != nil {
			why = "column " + col.Name + " of type " + col.Type + ": its form on the wire cannot be told"
		}
		c.report.Unchecked = append(c.report.Unchecked, Unchecked{What: "metadata " + key, Why: why, Values: j.unchecked[key]})
	}
	if c.ghosts != "" {
		c.report.Unchecked = append(c.report.Unchecked, Unchecked{What: "ghosts", Why: c.ghosts + ": ids cannot be turned back into keys"})
	}
}
