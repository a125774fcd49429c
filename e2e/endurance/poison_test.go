//go:build e2e

package endurance

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deadletter"
	"github.com/rowvec/rowvec/e2e/await"
	"github.com/rowvec/rowvec/e2e/broker"
	"github.com/rowvec/rowvec/embed"
	"github.com/rowvec/rowvec/embed/embedtest"
)

const (
	refusedWord = "unspeakable"
	poisonOneIn = 100 // rows
	liveRate    = 20  // rows a second, in each of two tables
	fewTexts    = 3.5 // in a request, up to which isolation costs few of them: see requireCheap
	modelTakes  = 50 * time.Millisecond
)

// planted chooses which of the rows 1 to n are poison.
func planted(n int) []int {
	rng := rand.New(rand.NewPCG(uint64(n), 1))
	chosen := rng.Perm(n)[:n/poisonOneIn]
	for i := range chosen {
		chosen[i]++
	}
	slices.Sort(chosen)
	return chosen
}

// body is a row's text. It begins with the table's name, by which requests are told apart.
func body(table string, id int, poison []int) string {
	if _, bad := slices.BinarySearch(poison, id); bad {
		return fmt.Sprintf("%s %d is %s.", table, id, refusedWord)
	}
	return fmt.Sprintf("%s %d is well said.", table, id)
}

// ledger counts requests and their texts by the first word of the first text: the table's name, or another where the function asks for its own sake.
type ledger struct {
	mu       sync.Mutex
	requests map[string]int
	texts    map[string]int
}

func (l *ledger) control(r *embedtest.Request) *embedtest.Response {
	word, _, _ := strings.Cut(r.Texts[0], " ")
	l.mu.Lock()
	l.requests[word]++
	l.texts[word] += len(r.Texts)
	l.mu.Unlock()
	return embedtest.Poison(refusedWord)(r)
}

// probes is how often the function asked for its own sake.
func (l *ledger) probes(tables []string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for word, requests := range l.requests {
		if !slices.Contains(tables, word) {
			n += requests
		}
	}
	return n
}

// compared is two tables with the same rows at the same times, one of them with poison.
type compared struct {
	rows, poison   int
	without, with  int     // requests
	textsInRequest float64 // without
}

func (c compared) more() int { return c.with - c.without }

func (c compared) String() string {
	return fmt.Sprintf("%d requests without poison (%.1f texts each), %d with: %d more (%.1f %%), %.1f for each poison row", c.without, c.textsInRequest, c.with,
		c.more(), 100*float64(c.more())/float64(c.without), float64(c.more())/float64(c.poison))
}

// TestPoisonAmongMany: of rows that an endpoint refuses exactly those become dead letters, and they cost few requests. How few is a matter of how many texts
// a request has, because each refusal says only that one of them is bad. Rows that come as they do in production, each by itself, are few in a request.
// Rows that come all at once fill the requests; there no search could do with fewer than log2 of (rows over poison rows) answers of yes or no.
func TestPoisonAmongMany(t *testing.T) {
	f, n := world.poison, lengths.rows
	poison := planted(n)
	book := &ledger{requests: map[string]int{}, texts: map[string]int{}}
	f.endpoint.becomes(modelTakes, book.control)
	live := f.compare(t, book, "live", poison, insertLive)
	bulk := f.compare(t, book, "bulk", poison, insertAtOnce)
	bits := informationBits(n, len(poison))
	t.Logf("\npoison: %d among %d rows, %d instances, a request takes %v\n  live         %v\n  bulk         %v; no search needs fewer than %.0f in all", len(poison), n,
		instances, modelTakes, live, bulk, bits)

	for _, table := range f.tables {
		_, err := world.db.Exec(t.Context(), "UPDATE app."+table+" SET body = 'All is well that ends well.' WHERE body LIKE '%"+refusedWord+"%'")
		require.NoError(t, err)
	}
	f.requireEqual(t, n)
	live.requireCheap(t)
	require.LessOrEqual(t, float64(bulk.with), 1.3*bits+float64(bulk.without), "requests, of rows that come all at once")
}

