package function

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/function/indexer"
	"github.com/rowvec/rowvec/function/instance"
)

// fault is an error of a class.
type fault string

func (f fault) Error() string  { return "planted " + string(f) }
func (f fault) Class() string  { return string(f) }
func (f fault) Reason() string { return "planted" }

// shelf is a registry that fails as it is told, and then answers.
type shelf struct {
	mu     sync.Mutex
	faults []error
	asked  int
	schema *connector.Schema
}

func (s *shelf) Schema(ctx context.Context, _ string, _ []byte) (*connector.Schema, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if len(s.faults) > 0 {
		err := s.faults[0]
		s.faults = s.faults[1:]
		return nil, err
	}
	return s.schema, nil
}

func (s *shelf) Close() {}

func (s *shelf) questions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// articles is the schema of app.articles whose price is a decimal.
func articles(t *testing.T) *connector.Schema {
	t.Helper()
	s, err := connector.ParseSchema("JSON", []byte(`{"type":"record","name":"E","fields":[{"name":"after","type":{"type":"record","name":"V","fields":[
		{"name":"price","type":{"type":"bytes","scale":2,"logicalType":"decimal"}}]}}]}`))
	require.NoError(t, err)
	return s
}

func priced(id int) *instance.Delivery {
	d := change(id, "articles")
	d.Payload = []byte(strings.Replace(string(d.Payload), `"89.90"`, `"Ix4="`, 1))
	d.SchemaVersion = make([]byte, 8)
	return d
}

func TestARecordIsReadByItsSchema(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := &shelf{schema: articles(t)}
	b.schemas = &resolver{registry: s, conditions: b.spoken}
	require.Equal(t, instance.Ack, within(t, b.handle(t, t.Context(), priced(1))).Verdict)
	require.Equal(t, "89.90", b.index.Records("articles")["1"].Metadata["price"])

	without := priced(2)
	without.SchemaVersion = nil
	require.Equal(t, instance.Ack, within(t, b.handle(t, t.Context(), without)).Verdict)
	require.Equal(t, "Ix4=", b.index.Records("articles")["2"].Metadata["price"])
	require.Equal(t, 1, s.questions())
}

// While the registry is away the record waits where it is, and the status says why; then it goes on.
func TestARecordWaitsForItsSchema(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		said := &spoken{conditions: map[string]string{}}
		s := &shelf{schema: articles(t), faults: []error{fault("retry"), fault("retry"), errors.New("not foreseen"), fault("halt")}}
		r := &resolver{registry: s, conditions: said}
		got := make(chan *connector.Schema, 1)
		begun := time.Now()
		go func() {
			schema, err := r.of(t.Context(), priced(1))()
			require.NoError(t, err)
			got <- schema
		}()
		synctest.Wait()
		source := "schema of persistent://public/default/store.app.articles"
		require.Equal(t, "retrying: planted retry", said.of(source))
		<-time.After(2 * time.Second) // of the bubble
		require.Equal(t, "halted: planted halt", said.of(source))
		require.Empty(t, got)
		require.Same(t, s.schema, <-got)
		require.GreaterOrEqual(t, time.Since(begun), 30*time.Second, "a halt is probed slowly")
		require.Empty(t, said.of(source))
		require.Equal(t, []string{"planted retry", "not foreseen", "planted halt"}, said.exceptions)
		require.Equal(t, 5, s.questions())
	})
}

func TestWaitsGrow(t *testing.T) {
	t.Parallel()
	for attempt := range 100 {
		d := indexer.Delay(errors.New("x"), attempt+1)
		require.GreaterOrEqual(t, d, 100*time.Millisecond)
		require.LessOrEqual(t, d, 30*time.Second)
		if attempt < 3 {
			require.LessOrEqual(t, d, 100*time.Millisecond<<(attempt+1))
		}
	}
}

func TestAStopAbandonsARecordThatWaitsForItsSchema(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := &shelf{faults: []error{fault("halt")}}
	b.schemas = &resolver{registry: s, conditions: b.spoken}
	ctx, cancel := context.WithCancel(t.Context())
	settled := make(chan instance.Settlement, 1)
	d := priced(1).OnSettle(func(s instance.Settlement) { settled <- s })
	returned := make(chan struct{})
	go func() { defer close(returned); b.Handle(ctx, d) }()
	require.Eventually(t, func() bool { return b.spoken.of("schema of "+d.Topic) == "halted: planted halt" }, 5*time.Second, time.Millisecond)
	// Another input does not wait: its record carries no schema to ask for.
	require.Equal(t, instance.Ack, within(t, b.handle(t, t.Context(), change(2, "articles"))).Verdict)
	require.Empty(t, settled)
	cancel()
	<-returned
	require.Equal(t, instance.Settlement{Verdict: instance.Abandon}, within(t, settled))
}

func TestARecordWhoseSchemaCanNeverBeReadIsDeadLettered(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.schemas = &resolver{registry: &shelf{faults: []error{fault("poison")}}, conditions: b.spoken}
	s := within(t, b.handle(t, t.Context(), priced(1)))
	require.Equal(t, instance.DeadLetter, s.Verdict)
	require.Equal(t, "planted", s.Reason)
	require.Equal(t, "decode", s.Stage)
}

func TestTheAdminURLIsTheSettingsOrTheWorkers(t *testing.T) {
	t.Parallel()
	none := func(string) (string, bool) { return "", false }
	r, err := newResolver(config.Pulsar{}, "", none, nil)
	require.NoError(t, err)
	require.Nil(t, r)
	require.Nil(t, r.of(t.Context(), priced(1)), "values stay what their JSON is")
	r.close()
	for _, c := range []struct{ setting, workers string }{{"http://a:8080", ""}, {"", "http://a:8080"}, {"http://a:8080", "nonsense"}} {
		r, err := newResolver(config.Pulsar{AdminURL: c.setting}, c.workers, none, nil)
		require.NoError(t, err)
		require.NotNil(t, r)
		r.close()
	}
	_, err = newResolver(config.Pulsar{AdminURL: "http://a:8080", Token: config.Secret{Name: "TOKEN"}}, "", none, nil)
	require.ErrorContains(t, err, "userConfig.pulsar.token")
	_, err = newResolver(config.Pulsar{}, "nonsense", none, nil)
	require.ErrorContains(t, err, "userConfig.pulsar.adminURL")
}
