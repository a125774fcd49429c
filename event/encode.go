package event

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxText bounds a text in an event, in bytes. No row id, topic or machine word of rowvec's is longer than this.
const maxText = 1024

// TimeFormat is the form of all times: RFC 3339 in UTC with exactly three decimals, so that texts sort as times do.
const TimeFormat = "2006-01-02T15:04:05.000Z"

// MarshalJSON is AppendJSON.
func (e Event) MarshalJSON() ([]byte, error) { return e.AppendJSON(nil), nil }

// AppendJSON appends the event as JSON on one line. It is written out by hand because it runs for every record: less than half of the time
// that reflection takes, no garbage, and times of one length. Version and FreshnessMs come from what is known, whatever the fields say.
func (e *Event) AppendJSON(b []byte) []byte {
	b = strconv.AppendInt(append(b, `{"version":`...), Version, 10)
	b = appendString(append(b, `,"function":`...), e.Function)
	b = strconv.AppendInt(append(b, `,"instance":`...), int64(e.Instance), 10)
	b = appendText(b, "table", e.Table)
	b = appendText(b, "row", e.Row)
	b = appendText(b, "oldRow", e.OldRow)
	b = appendText(b, "operation", string(e.Operation))
	b = appendString(append(b, `,"outcome":`...), string(e.Outcome))
	b = appendText(b, "reason", e.Reason)
	b = appendText(b, "stage", e.Stage)
	b = appendText(b, "lsn", e.LSN)
	b = appendTime(b, "committedAt", e.CommittedAt)
	b = appendTime(b, "receivedAt", e.ReceivedAt)
	b = appendTime(b, "settledAt", e.SettledAt)
	b = appendTime(b, "durableAt", e.DurableAt)
	if d, ok := e.Freshness(); ok {
		b = strconv.AppendInt(append(b, `,"freshnessMs":`...), d.Milliseconds(), 10)
	}
	b = strconv.AppendInt(append(b, `,"chunks":`...), int64(e.Chunks), 10)
	b = strconv.AppendInt(append(b, `,"texts":`...), int64(e.Texts), 10)
	b = appendCount(b, "attempts", e.Attempts)
	b = appendText(b, "topic", e.Topic)
	b = appendText(b, "messageId", e.MessageID)
	b = appendCount(b, "redelivered", e.Redelivered)
	return append(b, '}')
}

func appendName(b []byte, name string) []byte {
	b = append(b, ',', '"')
	b = append(b, name...)
	return append(b, '"', ':')
}

func appendText(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return appendString(appendName(b, name), value)
}

func appendCount(b []byte, name string, n int) []byte {
	if n == 0 {
		return b
	}
	return strconv.AppendInt(appendName(b, name), int64(n), 10)
}

// appendTime leaves out a time that is not known, and one that the format cannot hold.
func appendTime(b []byte, name string, t time.Time) []byte {
	t = t.UTC()
	if t.IsZero() || t.Year() < 0 || t.Year() > 9999 {
		return b
	}
	b = append(appendName(b, name), '"')
	return append(t.AppendFormat(b, TimeFormat), '"')
}

// appendString appends a text, cut to its bound, as a JSON string.
func appendString(b []byte, s string) []byte {
	if len(s) > maxText || !plain(s) {
		quoted, err := json.Marshal(clip(s))
		if err == nil { // of a string it always is
			return append(b, quoted...)
		}
	}
	b = append(append(b, '"'), s...)
	return append(b, '"')
}

// plain reports whether a text needs no escaping in JSON, HTML included.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return false
		}
	}
	return true
}

// clip shortens a text to maxText bytes of valid UTF-8.
func clip(s string) string {
	if s = strings.ToValidUTF8(s, "\uFFFD"); len(s) <= maxText {
		return s
	}
	const more = "..."
	cut := maxText - len(more)
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + more
}
