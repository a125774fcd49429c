package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deadletter"
	"github.com/rowvec/rowvec/deadletter/mailbox"
	"github.com/rowvec/rowvec/function/admin"
	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/function/instance/pulsartest"
)

const (
	dlqTopic  = "persistent://public/default/f-dlq"
	dlqSource = "persistent://public/default/store.app.articles"
)

var dlqTime = time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)

// dlqFixture runs the dlq commands on a double.
type dlqFixture struct {
	*testing.T
	broker *pulsartest.Broker
	file   string
	ctx    context.Context //nolint:containedctx // of the commands that the test runs
}

func newDLQFixture(t *testing.T) *dlqFixture {
	t.Helper()
	f := &dlqFixture{T: t, broker: pulsartest.New(), file: filepath.Join(t.TempDir(), "function.yaml"), ctx: t.Context()}
	require.NoError(t, os.WriteFile(f.file, []byte(`
name: f
inputs: [`+dlqSource+`]
userConfig:
  embedding: {baseURL: "http://e/v1", model: m}
  chroma: {url: "http://c"}
  tables: {app.articles: {collection: articles, text: "{{.title}}"}}
`), 0o600))
	f.broker.Subscribe(dlqTopic, deadletter.Subscription)
	f.broker.Subscribe(dlqSource, "public/default/f")
	return f
}

func (f *dlqFixture) open(c *config.Function) (*mailbox.Mailbox, func(), error) {
	server := httptest.NewServer(f.broker.Admin())
	questions, err := admin.New(admin.Config{URL: server.URL})
	require.NoError(f, err)
	client, err := f.broker.Client(pulsar.ClientOptions{})
	require.NoError(f, err)
	box, err := mailbox.New(mailbox.Config{
		Topic: config.DeadLetterTopic(c.Config, c.Tenant, c.Namespace, c.Name), Subscription: c.SubName, Client: client, Admin: questions,
	})
	require.NoError(f, err)
	return box, func() { box.Close(); questions.Close(); server.Close() }, nil
}

// run runs `rowvec dlq`.
func (f *dlqFixture) run(args ...string) (stdout, stderr string, err error) {
	f.Helper()
	var out, problems bytes.Buffer
	c := newDLQ(f.open)
	c.SetArgs(append(args, "-f", f.file))
	c.SetOut(&out)
	c.SetErr(&problems)
	c.SilenceErrors, c.SilenceUsage = true, true
	err = c.ExecuteContext(f.ctx)
	return out.String(), problems.String(), err
}

// put publishes n letters with a reason.
func (f *dlqFixture) put(n int, reason string) {
	for range n {
		row := strconv.Itoa(len(f.left()) + 1)
		f.broker.Publish(dlqTopic, &pulsartest.Message{
			K: "eyJpZCI6N30=", Order: `{"id":7}`, Body: []byte(`{"op":"c","after":{"id":7,"title":"<Schuh>"}}`), Published: dlqTime,
			Props: map[string]string{
				"own": "ke\x1bpt", deadletter.PropClass: "poison", deadletter.PropReason: reason, deadletter.PropStage: "embed",
				deadletter.PropMessage: "the endpoint\x1b[2J refuses it", deadletter.PropTable: "app.articles", deadletter.PropRow: row,
				deadletter.PropVersion: "4711@1700000000000", deadletter.PropSourceTopic: dlqSource, deadletter.PropMessageID: "1:2:0:-1",
				deadletter.PropAttempts: "2", deadletter.PropFunction: "public/default/f", deadletter.PropInstance: "0",
				deadletter.PropTime: deadletter.Timestamp(dlqTime), deadletter.PropRedriven: "1",
				deadletter.PropFirstAttempt: deadletter.Timestamp(dlqTime.Add(-time.Hour)), deadletter.PropLastAttempt: deadletter.Timestamp(dlqTime),
				deadletter.PropPublishTime: deadletter.Timestamp(dlqTime.Add(-time.Minute)),
				deadletter.PropHistory:     `[{"reason":"too_large","stage":"embed","times":1,"first":"2026-05-06T06:30:00Z","last":"2026-05-06T06:30:00Z"}]`,
			},
		})
	}
}

func (f *dlqFixture) left() []string { return f.broker.Left(dlqTopic, deadletter.Subscription) }

