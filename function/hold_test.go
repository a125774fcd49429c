package function

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/instance"
)

func TestAnUnconfiguredTableOfAPatternIsIgnored(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	d := change(1, "other")
	d.Pattern = true
	require.Equal(t, instance.Ack, within(t, b.handle(t, t.Context(), d)).Verdict)
	require.Empty(t, b.spoken.of("input "+d.Topic))
}

func TestAnUnconfiguredTableOfAListedTopicHaltsThatInput(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	d := change(1, "other")
	settled := make(chan instance.Settlement, 1)
	d.OnSettle(func(s instance.Settlement) { settled <- s })
	returned := make(chan struct{})
	go func() { defer close(returned); b.Handle(ctx, d) }()
	require.Eventually(t, func() bool { return strings.Contains(b.spoken.of("input "+d.Topic), "app.other") }, 5*time.Second, time.Millisecond)
	require.Contains(t, b.spoken.of("input "+d.Topic), "it has app.articles")
	require.Empty(t, settled, "nothing of it is lost")
	require.InDelta(t, 1, b.metrics.user()["rowvec_state{state=halted,table=app.other}"], 0)
	require.Len(t, b.spoken.exceptions, 1)
	cancel()
	<-returned
	require.Equal(t, instance.Abandon, within(t, settled).Verdict)
}

// A schema without which no record can be read is a setting to change: nothing is lost. A column that no setting names is nobody's.
func TestASchemaThatTellsTooLittleHaltsThatInput(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	schemaless := func(column string) *instance.Delivery {
		d := change(1, "articles")
		row := `{"type":"struct","fields":[{"field":"id","type":"int64"},{"field":"` + column + `","type":"bytes","name":"org.apache.kafka.connect.data.Decimal"}],"field":"after"}`
		var event map[string]any
		require.NoError(t, json.Unmarshal(d.Payload, &event))
		event["after"].(map[string]any)[column] = "AQ=="
		payload, err := json.Marshal(event)
		require.NoError(t, err)
		d.Payload = []byte(`{"schema":{"type":"struct","fields":[` + row + `]},"payload":` + string(payload) + `}`)
		return d
	}
	require.Equal(t, instance.Ack, within(t, b.handle(t, t.Context(), schemaless("unused"))).Verdict)

	ctx, cancel := context.WithCancel(t.Context())
	d := schemaless("title")
	settled, returned := make(chan instance.Settlement, 1), make(chan struct{})
	d.OnSettle(func(s instance.Settlement) { settled <- s })
	go func() { defer close(returned); b.Handle(ctx, d) }()
	require.Eventually(t, func() bool { return strings.Contains(b.spoken.of("input "+d.Topic), "decimal.handling.mode") }, 5*time.Second, time.Millisecond)
	require.Empty(t, settled)
	cancel()
	<-returned
	require.Equal(t, instance.Abandon, within(t, settled).Verdict)
}
