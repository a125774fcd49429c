package cli

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deadletter"
	"github.com/rowvec/rowvec/function/instance/pulsartest"
)

const listedJSON = `{"id": "7:0", "time": "2026-05-06T07:08:09Z", "reason": "bad_request", "stage": "embed", "table": "app.articles", "row": "1",
	"version": "4711@1700000000000", "message": "the endpoint\u001b[2J refuses it", "attempts": 2, "redriven": 1, "firstAttempt": "2026-05-06T06:08:09Z",
	"sourceTopic": "` + dlqSource + `"}`

// TestDLQJSONIsAContract: what scripts read. Keys are added, never changed.
func TestDLQJSONIsAContract(t *testing.T) {
	t.Parallel()
	f := newDLQFixture(t)
	f.put(1, "bad_request")
	f.put(2, "too_large")
	counts := `[{"reason": "too_large", "table": "app.articles", "letters": 2, "oldest": "2026-05-06T07:08:09Z", "newest": "2026-05-06T07:08:09Z"},
		{"reason": "bad_request", "table": "app.articles", "letters": 1, "oldest": "2026-05-06T07:08:09Z", "newest": "2026-05-06T07:08:09Z"}]`
	stdout, stderr, err := f.run("list", "--json", "--limit", "1")
	require.NoError(t, err)
	require.Empty(t, stderr)
	require.JSONEq(t, `{"topic": "`+dlqTopic+`", "total": 3, "counts": `+counts+`, "letters": [`+listedJSON+`]}`, stdout)

	stdout, _, err = f.run("redrive", "--json", "--dry-run", "--reason", "bad_request")
	require.NoError(t, err)
	require.JSONEq(t, `{"topic": "`+dlqTopic+`", "dryRun": true, "matched": 1, "done": 1, "inVain": 0, "foreign": 0, "noSource": 0, "failed": 0, "errors": [],
		"counts": [{"reason": "bad_request", "table": "app.articles", "letters": 1, "oldest": "2026-05-06T07:08:09Z", "newest": "2026-05-06T07:08:09Z"}],
		"letters": [`+listedJSON+`]}`, stdout)

	stdout, _, err = f.run("drop", "--json", "--all")
	require.NoError(t, err)
	require.JSONEq(t, `{"topic": "`+dlqTopic+`", "dryRun": false, "matched": 3, "done": 3, "inVain": 0, "foreign": 0, "noSource": 0, "failed": 0, "errors": [],
		"counts": `+counts+`, "letters": []}`, stdout)
	stdout, _, err = f.run("list", "--json")
	require.NoError(t, err)
	require.JSONEq(t, `{"topic": "`+dlqTopic+`", "total": 0, "counts": [], "letters": []}`, stdout)
}

func TestDLQShowJSON(t *testing.T) {
	t.Parallel()
	f := newDLQFixture(t)
	f.put(1, "bad_request")
	stdout, _, err := f.run("show", "7:0", "--json")
	require.NoError(t, err)
	require.JSONEq(t, listedJSON[:len(listedJSON)-1]+`, "class": "poison",
		"advice": "The endpoint refuses this text. Change the row or the template, or use an endpoint that takes it; then redrive.",
		"lastAttempt": "2026-05-06T07:08:09Z", "messageId": "1:2:0:-1", "publishTime": "2026-05-06T07:07:09Z", "function": "public/default/f", "instance": "0",
		"history": [{"reason": "too_large", "stage": "embed", "times": 1, "first": "2026-05-06T06:30:00Z", "last": "2026-05-06T06:30:00Z"}],
		"key": {"id": 7}, "orderingKey": {"id": 7}, "payload": {"op": "c", "after": {"id": 7, "title": "<Schuh>"}}, "bytes": 45,
		"properties": {"own": "ke\u001bpt", "rowvec.class": "poison", "rowvec.reason": "bad_request", "rowvec.stage": "embed",
			"rowvec.message": "the endpoint\u001b[2J refuses it", "rowvec.table": "app.articles", "rowvec.row": "1", "rowvec.version": "4711@1700000000000",
			"rowvec.source_topic": "`+dlqSource+`", "rowvec.message_id": "1:2:0:-1", "rowvec.attempts": "2", "rowvec.function": "public/default/f",
			"rowvec.instance": "0", "rowvec.time": "2026-05-06T07:08:09Z", "rowvec.redriven": "1", "rowvec.first_attempt": "2026-05-06T06:08:09Z",
			"rowvec.last_attempt": "2026-05-06T07:08:09Z", "rowvec.publish_time": "2026-05-06T07:07:09Z",
			"rowvec.history": "[{\"reason\":\"too_large\",\"stage\":\"embed\",\"times\":1,\"first\":\"2026-05-06T06:30:00Z\",\"last\":\"2026-05-06T06:30:00Z\"}]"}}`,
		stdout)
}

