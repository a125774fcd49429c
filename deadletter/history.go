package deadletter

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"
)

// MaxHistory bounds the failures that a letter remembers; the oldest are forgotten first. A failure for the same reason as the one
// before is the same Failure, once more.
const MaxHistory = 8

// maxWord bounds the reasons and stages that are believed, in bytes: no function writes longer ones, and a letter has all of them.
const maxWord = 512

// maxRedriven is what a property is believed.
const maxRedriven = 1_000_000

// Failure is one or more failures in succession for one reason.
type Failure struct {
	Reason string    `json:"reason"`
	Stage  string    `json:"stage,omitempty"`
	Times  int       `json:"times"`
	First  time.Time `json:"first,omitzero"` // when it was given up for this
	Last   time.Time `json:"last,omitzero"`
}

// Life is what a letter knows of its message's life.
type Life struct {
	FirstAttempt time.Time // zero: not known
	LastAttempt  time.Time
	Redriven     int
	History      []Failure // without the failure that made this letter
}

// ReadLife reads the properties of a letter. What cannot be read is left out.
func ReadLife(properties map[string]string) Life {
	l := Life{FirstAttempt: moment(properties[PropFirstAttempt]), LastAttempt: moment(properties[PropLastAttempt])}
	l.Redriven = min(max(0, number(properties[PropRedriven])), maxRedriven)
	if err := json.Unmarshal([]byte(properties[PropHistory]), &l.History); err != nil {
		l.History = nil
	}
	l.History = newest(l.History)
	return l
}

// NextLife is the life of a message with the given properties that fails between the two times. Of a message that is no redriven
// letter it begins here.
func NextLife(properties map[string]string, taken, failed time.Time) Life {
	before := ReadLife(properties)
	next := Life{FirstAttempt: before.FirstAttempt, LastAttempt: failed}
	if reason := properties[PropReason]; reason != "" {
		given := moment(properties[PropTime])
		next.Redriven = before.Redriven + 1
		next.History = remember(before.History, Failure{Reason: reason, Stage: properties[PropStage], Times: 1, First: given, Last: given})
		if next.FirstAttempt.IsZero() {
			next.FirstAttempt = given // of a build that did not tell
		}
	}
	if next.FirstAttempt.IsZero() {
		next.FirstAttempt = taken
	}
	return next
}

// Write sets the properties.
func (l Life) Write(properties map[string]string) {
	set := func(name, value string) {
		if value != "" {
			properties[name] = value
		}
	}
	set(PropFirstAttempt, Timestamp(l.FirstAttempt))
	set(PropLastAttempt, Timestamp(l.LastAttempt))
	if l.Redriven > 0 {
		set(PropRedriven, strconv.Itoa(l.Redriven))
	}
	if text, err := json.Marshal(l.History); err == nil && len(l.History) > 0 {
		set(PropHistory, string(text))
	}
}

// InVain is how often in succession the message was redriven only to fail for this reason again.
func (l Life) InVain(reason string) int {
	if n := len(l.History); n > 0 && l.History[n-1].Reason == reason {
		return l.History[n-1].Times
	}
	return 0
}

// remember appends a failure, or counts it to the last one.
func remember(history []Failure, f Failure) []Failure {
	all := append([]Failure(nil), history...)
	if n := len(all); n > 0 && all[n-1].Reason == f.Reason && all[n-1].Stage == f.Stage {
		all[n-1].Times += f.Times
		all[n-1].Last = f.Last
		return all
	}
	return newest(append(all, f))
}

func newest(history []Failure) []Failure {
	history = slices.DeleteFunc(history, func(f Failure) bool { return len(f.Reason) > maxWord || len(f.Stage) > maxWord })
	return history[max(0, len(history)-MaxHistory):]
}

// Timestamp is a time as the properties have it; empty for the zero time.
func Timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// moment reads a Timestamp; zero where it is none.
func moment(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}
