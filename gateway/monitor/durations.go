package monitor

import (
	"cmp"
	"math"
	"slices"
)

// durations are how long things took, in milliseconds, counted in buckets each of which is 2 % wider than the one before: what is told of
// them is within 1 %, however many there were, and seconds can be added up. The zero value has none.
type durations struct {
	count       int64
	least, most float64
	buckets     []bucket // by rising number; those without a duration are not there
}

type bucket struct {
	number int16
	count  uint32
}

const (
	growth   = 1.02
	middle   = 2 / (1 + growth) // of a bucket, by its upper end
	shortest = .001             // milliseconds, as longest, which is 30 years
	longest  = 1e12
)

func (d *durations) add(ms float64) {
	ms = min(max(ms, shortest), longest)
	number := int16(math.Ceil(math.Log(ms) / math.Log(growth))) // -349 to 1396
	d.put(bucket{number, 1})
	if d.count == 0 || ms < d.least {
		d.least = ms
	}
	d.most = max(d.most, ms)
	d.count++
}

func (d *durations) put(b bucket) {
	at, found := slices.BinarySearchFunc(d.buckets, b.number, func(b bucket, number int16) int { return cmp.Compare(b.number, number) })
	if found {
		d.buckets[at].count += b.count
	} else {
		d.buckets = slices.Insert(d.buckets, at, b)
	}
}

// merge adds another's.
func (d *durations) merge(o *durations) {
	if o.count == 0 {
		return
	}
	for _, b := range o.buckets {
		d.put(b)
	}
	if d.count == 0 || o.least < d.least {
		d.least = o.least
	}
	d.most = max(d.most, o.most)
	d.count += o.count
}

// quantiles returns nil where nothing was measured.
func (d *durations) quantiles() *Quantiles {
	if d.count == 0 {
		return nil
	}
	return &Quantiles{Count: d.count, P50: d.at(.5), P95: d.at(.95), P99: d.at(.99)}
}

// at is the duration that a part q of all are below.
func (d *durations) at(q float64) float64 {
	rank := min(d.count-1, int64(q*float64(d.count)))
	for _, b := range d.buckets {
		if rank -= int64(b.count); rank < 0 {
			value := math.Pow(growth, float64(b.number)) * middle
			return math.Round(min(max(value, d.least), d.most)*1_000) / 1_000 // to the microsecond
		}
	}
	return d.most
}
