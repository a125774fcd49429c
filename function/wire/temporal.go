package wire

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// What the source sends for infinite dates and timestamps when no schema says what its numbers are (see package connector).
const (
	timestampInfinity         = int64(9223372036825200000)
	timestampNegativeInfinity = int64(-9223372036832400000)
	dateInfinity              = int64(-2147472692)
	dateNegativeInfinity      = int64(-2147472691)
)

// temporal converts a date or time as Postgres prints it. With a schema at hand package connector makes ISO 8601 of it; without one it
// stays the number that Debezium sends: days; in its adaptive precision mode milliseconds for a declared precision of up to 3, else
// microseconds. A timestamp with time zone is text either way, in UTC.
func temporal(c *Column, text string, f Form) (any, error) {
	if text == "infinity" || text == "-infinity" {
		return infinite(c, text, f), nil
	}
	if c.Type == "time" {
		return clock(c, text, f)
	}
	m, err := parseMoment(text)
	if err != nil {
		return nil, err
	}
	switch {
	case c.Type == "timestamptz":
		if f.Padded {
			m.pad(c.Modifier)
		}
		return m.date() + "T" + m.clock() + "Z", nil
	case f.Temporals == TemporalText && c.Type == "date":
		return m.date(), nil
	case f.Temporals == TemporalText && f.Precision == PrecisionMillis:
		return m.date() + "T" + cut(m.clock()), nil
	case f.Temporals == TemporalText:
		return m.date() + "T" + m.clock(), nil
	case c.Type == "date":
		return m.unix() / secondsPerDay, nil
	case coarse(c, f):
		return m.unix()*1000 + m.micros()/1000, nil
	default:
		return m.unix()*1_000_000 + m.micros(), nil
	}
}

const secondsPerDay = 24 * 60 * 60

// coarse reports whether the source sends milliseconds.
func coarse(c *Column, f Form) bool {
	if f.Precision == PrecisionMicros && c.Type == "time" {
		return false
	}
	return f.Precision == PrecisionMillis || c.Modifier >= 0 && c.Modifier <= 3
}

func infinite(c *Column, text string, f Form) any {
	negative := text[0] == '-'
	switch {
	case c.Type == "timestamptz" || f.Temporals == TemporalText:
		return text
	case c.Type == "date" && negative:
		return dateNegativeInfinity
	case c.Type == "date":
		return dateInfinity
	case negative:
		return timestampNegativeInfinity
	default:
		return timestampInfinity
	}
}

func clock(c *Column, text string, f Form) (any, error) {
	switch {
	case f.Temporals == TemporalText && f.Precision == PrecisionMillis:
		return cut(text), nil
	case f.Temporals == TemporalText:
		return text, nil
	}
	m := moment{}
	if err := m.readClock(text); err != nil {
		return nil, err
	}
	seconds := int64(m.hour)*3600 + int64(m.minute)*60 + int64(m.second)
	if coarse(c, f) {
		return seconds*1000 + m.micros()/1000, nil
	}
	return seconds*1_000_000 + m.micros(), nil
}

// moment is a date and time as Postgres prints it. Year 0 is 1 BC.
type moment struct {
	year, month, day     int
	hour, minute, second int
	fraction             string // digits behind the point
}

// parseMoment reads "2026-01-02", "2026-01-02 03:04:05.6", "0044-03-15 00:00:00+00 BC".
func parseMoment(text string) (m moment, err error) {
	body, before := strings.CutSuffix(text, " BC")
	date, clock, has := strings.Cut(body, " ")
	parts := strings.Split(date, "-")
	if len(parts) != 3 {
		return m, fmt.Errorf("%q is not a date", text)
	}
	for i, into := range []*int{&m.year, &m.month, &m.day} {
		if *into, err = strconv.Atoi(parts[i]); err != nil {
			return m, fmt.Errorf("%q is not a date", text)
		}
	}
	if before {
		m.year = 1 - m.year
	}
	if has {
		err = m.readClock(strings.TrimSuffix(clock, "+00"))
	}
	return m, err
}

func (m *moment) readClock(text string) error {
	whole, fraction, _ := strings.Cut(text, ".")
	parts := strings.Split(whole, ":")
	if len(parts) != 3 {
		return fmt.Errorf("%q is not a time", text)
	}
	for i, into := range []*int{&m.hour, &m.minute, &m.second} {
		var err error
		if *into, err = strconv.Atoi(parts[i]); err != nil {
			return fmt.Errorf("%q is not a time", text)
		}
	}
	m.fraction = fraction
	return nil
}

// pad fills the fraction up to the column's precision, 6 where it declares none.
func (m *moment) pad(precision int) {
	if precision < 0 {
		precision = 6
	}
	m.fraction += strings.Repeat("0", max(0, precision-len(m.fraction)))
}

func (m *moment) date() string {
	switch {
	case m.year < 0:
		return fmt.Sprintf("-%04d-%02d-%02d", -m.year, m.month, m.day)
	case m.year > 9999:
		return fmt.Sprintf("+%d-%02d-%02d", m.year, m.month, m.day)
	default:
		return fmt.Sprintf("%04d-%02d-%02d", m.year, m.month, m.day)
	}
}

func (m *moment) clock() string {
	text := fmt.Sprintf("%02d:%02d:%02d", m.hour, m.minute, m.second)
	if m.fraction != "" {
		text += "." + m.fraction
	}
	return text
}

func (m *moment) unix() int64 {
	return time.Date(m.year, time.Month(m.month), m.day, m.hour, m.minute, m.second, 0, time.UTC).Unix()
}

// micros is the fraction in microseconds.
func (m *moment) micros() int64 {
	n, _ := strconv.ParseInt((m.fraction + "000000")[:6], 10, 64) // digits, as Postgres prints them
	return n
}
