package instance

import (
	"fmt"
	"maps"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
)

const (
	// DefaultPrefetch is how many messages the client holds for an instance, on their way to it. The client's queues have no bound in
	// bytes that holds (contract §6.9; what it offers adapts to the sizes that have been, and loses count with batches), so it is this
	// number times the largest message. It is as small as it may be: it has to span the way to the broker and back, and nothing more,
	// because what a batch is made of waits in the table's queue. One message at a time gave 1,900 a second, 16 gave 8,800, 500 gave
	// 12,000, on a machine where 2,400 can be written.
	DefaultPrefetch = 16
	// patternPrefetch is for each topic of a pattern; how many there will be is not known.
	patternPrefetch = 2

	// defaultIntake bounds what is taken and not settled, in bytes: four batches of 8 MiB.
	defaultIntake = 32 << 20

	// discoveryPeriod is how soon a pattern finds a new topic. Until then nothing holds that topic's messages (design §7).
	discoveryPeriod = 10 * time.Second

	// Acknowledgements travel in groups; what a crash loses of them comes again.
	ackGroup = 1000
	ackDelay = 100 * time.Millisecond
)

// identity says who this instance is, to Pulsar's topic statistics and in dead letters.
type identity struct {
	function string // tenant/namespace/name
	name     string
	instance int
	host     string

	instances int // of the function, at the same time
}

func newIdentity(conf *Conf) identity {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return identity{function: conf.FQFN(), name: conf.Name, instance: conf.InstanceID, host: host, instances: conf.Parallelism}
}

// properties are those that the official runtimes give to their consumers and producers (contract §4.4).
func (id identity) properties() map[string]string {
	return map[string]string{
		"application":       "pulsar-function",
		"id":                id.function,
		"instance_id":       strconv.Itoa(id.instance),
		"instance_hostname": id.host,
	}
}

// consumerName is the same after a restart: Key_Shared then gives the instance the same keys again.
func (id identity) consumerName() string { return id.name + "-" + strconv.Itoa(id.instance) }

// consumerProperties are the input's own and ours.
func (in Input) consumerProperties(id identity) map[string]string {
	all := maps.Clone(in.ConsumerProperties)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, id.properties())
	return all
}

// queueSize is the prefetch of each partition: what the input's spec says, else an equal share of the instance's.
func (in Input) queueSize(prefetch, inputs, partitions int) int {
	switch {
	case in.ReceiverQueueSize > 0:
		return in.ReceiverQueueSize
	case in.Pattern:
		return min(prefetch, patternPrefetch)
	default:
		return max(prefetch/(max(inputs, 1)*max(partitions, 1)), 1)
	}
}

// subscriptionTypes are the values of userConfig.subscription.
var subscriptionTypes = map[string]pulsar.SubscriptionType{
	"key_shared": pulsar.KeyShared,
	"failover":   pulsar.Failover,
	"shared":     pulsar.Shared,
	"exclusive":  pulsar.Exclusive,
}

func (p SubscriptionPosition) pulsar() pulsar.SubscriptionInitialPosition {
	if p == Earliest {
		return pulsar.SubscriptionPositionEarliest
	}
	return pulsar.SubscriptionPositionLatest
}

// anchored is a topics pattern that the client matches against whole names: by itself it takes the pattern for a part of one
// (contract §6.6). The client compares it with "persistent://tenant/namespace/topic", from the tenant on.
func anchored(pattern string) (string, error) {
	domain, rest, found := strings.Cut(pattern, "://")
	if !found {
		domain, rest = "persistent", pattern
	}
	if domain != "persistent" {
		return "", fmt.Errorf("topics pattern %q: expected persistent://tenant/namespace/pattern", pattern)
	}
	parts := strings.SplitN(rest, "/", 3)
	if len(parts) == 1 && !found {
		parts = []string{"public", "default", rest}
	}
	if len(parts) != 3 || parts[2] == "" {
		return "", fmt.Errorf("topics pattern %q: expected persistent://tenant/namespace/pattern", pattern)
	}
	local := strings.TrimSuffix(strings.TrimPrefix(parts[2], "^"), "$")
	return domain + "://" + parts[0] + "/" + parts[1] + "/(?:" + local + ")$", nil
}

// internalSuffixes end the names of topics that hold no table: the source's offsets and history, dead letters and retries, and the
// tables that connector/setup.sql makes for signals and heartbeats.
var internalSuffixes = []string{
	"-dlq", "-DLQ", "-RETRY",
	"debezium-offset-topic", "debezium-history-topic",
	".debezium_signal", ".debezium_heartbeat", ".rowvec.signal", ".rowvec.heartbeat",
}

// internalTopic tells whether a topic that a pattern matches holds no table. Debezium names a table's topic server.schema.table and
// that of its transactions server.transaction, so that a table called "transaction" is none of the latter.
func internalTopic(topic string) bool {
	local := withoutPartition(topic)
	local = local[strings.LastIndexByte(local, '/')+1:]
	if strings.HasPrefix(local, "__") { // __debezium-heartbeat.<server>, and Pulsar's own
		return true
	}
	if strings.HasSuffix(local, ".transaction") && strings.Count(local, ".") == 1 {
		return true
	}
	for _, suffix := range internalSuffixes {
		if strings.HasSuffix(local, suffix) {
			return true
		}
	}
	return false
}

// sameTopic compares names of which one may lack the domain, or the tenant and namespace.
func sameTopic(a, b string) bool { return a != "" && b != "" && fullTopic(a) == fullTopic(b) }

func fullTopic(name string) string {
	name = withoutPartition(name)
	if strings.Contains(name, "://") {
		return name
	}
	if strings.Contains(name, "/") {
		return "persistent://" + name
	}
	return "persistent://public/default/" + name
}
