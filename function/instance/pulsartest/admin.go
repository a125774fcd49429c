package pulsartest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Admin answers the questions of Pulsar's admin interface about topics that this project asks: partitions, stats, partitioned-stats and
// internalStats.
func (b *Broker) Admin() http.Handler {
	mux := http.NewServeMux()
	const topics = "GET /admin/v2/persistent/{tenant}/{namespace}/{topic}/"
	mux.HandleFunc(topics+"partitions", b.answer(func(name string, _ *http.Request) any {
		return map[string]int{"partitions": b.parted[name]}
	}))
	mux.HandleFunc(topics+"stats", b.answer(func(name string, _ *http.Request) any {
		t, ok := b.topics[name]
		if !ok || b.parted[name] > 0 {
			return nil
		}
		return statsOf(t)
	}))
	mux.HandleFunc(topics+"partitioned-stats", b.answer(func(name string, _ *http.Request) any {
		if b.parted[name] == 0 {
			return nil
		}
		return statsOf(b.topic(partition(name, 0)))
	}))
	mux.HandleFunc(topics+"internalStats", b.answer(func(name string, _ *http.Request) any {
		if t, ok := b.topics[name]; ok {
			return t.state()
		}
		return nil
	}))
	return mux
}

func topicOf(r *http.Request) string {
	return "persistent://" + r.PathValue("tenant") + "/" + r.PathValue("namespace") + "/" + r.PathValue("topic")
}

// answer gives what find returns under the broker's lock as JSON, 404 for nil, and 500 for a scripted fault.
func (b *Broker) answer(find func(name string, r *http.Request) any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name := topicOf(r)
		if b.fault("admin", r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]) != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		found := find(name, r)
		if found == nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_ = json.NewEncoder(w).Encode(found) // a client that is gone
	}
}

func statsOf(t *topic) any {
	subscriptions := map[string]map[string]int{}
	for name, s := range t.subs {
		subscriptions[name] = map[string]int{"msgBacklog": len(s.pending)}
	}
	return map[string]any{"subscriptions": subscriptions}
}

// state is what internalStats tells: positions as ledger:entry, acknowledged ranges as (after..last].
func (t *topic) state() any {
	cursors := map[string]any{}
	for name, s := range t.subs {
		mark, ranges := t.next-1, []string{}
		if entries := slices.Sorted(maps.Keys(s.pending)); len(entries) > 0 {
			mark = entries[0] - 1
			for i, entry := range entries {
				following := t.next
				if i+1 < len(entries) {
					following = entries[i+1]
				}
				if following > entry+1 {
					ranges = append(ranges, fmt.Sprintf("(%d:%d..%d:%d]", ledger, entry, ledger, following-1))
				}
			}
		}
		cursors[name] = map[string]any{
			"markDeletePosition": fmt.Sprintf("%d:%d", ledger, mark), "individuallyDeletedMessages": "[" + strings.Join(ranges, ",") + "]",
		}
	}
	return map[string]any{
		"lastConfirmedEntry": fmt.Sprintf("%d:%d", ledger, t.next-1), "cursors": cursors,
		"ledgers": []map[string]any{{"ledgerId": ledger, "entries": 0}}, // of the open one the broker tells none
	}
}

// indexOf is the number at the end of a partition's name, -1 where there is none.
func indexOf(topicName string) int32 {
	_, number, found := strings.Cut(topicName, "-partition-")
	if n, err := strconv.ParseInt(number, 10, 32); found && err == nil {
		return int32(n)
	}
	return -1
}