// compare fills two tables side by side, with and without poison.
func (f *function) compare(t *testing.T, book *ledger, how string, poison []int, insert func(t *testing.T, tables map[string][]int)) compared {
	t.Helper()
	good, poisoned := how+"_good", how+"_poisoned"
	probes := book.probes(f.tables)
	insert(t, map[string][]int{good: nil, poisoned: poison})
	for table, in := range map[string][]int{good: nil, poisoned: poison} {
		f.drained(t, table, lengths.rows, 20*time.Minute)
		f.requireLetters(t, table, in)
	}
	probes = book.probes(f.tables) - probes
	book.mu.Lock()
	defer book.mu.Unlock()
	return compared{
		rows: lengths.rows, poison: len(poison), without: book.requests[good], with: book.requests[poisoned] + probes,
		textsInRequest: float64(book.texts[good]) / float64(book.requests[good]),
	}
}

// requireCheap: rows that come one by one cost 15 % more requests at most when one in a hundred is poison. That is so while requests have few texts. Where the
// machine is so busy that many gather between two requests, each poison row may cost what a search by halves and the proof cost: more than the average request's, because
// it is more often in a large one.
func (c compared) requireCheap(t *testing.T) {
	t.Helper()
	allowed := 0.15 * float64(c.without)
	if c.textsInRequest > fewTexts {
		t.Logf("the machine is busy: %.1f texts gathered for a request", c.textsInRequest)
		allowed = float64(c.poison) * (math.Log2(c.textsInRequest) + 4)
	}
	require.LessOrEqual(t, float64(c.more()), allowed, "more requests, of rows that come one by one")
}

// informationBits is log2 of the ways to choose k of n.
func informationBits(n, k int) float64 {
	ln := func(x int) float64 { v, _ := math.Lgamma(float64(x + 1)); return v }
	return (ln(n) - ln(k) - ln(n-k)) / math.Ln2
}

// insertLive makes each row a transaction of its own, at random times.
func insertLive(t *testing.T, tables map[string][]int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(uint64(lengths.rows), 2))
	due := time.Now()
	for i := range lengths.rows {
		for table, poison := range tables {
			_, err := world.db.Exec(t.Context(), "INSERT INTO app."+table+" VALUES ($1, $2)", i+1, body(table, i+1, poison))
			require.NoError(t, err)
		}
		due = due.Add(time.Duration(rng.ExpFloat64() * float64(time.Second) / liveRate))
		if wait := time.Until(due); wait > 0 {
			require.True(t, await.Rest(t.Context(), wait))
		}
	}
}

// insertAtOnce makes all rows of a table in one transaction.
func insertAtOnce(t *testing.T, tables map[string][]int) {
	t.Helper()
	for table, poison := range tables {
		_, err := world.db.CopyFrom(t.Context(), pgx.Identifier{"app", table}, []string{"id", "body"}, pgx.CopyFromSlice(lengths.rows, func(i int) ([]any, error) {
			return []any{i + 1, body(table, i+1, poison)}, nil
		}))
		require.NoError(t, err)
	}
}

// requireLetters waits until the table's dead letters are exactly those of the poison rows, one for each. A message that the broker gave twice (DESIGN.md,
// section 10) has two.
func (f *function) requireLetters(t *testing.T, table string, poison []int) {
	t.Helper()
	want := make([]string, 0, len(poison))
	for _, id := range poison {
		want = append(want, strconv.Itoa(id)+" "+embed.ReasonBadRequest)
	}
	var found []string
	require.NoError(t, await.Until(t.Context(), patience, func(ctx context.Context) error {
		found = nil
		seen := map[string]bool{}
		err := broker.Read(ctx, world.env.PulsarURL, f.letters(), func(m pulsar.Message) error {
			if p := m.Properties(); p[deadletter.PropTable] == "app."+table && !seen[p[deadletter.PropMessageID]] {
				seen[p[deadletter.PropMessageID]] = true
				found = append(found, p[deadletter.PropRow]+" "+p[deadletter.PropReason])
			}
			return nil
		})
		if err == nil && len(found) < len(want) {
			err = fmt.Errorf("%d of %d dead letters", len(found), len(want))
		}
		return err
	}))
	require.ElementsMatch(t, want, found, "dead letters of %s", table)
}
