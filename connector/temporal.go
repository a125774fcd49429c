package connector

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// What the source sends for infinite values. For timestamps it is the PostgreSQL JDBC driver's constant, the same number in every unit,
// or a thousandth of it where a type's unit is the millisecond; for dates the days -5877611-06-21 (infinity) and -5877611-06-22
// (-infinity) in a streamed change, and what is left of the driver's constant in a row that a snapshot read. No Postgres date can be
// one of these (Debezium 1.9.7 and 3.0.0).
const (
	timestampInfinity         = 9223372036825200000
	timestampNegativeInfinity = -9223372036832400000
	dateInfinity              = -2147472692
	dateNegativeInfinity      = -2147472691

	snapshotDateInfinity         = -622191234
	snapshotDateNegativeInfinity = -625821272
)

const secondsPerDay = 24 * 60 * 60

// timeWriter returns what turns the number of a temporal type into text, nil for a type that is none or comes as text.
func timeWriter(name string) func(n int64) (string, error) {
	switch name {
	case "io.debezium.time.Date", "org.apache.kafka.connect.data.Date":
		return dateText
	case "io.debezium.time.Time", "org.apache.kafka.connect.data.Time":
		return clockIn(time.Millisecond)
	case "io.debezium.time.MicroTime":
		return clockIn(time.Microsecond)
	case "io.debezium.time.NanoTime":
		return clockIn(time.Nanosecond)
	case "io.debezium.time.Timestamp", "org.apache.kafka.connect.data.Timestamp":
		return timestampIn(time.Millisecond)
	case "io.debezium.time.MicroTimestamp":
		return timestampIn(time.Microsecond)
	case "io.debezium.time.NanoTimestamp":
		return timestampIn(time.Nanosecond)
	case "io.debezium.time.MicroDuration":
		return durationIn(time.Microsecond)
	case "io.debezium.time.NanoDuration":
		return durationIn(time.Nanosecond)
	default:
		return nil
	}
}

// dateText writes days since 1970-01-01.
func dateText(days int64) (string, error) {
	switch {
	case days == dateInfinity, days == snapshotDateInfinity, days == math.MaxInt32:
		return "infinity", nil
	case days == dateNegativeInfinity, days == snapshotDateNegativeInfinity, days == math.MinInt32:
		return "-infinity", nil
	case days > math.MaxInt32, days < math.MinInt32:
		return "", malformed(ReasonBadValue, "days within 32 bits for a date", strconv.FormatInt(days, 10))
	}
	return dateOf(time.Unix(days*secondsPerDay, 0).UTC()), nil
}

// timestampIn writes units since 1970-01-01T00:00:00 without an offset: the column has no time zone.
func timestampIn(unit time.Duration) func(int64) (string, error) {
	perSecond := int64(time.Second / unit)
	return func(n int64) (string, error) {
		switch inMillis := unit == time.Millisecond; {
		case n == timestampInfinity, inMillis && n == timestampInfinity/1000:
			return "infinity", nil
		case n == timestampNegativeInfinity, inMillis && n == timestampNegativeInfinity/1000:
			return "-infinity", nil
		}
		seconds, rest := floorDiv(n, perSecond)
		t := time.Unix(seconds, rest*int64(unit)).UTC()
		return dateOf(t) + "T" + t.Format("15:04:05.999999999"), nil
	}
}

// clockIn writes units since midnight. 24:00:00 is a time that Postgres has.
func clockIn(unit time.Duration) func(int64) (string, error) {
	perSecond := int64(time.Second / unit)
	return func(n int64) (string, error) {
		if n < 0 || n > secondsPerDay*perSecond {
			return "", malformed(ReasonBadValue, "a time between 0 and 24 hours", strconv.FormatInt(n, 10)+" units of "+unit.String())
		}
		seconds, rest := floorDiv(n, perSecond)
		return fmt.Sprintf("%02d:%02d:%02d%s", seconds/3600, seconds/60%60, seconds%60, fraction(rest*int64(unit))), nil
	}
}

// durationIn writes units as ISO 8601 hours, minutes and seconds, with the sign in front of the whole: "-PT1H30M".
func durationIn(unit time.Duration) func(int64) (string, error) {
	perSecond := uint64(time.Second / unit)
	return func(n int64) (string, error) {
		if n == 0 {
			return "PT0S", nil
		}
		sign, units := "", uint64(n)
		if n < 0 {
			sign, units = "-", -units
		}
		return sign + "PT" + durationParts(units/perSecond, int64(units%perSecond)*int64(unit)), nil
	}
}

func durationParts(seconds uint64, nanos int64) string {
	var text strings.Builder
	if hours := seconds / 3600; hours > 0 {
		fmt.Fprintf(&text, "%dH", hours)
	}
	if minutes := seconds / 60 % 60; minutes > 0 {
		fmt.Fprintf(&text, "%dM", minutes)
	}
	if rest := seconds % 60; rest > 0 || nanos > 0 {
		fmt.Fprintf(&text, "%d%sS", rest, fraction(nanos))
	}
	return text.String()
}

// fraction writes nanoseconds as ".678901", without trailing zeros, "" for none.
func fraction(nanos int64) string {
	if nanos == 0 {
		return ""
	}
	return "." + strings.TrimRight(fmt.Sprintf("%09d", nanos), "0")
}

// zoned leaves out the zeros at the end of a fraction of a second, and the point when nothing is left behind it.
func zoned(text string) string {
	point := strings.IndexByte(text, '.')
	if point < 0 {
		return text
	}
	end := point + 1
	for end < len(text) && '0' <= text[end] && text[end] <= '9' {
		end++
	}
	return strings.TrimRight(strings.TrimRight(text[:end], "0"), ".") + text[end:]
}

func dateOf(t time.Time) string {
	year, month, day := t.Date()
	switch {
	case year < 0:
		return fmt.Sprintf("-%04d-%02d-%02d", -year, month, day)
	case year > 9999:
		return fmt.Sprintf("+%d-%02d-%02d", year, month, day)
	default:
		return fmt.Sprintf("%04d-%02d-%02d", year, month, day)
	}
}

// floorDiv divides rounding down, so that the rest is never negative.
func floorDiv(n, by int64) (quotient, rest int64) {
	quotient, rest = n/by, n%by
	if rest < 0 {
		quotient, rest = quotient-1, rest+by
	}
	return quotient, rest
}
