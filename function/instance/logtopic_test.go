package instance

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/instance/pulsartest"
)

const logTopicName = "persistent://public/default/shop-logs"

// withLogTopic gives the fixture a log that is copied to a topic, and returns that log and what stays local.
func withLogTopic(f *fixture) (*slog.Logger, *bytes.Buffer) {
	f.Helper()
	local := &bytes.Buffer{}
	topic := NewLogTopic(slog.NewTextHandler(local, nil), logTopicName, slog.LevelInfo)
	f.c.settings.LogTopic = topic
	reader, err := f.broker.Client(clientURL)
	require.NoError(f, err)
	keep, err := reader.Subscribe(keepAll(logTopicName))
	require.NoError(f, err)
	f.Cleanup(keep.Close)
	return slog.New(topic.Handler()), local
}

func lines(f *fixture) []map[string]any {
	f.Helper()
	var all []map[string]any
	for _, m := range f.broker.Stored(logTopicName) {
		var line map[string]any
		require.NoError(f, json.Unmarshal(m.Body, &line))
		require.Equal(f, map[string]string{"function": "public/default/shop", "instance": "shop-3"}, m.Props)
		all = append(all, line)
	}
	return all
}

func TestLogTopicGetsWhatTheLogGets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		log, local := withLogTopic(f)
		log.Info("before the client exists", "n", 1)
		f.start()
		log.With("table", "app.articles").Warn("late", "row", 7)
		log.Debug("below the level")
		f.pass(logPause)
		got := lines(f)
		require.Len(t, got, 2)
		require.Equal(t, "before the client exists", got[0]["msg"])
		require.Equal(t, "app.articles", got[1]["table"])
		require.Equal(t, 2, strings.Count(local.String(), "\n"))

		log.Info("just before the end")
		f.end()
		require.Len(t, lines(f), 3, "what waits is sent at the end")
		log.Info("after the end")
		require.Equal(t, 1, f.broker.Count("close producer "+logTopicName))
	})
}

func TestLogTopicThatCannotBeReachedCostsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		log, local := withLogTopic(f)
		for range 1000 {
			f.broker.Script("producer "+logTopicName, pulsartest.Fault{Err: errBroker})
		}
		f.start()
		start := time.Now()
		for range logLines + 10 {
			log.Info("line")
		}
		require.Equal(t, start, time.Now(), "logging never waits")
		require.EqualValues(t, 10, f.c.settings.LogTopic.Dropped())
		f.publish(articles, "a")
		require.Equal(t, 1, f.broker.Count("ack "+articles), "the work goes on")
		f.pass(time.Minute)
		require.Contains(t, local.String(), "cannot write to the log topic")
		require.Empty(t, f.seen.snapshot().conditions)
		require.Zero(t, f.end())
	})
}

func TestLogTopicCountsWhatIsNotSentAndDoesNotSendThat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		log, local := withLogTopic(f)
		for range 3 {
			f.broker.Script("send "+logTopicName, pulsartest.Fault{Err: errBroker})
		}
		f.start()
		log.Info("a")
		log.Info("b")
		log.Info("c")
		f.pass(logDropsPeriod)
		require.EqualValues(t, 3, f.c.settings.LogTopic.Dropped())
		require.Equal(t, 1, strings.Count(local.String(), "log lines did not reach the log topic"))
		require.Empty(t, lines(f))
		f.pass(2 * logDropsPeriod)
		require.Equal(t, 1, strings.Count(local.String(), "log lines did not reach the log topic"), "said once")
		log.Info("d")
		f.pass(logPause)
		require.Len(t, lines(f), 1)
		f.end()
	})
}

// The client closes a producer whose topic is gone, and does not open it again.
func TestALogTopicThatWasDeletedIsWrittenAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		log, local := withLogTopic(f)
		f.start()
		log.Info("a")
		f.pass(logPause)
		for n := range 3 {
			f.broker.DeleteTopic(logTopicName)
			f.broker.Subscribe(logTopicName, "keep")
			f.broker.Script("producer "+logTopicName, pulsartest.Fault{Err: errBroker})
			log.Info("lost")
			log.Info("kept")
			f.pass(enoughSteps)
			require.Len(t, lines(f), 1)
			require.Equal(t, "kept", lines(f)[0]["msg"])
			require.Equal(t, n+2, f.broker.Count("producer "+logTopicName))
			require.Equal(t, n+1, f.broker.Count("close producer "+logTopicName))
		}
		require.EqualValues(t, 3, f.c.settings.LogTopic.Dropped())
		f.pass(logDropsPeriod)
		require.Contains(t, local.String(), "dropped=3")
		require.Contains(t, local.String(), "connecting again")
		f.end()
		require.Equal(t, 4, f.broker.Count("close producer "+logTopicName))
	})
}

func TestAStopWhileTheLogTopicIsConnectedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		log, _ := withLogTopic(f)
		f.start()
		f.broker.DeleteTopic(logTopicName)
		f.broker.Script("producer "+logTopicName, slices.Repeat([]pulsartest.Fault{{Err: errBroker}}, 1000)...)
		log.Info("a")
		f.pass(time.Minute)
		require.Zero(t, f.end())
		require.Equal(t, 1, f.broker.Count("close producer "+logTopicName))
	})
}

func TestLogTopicBoundsItsBytes(t *testing.T) {
	t.Parallel()
	l := NewLogTopic(slog.DiscardHandler, logTopicName, slog.LevelInfo)
	log := slog.New(l.Handler())
	for range 8 {
		log.Info(strings.Repeat("x", 1<<20))
	}
	require.Len(t, l.lines, 3)
	require.EqualValues(t, 5, l.Dropped())
}

func TestWithoutALogTopicNothingIsCopied(t *testing.T) {
	t.Parallel()
	local := slog.NewTextHandler(&bytes.Buffer{}, nil)
	l := NewLogTopic(local, "", slog.LevelInfo)
	require.Equal(t, slog.Handler(local), l.Handler())
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.c.settings.LogTopic = l
		f.start()
		require.Zero(t, f.broker.Count("producer"))
		f.end()
	})
}