func TestDLQSaysWhatHadToStay(t *testing.T) {
	t.Parallel()
	f := newDLQFixture(t)
	f.put(1, "bad_request")
	f.broker.Publish(dlqTopic, &pulsartest.Message{K: "x"})
	f.broker.DeleteTopic(dlqSource)
	stdout, _, err := f.run("redrive")
	require.ErrorIs(t, err, ErrNotOK)
	require.Contains(t, stdout, "0 letters redriven\n  1 left: not of a function of rowvec: no rowvec.source_topic\n  1 left: their source topic cannot be sent to\n"+
		"  cannot redrive to "+dlqSource+": the topic is gone. Make it again")
	require.Len(t, f.left(), 2)
}

func TestDLQInterrupted(t *testing.T) {
	t.Parallel()
	f := newDLQFixture(t)
	f.put(3, "bad_request")
	ctx, stop := context.WithCancel(t.Context())
	f.ctx = ctx
	hold := make(chan struct{})
	f.broker.Script("send "+dlqSource, pulsartest.Fault{Block: hold})
	released := make(chan struct{})
	go func() {
		defer close(released)
		for f.broker.Count("fault send") == 0 {
			<-f.broker.Changed()
		}
		stop()
		close(hold)
	}()
	stdout, _, err := f.run("redrive", "--rate", "1", "--json")
	<-released
	require.EqualError(t, err, "interrupted: the other letters stay; run it again to go on")
	require.Contains(t, stdout, `"done": 1`)
	require.Len(t, f.left(), 2)
}

func TestDLQUsage(t *testing.T) {
	t.Parallel()
	f := newDLQFixture(t)
	for _, args := range [][]string{
		{"list", "extra"},
		{"show"},
		{"drop"},
		{"drop", "--all", "--row", "7"},
		{"drop", "--all", "7:1"},
		{"list", "--since", "soon"},
		{"list", "--until", "-2h"},
		{"list", "--since", "1h", "--until", "2h"},
		{"redrive", "--limit", "-1"},
		{"redrive", "--rate", "-1"},
		{"redrive", "--rate", "NaN"},
	} {
		_, _, err := f.run(args...)
		var usage *usageError
		require.ErrorAs(t, err, &usage, args)
	}
	for _, args := range [][]string{{"dlq"}, {"dlq", "nope"}, {"dlq", "list", "--nope"}} {
		require.Equal(t, 2, Run(t.Context(), args, "", io.Discard, io.Discard), args)
	}
	_, _, err := f.run("show", "nonsense")
	require.ErrorContains(t, err, `expected an id like 12:34, found "nonsense"`)
	_, _, err = f.run("show", "7:9")
	var missing *mailbox.NotFoundError
	require.True(t, errors.As(err, &missing))
}

func TestDLQNeedsToReachPulsar(t *testing.T) {
	t.Parallel()
	for _, p := range []config.Pulsar{{}, {ServiceURL: "pulsar://h:1"}, {AdminURL: "http://h:1"}} {
		_, _, err := dialMailbox(&config.Function{Name: "f", Config: &config.Config{Pulsar: p}})
		require.ErrorContains(t, err, "userConfig.pulsar: rowvec dlq needs serviceURL")
	}
	box, done, err := dialMailbox(&config.Function{
		Tenant: "t", Namespace: "n", Name: "f", Config: &config.Config{Pulsar: config.Pulsar{ServiceURL: "pulsar://127.0.0.1:1", AdminURL: "http://127.0.0.1:1"}},
	})
	require.NoError(t, err, "nothing is reached yet")
	require.Equal(t, "persistent://t/n/f-dlq", box.Topic())
	_, err = survey(t.Context(), box)
	require.ErrorContains(t, err, "look at persistent://t/n/f-dlq: ask Pulsar for")
	done()
}

func TestPoint(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 6, 7, 8, 9, 0, time.FixedZone("", 7200))
	for text, want := range map[string]time.Time{
		"": {}, "90m": now.Add(-90 * time.Minute), "2026-05-06T07:08:09.5Z": dlqTime.Add(time.Second / 2), "2026-05-06": time.Date(2026, 5, 6, 0, 0, 0, 0, now.Location()),
	} {
		got, err := point(text, now)
		require.NoError(t, err, text)
		require.True(t, want.Equal(got), "%s: %s", text, got)
	}
}

func TestDLQProgress(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	l := &dlqLines{out: &out, verb: redriven}
	l.progress(mailbox.Progress{Passed: 1200, Entries: 1000, Done: 900, Skipped: 3})
	require.Equal(t, "1000 of about 1000 messages, 900 redriven, 3 left\n", out.String())
	b := newDLQBar(&out, redriven)
	b.progress(mailbox.Progress{Passed: 5, Entries: 10, Done: 2})
	b.close()
}