func TestDLQShowsWhatALetterLacks(t *testing.T) {
	t.Parallel()
	f := newDLQFixture(t)
	f.broker.Publish(dlqTopic, &pulsartest.Message{K: "k", Props: map[string]string{
		deadletter.PropSourceTopic: dlqSource, deadletter.PropOmitted: "the key (5000000 bytes), tr\x1bace (9 bytes)",
	}})
	stdout, _, err := f.run("show", "7:0")
	require.NoError(t, err)
	require.Contains(t, stdout, "\nleft out      the key (5000000 bytes), tr ace (9 bytes)\n")
}

func TestDLQPrintsForAPerson(t *testing.T) {
	t.Parallel()
	f := newDLQFixture(t)
	stdout, _, err := f.run("list")
	require.NoError(t, err)
	require.Equal(t, dlqTopic+": no letters\n", stdout)
	f.put(2, "bad_request")
	stdout, _, err = f.run("list", "--limit", "1")
	require.NoError(t, err)
	require.Equal(t, dlqTopic+`: 2 letters

REASON       TABLE         LETTERS  OLDEST                NEWEST
bad_request  app.articles  2        2026-05-06T07:08:09Z  2026-05-06T07:08:09Z

TIME                  REASON       TABLE         ROW  REDRIVEN  ID   MESSAGE
2026-05-06T07:08:09Z  bad_request  app.articles  1    1         7:0  the endpoint [2J refuses it
and 1 more
`, stdout)
	stdout, _, err = f.run("show", "7:1")
	require.NoError(t, err)
	require.Equal(t, `id             7:1
reason         bad_request (poison, embed)
message        the endpoint [2J refuses it
advice         The endpoint refuses this text. Change the row or the template, or use an endpoint that takes it; then redrive.
table          app.articles
row            2
version        4711@1700000000000
first attempt  2026-05-06T06:08:09Z
last attempt   2026-05-06T07:08:09Z
given up       2026-05-06T07:08:09Z
attempts       2
redriven       1
before         too_large ×1, 2026-05-06T06:30:00Z to 2026-05-06T06:30:00Z
source topic   `+dlqSource+`
message id     1:2:0:-1
published      2026-05-06T07:07:09Z
function       public/default/f
instance       0
property own   ke pt

key:
{
  "id": 7
}

ordering key:
{
  "id": 7
}

payload:
{
  "op": "c",
  "after": {
    "id": 7,
    "title": "<Schuh>"
  }
}
`, stdout)
	stdout, _, err = f.run("redrive", "7:1")
	require.NoError(t, err)
	require.Equal(t, dlqTopic+`: 1 letter redriven

REASON       TABLE         LETTERS  OLDEST                NEWEST
bad_request  app.articles  1        2026-05-06T07:08:09Z  2026-05-06T07:08:09Z
`, stdout)
	require.Len(t, f.left(), 1)
	require.Len(t, f.broker.Left(dlqSource, "public/default/f"), 1)
}
