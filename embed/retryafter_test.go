package embed

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	for name, test := range map[string]struct {
		value, date string
		want        time.Duration
	}{
		"none":                       {want: 0},
		"seconds":                    {value: "20", want: 20 * time.Second},
		"blanks around":              {value: " 20 ", want: 20 * time.Second},
		"a fraction":                 {value: "0.5", want: 500 * time.Millisecond},
		"zero":                       {value: "0", want: 0},
		"negative":                   {value: "-3", want: 0},
		"too long":                   {value: "86400", want: time.Hour},
		"far too long":               {value: "1e300", want: time.Hour},
		"infinite":                   {value: "Inf", want: time.Hour},
		"not a number":               {value: "NaN", want: 0},
		"words":                      {value: "soon", want: 0},
		"a date":                     {value: at(90 * time.Second), want: 90 * time.Second},
		"a date that is over":        {value: at(-time.Minute), want: 0},
		"a date far off":             {value: at(48 * time.Hour), want: time.Hour},
		"a date, this clock is late": {value: at(time.Hour + 30*time.Second), date: at(time.Hour), want: 30 * time.Second},
		"a date, bad Date header":    {value: at(30 * time.Second), date: "today", want: 30 * time.Second},
	} {
		header := http.Header{}
		header.Set("Retry-After", test.value)
		header.Set("Date", test.date)
		require.Equal(t, test.want, retryAfter(header, now), name)
	}
}
