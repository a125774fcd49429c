// Package plant makes changes that can never succeed, and judges whether the dead letters are exactly those.
package plant

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// What the endpoint does not embed: it refuses the first, and has no numbers for the second.
const (
	Refused     = "unspeakable"
	Unnumbered  = "innumerable"
	markPattern = `plant-(\d+)\b`
)

// Plant is one change that must be dead-lettered. It is known again by its number, which its payload holds.
type Plant struct {
	Number int
	Row    string // "" where no row can be told
	Stage  string
	Reason string
}

// Mark is the word by which a payload tells its plant.
func (p Plant) Mark() string { return "plant-" + strconv.Itoa(p.Number) }

// Letter is what was found in the dead-letter topic.
type Letter struct {
	Payload   string
	Row       string
	Stage     string
	Reason    string
	MessageID string // of the message in its source topic
}

// Verdict says how the letters compare with the plants.
type Verdict struct {
	Expected   int      // plants
	Letters    int      // letters in the topic
	Again      int      // letters of a message that has one already: the instance died between publishing and acknowledging
	Resent     int      // letters of plants that have one already, for another message: the source has sent the row again
	Missing    []string // plants without a letter
	Unexpected []string // letters of no plant
	Wrong      []string // letters of a plant with another reason, stage or row
}

// Exact reports whether each plant has its letter, and there are no others.
func (v Verdict) Exact() bool { return len(v.Missing)+len(v.Unexpected)+len(v.Wrong) == 0 }

var mark = regexp.MustCompile(markPattern)

// number finds the last mark of a payload: an update's payload has the row as it was before that as it is now, and the first may be another plant.
func number(payload string) (int, bool) {
	found := mark.FindAllStringSubmatch(payload, -1)
	if len(found) == 0 {
		return 0, false
	}
	n, err := strconv.Atoi(found[len(found)-1][1])
	return n, err == nil
}

// Judge compares the dead letters with what was planted.
func Judge(plants []Plant, letters []Letter) Verdict {
	v := Verdict{Expected: len(plants), Letters: len(letters)}
	open, byNumber, messages := map[int]bool{}, map[int]Plant{}, map[string]bool{}
	for _, p := range plants {
		open[p.Number], byNumber[p.Number] = true, p
	}
	for _, l := range letters {
		n, marked := number(l.Payload)
		p, known := byNumber[n]
		switch {
		case !marked || !known:
			v.Unexpected = append(v.Unexpected, fmt.Sprintf("row %q: %s in %s, message %s: %.300s", l.Row, l.Reason, l.Stage, l.MessageID, l.Payload))
			continue
		case l.Reason != p.Reason || l.Stage != p.Stage || l.Row != p.Row:
			v.Wrong = append(v.Wrong, fmt.Sprintf("%s: row %q, %s in %s, expected row %q, %s in %s", p.Mark(), l.Row, l.Reason, l.Stage, p.Row, p.Reason, p.Stage))
		}
		switch {
		case messages[l.MessageID]:
			v.Again++
		case !open[n]:
			v.Resent++
		}
		messages[l.MessageID] = true
		delete(open, n)
	}
	for n := range open {
		v.Missing = append(v.Missing, fmt.Sprintf("%s: row %q, %s", byNumber[n].Mark(), byNumber[n].Row, byNumber[n].Reason))
	}
	slices.SortFunc(v.Missing, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b)) })
	return v
}
