package verify

import (
	"iter"

	"github.com/rowvec/rowvec/chroma"
)

// firstWeight is what a suspect is taken to weigh before any was looked up, in bytes.
const firstWeight = pageBytes / 16

// parts cuts suspects so that the rows and records of a part weigh about pageBytes: by what each weighed when it was compared last, and
// before that by the heaviest of late.
func (c *comparison) parts(batch []suspect) iter.Seq[[]suspect] {
	return func(yield func([]suspect) bool) {
		for len(batch) > 0 {
			n, bytes := 0, 0
			for n < len(batch) && n < settleBatch {
				weight := batch[n].bytes
				if weight == 0 {
					weight = c.weight
				}
				if bytes += weight; n > 0 && bytes > pageBytes {
					break
				}
				n++
			}
			if !yield(batch[:n]) {
				return
			}
			batch = batch[n:]
		}
	}
}

// weigh notes what suspects that were looked up weigh.
func (c *comparison) weigh(v *view, batch []suspect) {
	heaviest := 0
	for i := range batch {
		s := &batch[i]
		s.bytes = weigh(v.rows[s.id], s, v.records)
		heaviest = max(heaviest, s.bytes)
	}
	c.weight = max(heaviest, c.weight/2)
}

// weigh is about how many bytes a row and its records take.
func weigh(e *entry, s *suspect, records map[string]chroma.Match) int {
	ids := []string{s.id}
	weight := 0
	if e != nil {
		ids, weight = e.ids(), e.bytes
	}
	for _, list := range [][]string{ids, s.extra} {
		for _, id := range list {
			weight += recordWeight(records[id])
		}
	}
	return weight
}

// perValue is what a value takes beside its bytes.
const perValue = 32

func recordWeight(m chroma.Match) int {
	weight := perValue + len(m.ID) + len(m.Document)
	for key, value := range m.Metadata {
		weight += perValue + len(key)
		switch v := value.(type) {
		case string:
			weight += len(v)
		case []string:
			for _, text := range v {
				weight += perValue + len(text)
			}
		}
	}
	return weight
}

// weight is about how many bytes a row takes.
func (r Row) weight() int {
	weight := 0
	for _, v := range r {
		weight += perValue + len(v.Text)
	}
	return weight
}
