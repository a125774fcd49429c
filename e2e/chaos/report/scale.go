package report

import (
	"fmt"
	"math"
	"time"
)

// scale maps values to a panel's height, 0 at its floor and 1 at its top.
type scale struct {
	low, high float64
	log       bool
	ticks     []float64
}

// place is where a value stands; what is beyond the scale stands at its end.
func (s scale) place(v float64) float64 {
	low, high := s.low, s.high
	if s.log {
		v, low, high = math.Log10(math.Max(v, low)), math.Log10(low), math.Log10(high)
	}
	return math.Min(1, math.Max(0, (v-low)/(high-low)))
}

// linear goes from 0 to a round number that has room for most, in about four steps.
func linear(most float64) scale {
	step := round(math.Max(most, 1) / 4)
	s := scale{high: step * math.Ceil(math.Max(most, 1)/step)}
	for v := 0.0; v <= s.high+step/2; v += step {
		s.ticks = append(s.ticks, v)
	}
	return s
}

// round is the next of 1, 2, 5, 10, 20, 50 and so on.
func round(v float64) float64 {
	decade := math.Pow(10, math.Floor(math.Log10(v)))
	for _, n := range []float64{1, 2, 5} {
		if v <= n*decade*(1+1e-9) {
			return n * decade
		}
	}
	return 10 * decade
}

// decades goes over whole powers of ten that have room for both.
func decades(least, most float64) scale {
	low, high := math.Floor(math.Log10(least)), math.Ceil(math.Log10(most))
	if high <= low {
		high = low + 1
	}
	s := scale{low: math.Pow(10, low), high: math.Pow(10, high), log: true}
	for e := low; e <= high; e++ {
		s.ticks = append(s.ticks, math.Pow(10, e))
	}
	return s
}

// number writes a tick.
func number(v float64) string { return fmt.Sprintf("%.6g", v) }

// duration writes a tick of seconds.
func duration(v float64) string {
	if v < 1 {
		return fmt.Sprintf("%.6g ms", v*1000)
	}
	return fmt.Sprintf("%.6g s", v)
}

// interval is the distance of the ticks on the axis of time: at most fifteen.
func interval(length time.Duration) time.Duration {
	for _, step := range []time.Duration{5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute} {
		if length <= 15*step {
			return step
		}
	}
	return (length / 15).Round(time.Hour) + time.Hour
}
