package broker

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// topicStats is what a broker answers for a topic, and for a partitioned one with partitioned-stats.
type topicStats struct {
	Subscriptions map[string]struct {
		Backlog int64 `json:"msgBacklog"`
	} `json:"subscriptions"`
}

// atOnce is how many topics are asked for at the same time, and topicTimeout how long one may keep its place from the others.
const (
	atOnce       = 4
	topicTimeout = 2 * time.Second
)

// Backlog returns the messages that the function has not acknowledged, by table, and those that stand in the dead-letter topic. A table
// whose topics or subscriptions are not there yet is left out, and so is one of which a topic cannot be read: the error tells of these.
func (f *Function) Backlog(ctx context.Context) (map[string]int64, *int64, error) {
	topics, failed := f.topics(ctx)
	s := &sums{backlog: map[string]int64{}, unknown: map[string]bool{}, err: failed}
	var letters topicStats
	var unread error
	var asking errgroup.Group
	asking.SetLimit(atOnce)
	asking.Go(func() error {
		letters, unread = f.stats(ctx, f.DeadLetters)
		return nil
	})
	for table, names := range topics {
		for _, topic := range names {
			asking.Go(func() error {
				stats, err := f.stats(ctx, topic)
				own, there := stats.Subscriptions[f.Subscription]
				s.add(table, own.Backlog, there, err)
				return nil
			})
		}
	}
	_ = asking.Wait() // they leave their errors elsewhere
	if unread != nil {
		return s.known(), nil, errors.Join(s.err, unread)
	}
	waiting := int64(0)
	for _, s := range letters.Subscriptions {
		waiting = max(waiting, s.Backlog) // the one that holds them; others that look on are behind it
	}
	return s.known(), &waiting, s.err
}

// sums are the backlogs of tables, of which one may have several topics.
type sums struct {
	mu      sync.Mutex
	backlog map[string]int64
	unknown map[string]bool
	err     error
}

func (s *sums) add(table string, n int64, there bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil:
		s.unknown[table], s.err = true, errors.Join(s.err, err)
	case there:
		s.backlog[table] += n
	}
}

// known are the sums of which no part is missing.
func (s *sums) known() map[string]int64 {
	for table := range s.unknown {
		delete(s.backlog, table)
	}
	return s.backlog
}

// topics finds each table's topics: Debezium names one <server>.<schema>.<table>. The error tells of the patterns whose topics could not be
// listed; those of the others are returned all the same.
func (f *Function) topics(ctx context.Context) (map[string][]string, error) {
	errs := make([]error, 0, len(f.Patterns))
	names := slices.Clone(f.Inputs)
	for _, pattern := range f.Patterns {
		matching, err := f.matching(ctx, pattern)
		names, errs = append(names, matching...), append(errs, err)
	}
	for i, name := range names {
		tenant, namespace, topic := split(name)
		names[i] = "persistent://" + tenant + "/" + namespace + "/" + topic
	}
	slices.Sort(names)
	topics := map[string][]string{}
	for _, topic := range slices.Compact(names) {
		for _, table := range f.Tables {
			if name := local(topic); name == table || strings.HasSuffix(name, "."+table) {
				topics[table] = append(topics[table], topic)
			}
		}
	}
	return topics, errors.Join(errs...)
}

// matching returns the topics of a pattern. Its expression has to match the whole of a name, as the function's own does.
func (f *Function) matching(ctx context.Context, pattern string) ([]string, error) {
	tenant, namespace, expr := split(pattern)
	expr = strings.TrimSuffix(strings.TrimPrefix(expr, "^"), "$")
	whole, err := regexp.Compile("^(?:" + expr + ")$")
	if err != nil {
		return nil, fmt.Errorf("topics pattern %q: %w", pattern, err)
	}
	listed, err := f.list(ctx, tenant, namespace)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(listed, func(topic string) bool { return !whole.MatchString(local(topic)) }), nil
}

// list returns the topics of a namespace, a partitioned one once.
func (f *Function) list(ctx context.Context, tenant, namespace string) ([]string, error) {
	var plain, partitioned []string
	if _, err := f.get(ctx, &partitioned, "admin", "v2", "persistent", tenant, namespace, "partitioned"); err != nil {
		return nil, err
	}
	if _, err := f.get(ctx, &plain, "admin", "v2", "persistent", tenant, namespace); err != nil {
		return nil, err
	}
	return slices.Concat(plain, partitioned), nil
}

// stats asks for a topic's figures, and for the sums of its partitions where it has some; of a topic that is not there they are empty.
func (f *Function) stats(ctx context.Context, topic string) (topicStats, error) {
	ctx, cancel := context.WithTimeout(ctx, topicTimeout)
	defer cancel()
	tenant, namespace, name := split(topic)
	for _, kind := range []string{"stats", "partitioned-stats"} {
		var s topicStats
		found, err := f.get(ctx, &s, "admin", "v2", "persistent", tenant, namespace, name, kind)
		if err != nil || found {
			return s, err
		}
	}
	return topicStats{}, nil
}

// split reads persistent://tenant/namespace/name; a name alone is one of public/default, as everywhere in Pulsar.
func split(topic string) (tenant, namespace, name string) {
	if _, rest, ok := strings.Cut(topic, "://"); ok {
		topic = rest
	}
	if parts := strings.SplitN(topic, "/", 3); len(parts) == 3 {
		return parts[0], parts[1], parts[2]
	}
	return "public", "default", topic
}

func local(topic string) string { return topic[strings.LastIndexByte(topic, '/')+1:] }
