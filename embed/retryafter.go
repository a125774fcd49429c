package embed

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter bounds what an endpoint may ask for: a wrong clock must not stop the function for days.
const maxRetryAfter = time.Hour

// retryAfter reads the Retry-After header as seconds (also fractions, which some endpoints send) or as an HTTP date (RFC 9110 §10.2.3).
// A date counts from the answer's own Date header where there is one, so that a wrong clock on this side does not matter.
func retryAfter(header http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		return boundedSeconds(seconds)
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		now = date
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}

func boundedSeconds(seconds float64) time.Duration {
	switch {
	case math.IsNaN(seconds), seconds <= 0:
		return 0
	case seconds >= maxRetryAfter.Seconds():
		return maxRetryAfter
	default:
		return time.Duration(seconds * float64(time.Second))
	}
}
