//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deadletter"
	"github.com/rowvec/rowvec/embed/embedtest"
)

const (
	backlogRows = 400
	backlogSize = 512 << 10 // of each row
	hugeRows    = 30        // among them
	hugeSize    = 4900 << 10
)

// TestABacklogOfLargeRecordsFitsInMemory has 340 MB wait in a topic of two partitions while the endpoint is down: the function takes what the
// formula allows (README, Limits), and no more. Then all of it gets in, and a record over the limit is a letter as large as it was.
func TestABacklogOfLargeRecordsFitsInMemory(t *testing.T) {
	const (
		mib   = 1 << 20
		bound = 128*mib + 4*(2*2*mib+6*mib) + 16*6*mib + 384*64<<10 // README, Limits, with the settings below
	)
	endpoint := embedtest.New(embedtest.Options{})
	t.Cleanup(endpoint.Close)
	endpoint.Control(embedtest.Always(embedtest.Fail(http.StatusServiceUnavailable, "", "down")))
	d := &deployment{table: "backlog"}
	command(t, "topics", "create-partitioned-topic", "persistent://"+d.topic(), "-p", "2")
	d = deploy(t, "backlog", map[string]any{
		"userConfig/embedding/baseURL": endpoint.URL(), "userConfig/tables/app.backlog/text": "{{.title}}",
		"userConfig/batch": map[string]any{"maxBytes": 2 * mib, "inFlight": 2, "maxRecordBytes": 6 * mib},
	})
	eventually(t, time.Minute, func(ctx context.Context) error {
		s, err := world.pulsar.TopicStats(ctx, d.topic()+"-partition-1")
		if err == nil && len(s.Subscriptions[d.name].Consumers) != 1 {
			err = fmt.Errorf("%s is not subscribed", d.topic())
		}
		return err
	})
	client := newClient(t)
	meter := d.meter(t)
	idle := meter.peak.Load()
	d.publishBacklog(t, client)
	stands := d.standsStill(t)
	t.Logf("%d MiB resident when idle, %d at most while %d of %d records are taken", idle>>20, meter.peak.Load()>>20, stands, backlogRows)
	require.Less(t, stands, int64(backlogRows/4), "it does not take what it cannot work on")
	endpoint.Control(nil)
	eventually(t, time.Minute, func(ctx context.Context) error { return counted(ctx, d.collection, backlogRows) })
	t.Logf("%d MiB at most, of %d", meter.peak.Load()>>20, bound>>20)
	require.Less(t, meter.peak.Load(), int64(bound))
	require.Less(t, int64(bound), int64(backlogRows*backlogSize+hugeRows*hugeSize), "it is more than would fit")

	letter := d.letters(t, client, 1)[0]
	require.Equal(t, "over_record_limit", letter.Properties()[deadletter.PropReason])
	require.Contains(t, letter.Properties()[deadletter.PropMessage], "batch.maxRecordBytes allows: 6291456")
	require.Greater(t, len(letter.Payload()), 6<<20)
	n, err := d.deadLetters(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
}

// publishBacklog fills the topic: a few rows are huge, and one more is too large.
func (d *deployment) publishBacklog(t *testing.T, client pulsar.Client) {
	t.Helper()
	producer, err := client.CreateProducer(pulsar.ProducerOptions{
		Topic: "persistent://" + d.topic(), DisableBatching: true, CompressionType: pulsar.LZ4, MaxPendingMessages: 20,
	})
	require.NoError(t, err)
	defer producer.Close()
	random := rand.NewChaCha8([32]byte{7})
	send := func(id int, body string) {
		payload := fmt.Sprintf(`{"before":null,"after":{"id":%d,"title":"row %d","body":"%s"},"op":"c","ts_ms":1,"source":{"schema":"app","table":"backlog","lsn":1,"sequence":"[null,\"1\"]","ts_ms":1700000000000,"snapshot":"false"}}`, id, id, body)
		key := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, `{"id":%d}`, id))
		producer.SendAsync(t.Context(), &pulsar.ProducerMessage{Key: key, Payload: []byte(payload)}, func(_ pulsar.MessageID, _ *pulsar.ProducerMessage, err error) {
			if err != nil {
				t.Errorf("publish row %d: %v", id, err)
			}
		})
	}
	for id := range backlogRows {
		size := backlogSize
		if id%(backlogRows/hugeRows) == 0 {
			size = hugeSize
		}
		noise := make([]byte, size*3/4)
		_, _ = random.Read(noise)
		send(id, base64.StdEncoding.EncodeToString(noise))
	}
	send(backlogRows, strings.Repeat("too much ", 1<<20))
	require.NoError(t, producer.FlushWithCtx(t.Context()))
}

// standsStill waits until the function takes nothing more, and says how many records it has taken.
func (d *deployment) standsStill(t *testing.T) (received int64) {
	t.Helper()
	var since time.Time
	eventually(t, time.Minute, func(ctx context.Context) error {
		s, err := world.pulsar.FunctionStats(ctx, d.name)
		if err != nil {
			return err
		}
		if s.Received != received {
			received, since = s.Received, time.Now()
		}
		if received == 0 || time.Since(since) < 5*time.Second {
			return fmt.Errorf("%d records are received, the last of them just now", received)
		}
		return nil
	})
	return received
}

// memory is what a function's process was seen to use.
type memory struct{ peak atomic.Int64 }

// meter looks at the resident memory of the function's instance until the end of the test.
func (d *deployment) meter(t *testing.T) *memory {
	t.Helper()
	m := &memory{}
	process := d.process(t)
	now, err := resident(process)
	require.NoError(t, err)
	m.peak.Store(now)
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = every(ctx, 50*time.Millisecond, func(context.Context, time.Duration) (bool, error) {
			n, err := resident(process)
			m.peak.Store(max(m.peak.Load(), n))
			return false, err
		})
	}()
	t.Cleanup(func() { end(); <-ended })
	return m
}

// process is the folder in /proc of the function's only instance.
func (d *deployment) process(t *testing.T) (folder string) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, path := range all {
		args, err := os.ReadFile(path)
		holds := func(text string) bool { return bytes.Contains(args, []byte(text)) }
		if err == nil && holds(stackDir()) && holds("rowvec-function\x00-instance-conf") && holds(`"`+d.name+`"`) {
			folder = filepath.Dir(path)
		}
	}
	require.NotEmpty(t, folder, "no process of %s", d.name)
	return folder
}

// resident reads a process's resident memory, in bytes.
func resident(process string) (int64, error) {
	text, err := os.ReadFile(filepath.Join(process, "status"))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			number, _, _ := strings.Cut(strings.TrimSpace(value), " ")
			kilobytes, err := strconv.ParseInt(number, 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, fmt.Errorf("%s does not say VmRSS", process)
}
