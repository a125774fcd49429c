package cli

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/verify"
)

func unequal() *verify.Report {
	return &verify.Report{
		Table: "app.articles", Collection: "articles", Rows: 5000, Records: 12000, Foreign: 4, OnTheWay: 3, Unsettled: 1, Seconds: 2.5,
		Faults: map[verify.Kind]int{verify.Missing: 25, verify.Stale: 0, verify.Ghost: 1, verify.Chunks: 0, verify.Metadata: 0},
		Examples: map[verify.Kind][]verify.Example{
			verify.Missing: {{Row: "7", Expected: `"Shoe: <new>"`, Found: "no record"}}, verify.Stale: {},
			verify.Ghost: {{Row: "99", Expected: "no such row", Found: `record 99: "gone"`}}, verify.Chunks: {}, verify.Metadata: {},
		},
		Unchecked: []verify.Unchecked{{What: "metadata iv", Why: "its form cannot be told", Values: 12}},
		Repair: &verify.Repair{
			Rounds: 1, Mended: map[verify.Kind]int{verify.Stale: 2},
			Failed: []verify.Failure{{Row: "8", Kind: verify.Missing, Reason: "refused"}}, Refused: "900 of 5000 records are of no row",
		},
	}
}

// TestVerifyJSONIsAContract: what scripts read. Keys are added, never changed.
func TestVerifyJSONIsAContract(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	failed := verify.Failed("app.other", errors.New("permission\x1b denied"))
	require.NoError(t, (&verifyResult{Tables: []*verify.Report{unequal(), failed}}).write(&out, true))
	require.JSONEq(t, `{"equal": false, "tables": [{
		"table": "app.articles", "collection": "articles", "equal": false, "sampled": 0, "rows": 5000, "records": 12000, "foreign": 4,
		"faults": {"missing": 25, "stale": 0, "ghost": 1, "chunks": 0, "metadata": 0}, "onTheWay": 3, "unsettled": 1,
		"unchecked": [{"what": "metadata iv", "why": "its form cannot be told", "values": 12}],
		"examples": {"missing": [{"row": "7", "expected": "\"Shoe: <new>\"", "found": "no record"}], "stale": [],
			"ghost": [{"row": "99", "expected": "no such row", "found": "record 99: \"gone\""}], "chunks": [], "metadata": []},
		"repair": {"rounds": 1, "mended": {"stale": 2}, "failed": [{"row": "8", "kind": "missing", "reason": "refused"}],
			"refused": "900 of 5000 records are of no row"},
		"seconds": 2.5, "error": ""
	}, {
		"table": "app.other", "collection": "", "equal": false, "sampled": 0, "rows": 0, "records": 0, "foreign": 0,
		"faults": {"missing": 0, "stale": 0, "ghost": 0, "chunks": 0, "metadata": 0}, "onTheWay": 0, "unsettled": 0, "unchecked": [],
		"examples": {"missing": [], "stale": [], "ghost": [], "chunks": [], "metadata": []}, "repair": null, "seconds": 0,
		"error": "permission  denied"
	}]}`, out.String())
}

func TestVerifyPrintsCountsAndExamples(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	equal := &verify.Report{Table: "app.b", Equal: true, Rows: 10, Records: 10, Seconds: 0.1}
	sample := &verify.Report{Table: "app.c", Equal: true, Rows: 10, Records: 10, Sampled: 10, Seconds: 0.1}
	failed := verify.Failed("app.d", errors.New("no such table"))
	unsure := &verify.Report{Table: "app.e", Rows: 10, Records: 10, Seconds: 0.1}
	require.NoError(t, (&verifyResult{Tables: []*verify.Report{unequal(), equal, sample, failed, unsure}}).write(&out, false))
	require.Equal(t, strings.TrimLeft(`
app.articles: NOT equal: 26 faults (5000 rows and 12000 records compared in 2.5 s)
  3 rows differed at first: their changes were still on the way
  1 rows changed each time they were compared: run it again when they change less
  4 records of others in the collection: left alone
  not checked: metadata iv (12 values): its form cannot be told
  mended: 2 stale
  not mended: 900 of 5000 records are of no row
  not mended: row 8 (missing): refused
  missing: 25
    ROW  EXPECTED       FOUND
    7    "Shoe: <new>"  no record
    and 24 more
  ghost: 1
    ROW  EXPECTED     FOUND
    99   no such row  record 99: "gone"
app.b: equal (10 rows and 10 records compared in 0.1 s)
app.c: no difference in a sample of 10 rows and 10 records compared in 0.1 s
app.d: not compared: no such table
app.e: no difference in what could be compared (10 rows and 10 records compared in 0.1 s)
`, "\n"), out.String())
}

// TestVerifyExitCodes: a cron job's owner is told of whatever is not known to be equal.
func TestVerifyExitCodes(t *testing.T) {
	t.Parallel()
	equal, failed := &verify.Report{Equal: true}, verify.Failed("app.d", errors.New("no such table"))
	unsettled := &verify.Report{Unsettled: 1}
	unchecked := &verify.Report{Unchecked: []verify.Unchecked{{What: "text"}}}
	for _, c := range []struct {
		tables []*verify.Report
		want   error
	}{
		{[]*verify.Report{equal, equal}, nil},
		{[]*verify.Report{equal, unchecked}, errUnsure},
		{[]*verify.Report{unsettled, equal}, errUnsure},
		{[]*verify.Report{equal, failed}, ErrNotOK},
		{[]*verify.Report{unchecked, unequal(), equal}, ErrNotOK},
	} {
		r := &verifyResult{Equal: !slices.ContainsFunc(c.tables, func(t *verify.Report) bool { return !t.Equal }), Tables: c.tables}
		require.Equal(t, c.want, r.verdict())
	}
}

func TestVerifyProgressOffATerminalIsALineForEachPhase(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	show := (&verifyOptions{}).progress(&out)
	for n := range 100 {
		show.progress(verify.Progress{Table: "app.a", Phase: "rows", Done: n, Total: 100})
	}
	show.waiting("embedding: 503\x1b")
	show.progress(verify.Progress{Table: "app.a", Phase: "mending", Done: 1, Faults: 2})
	show.close()
	require.Equal(t, "app.a rows 0 of about 100\napp.a mending, 2 faults, waiting: embedding: 503\n", out.String())
	l, ok := show.(*lines)
	require.True(t, ok)
	l.last = time.Now().Add(-time.Hour)
	show.progress(verify.Progress{Table: "app.a", Phase: "mending", Done: 7, Total: 9})
	require.Contains(t, out.String(), "mending 7 of about 9")
}

func TestVerifyShowsNoProgressBesideJSON(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	show := (&verifyOptions{asJSON: true}).progress(&out)
	show.progress(verify.Progress{Table: "app.a", Phase: "rows"})
	show.waiting("x")
	show.close()
	require.Empty(t, out.String())
}
