// Package schedule draws the faults of a chaos run: the same ones for the same seed and length.
package schedule

import (
	"math/rand/v2"
	"regexp"
	"time"
)

// Kind is one way in which something fails.
type Kind struct {
	Name      string
	Component string        // what fails
	Hold      time.Duration // how long the fault lasts, until what failed is given back; 0 where it is over at once
	Brief     time.Duration // Hold in the short form
	Cost      time.Duration // what Hold, giving back and recovery take, roughly
	Short     bool          // drawn in the short form, too
}

// Fault is one event of a schedule.
type Fault struct {
	Kind

	At time.Duration // from the start of the run; later when the fault before it has not healed by then
}

// The parts that fail.
const (
	Instance = "instance"
	Function = "function"
	Pulsar   = "pulsar"
	Chroma   = "chroma"
	Endpoint = "endpoint"
	Postgres = "postgres"
	Source   = "source"
)

// Components lists the parts, in the order of a change's way.
func Components() []string {
	return []string{Postgres, Source, Pulsar, Function, Instance, Endpoint, Chroma}
}

// shortest is the length from which on the long form is run: with all kinds, and with longer faults.
const shortest = 15 * time.Minute

// Draw returns the schedule of a run. Below 15 minutes it has each kind of the short form once, as far as they fit: five minutes have room for all. From
// there on it has every kind at least once, and more of them as long as they fit.
func Draw(seed uint64, length time.Duration) []Fault {
	rng := rand.New(rand.NewPCG(seed, seed))
	var kinds []Kind
	for _, k := range Kinds() {
		if length < shortest && !k.Short {
			continue
		}
		if length < shortest {
			k.Cost, k.Hold = k.Cost-k.Hold+k.Brief, k.Brief
		}
		kinds = append(kinds, k)
	}
	drawn := append([]Kind(nil), kinds...)
	if length >= shortest {
		drawn = fill(rng, drawn, kinds, length)
	}
	rng.Shuffle(len(drawn), func(i, j int) { drawn[i], drawn[j] = drawn[j], drawn[i] })
	for length < shortest && len(drawn) > 1 && total(drawn) > length {
		drawn = drawn[:len(drawn)-1]
	}
	return spread(drawn, length)
}

// Only returns a schedule of the kinds whose names match, each once and as in the long form.
func Only(seed uint64, length time.Duration, names *regexp.Regexp) []Fault {
	var kinds []Kind
	for _, k := range Kinds() {
		if names.MatchString(k.Name) {
			kinds = append(kinds, k)
		}
	}
	rng := rand.New(rand.NewPCG(seed, seed))
	rng.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	return spread(kinds, length)
}

// fill adds kinds while four fifths of the length are not used up.
func fill(rng *rand.Rand, drawn, kinds []Kind, length time.Duration) []Kind {
	for {
		next := kinds[rng.IntN(len(kinds))]
		if total(drawn)+next.Cost > length*4/5 {
			return drawn
		}
		drawn = append(drawn, next)
	}
}

func total(kinds []Kind) (sum time.Duration) {
	for _, k := range kinds {
		sum += k.Cost
	}
	return sum
}

// spread gives each fault its share of the length, by what it costs. The first comes when the stream has begun to flow.
func spread(kinds []Kind, length time.Duration) []Fault {
	faults := make([]Fault, 0, len(kinds))
	lead := length / 60
	at, scale := lead, float64(length-lead)/float64(max(1, total(kinds)))
	for _, k := range kinds {
		faults = append(faults, Fault{Kind: k, At: at.Round(100 * time.Millisecond)})
		at += time.Duration(float64(k.Cost) * scale)
	}
	return faults
}
