package mailbox

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// position is an entry of a topic.
type position struct{ ledger, entry int64 }

func (p position) compare(q position) int {
	return cmp.Or(cmp.Compare(p.ledger, q.ledger), cmp.Compare(p.entry, q.entry))
}

func (p position) String() string { return fmt.Sprintf("%d:%d", p.ledger, p.entry) }

// parsePosition reads ledger:entry, as the broker writes it.
func parsePosition(text string) (position, error) {
	ledger, entry, found := strings.Cut(text, ":")
	l, err := strconv.ParseInt(ledger, 10, 64)
	e, err2 := strconv.ParseInt(entry, 10, 64)
	if !found || err != nil || err2 != nil {
		return position{}, fmt.Errorf("expected a position like 12:34, found %q", text)
	}
	return position{l, e}, nil
}

// span is the entries after one position up to another.
type span struct{ after, upto position }

// parseSpans reads the broker's ranges, "[(12:3..12:5],(12:7..12:8]]".
func parseSpans(text string) ([]span, error) {
	inner, ok := strings.CutPrefix(text, "[")
	inner, ok2 := strings.CutSuffix(inner, "]")
	if !ok || !ok2 {
		return nil, fmt.Errorf("expected ranges like [(12:3..12:5]], found %q", text)
	}
	if inner == "" {
		return nil, nil
	}
	var spans []span
	for _, part := range strings.Split(inner, ",") {
		s, err := parseSpan(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		spans = append(spans, s)
	}
	return spans, nil
}

func parseSpan(text string) (span, error) {
	inner, ok := strings.CutPrefix(text, "(")
	inner, ok2 := strings.CutSuffix(inner, "]")
	after, upto, ok3 := strings.Cut(inner, "..")
	if !ok || !ok2 || !ok3 {
		return span{}, fmt.Errorf("expected a range like (12:3..12:5], found %q", text)
	}
	a, err := parsePosition(after)
	if err != nil {
		return span{}, err
	}
	u, err := parsePosition(upto)
	return span{a, u}, err
}

// topicName is a topic in its three parts; all topics here are persistent.
type topicName struct{ tenant, namespace, name string }

// parseTopic reads a full name, tenant/namespace/name, or a name of public/default, as the client does.
func parseTopic(text string) (topicName, error) {
	rest := text
	if domain, after, found := strings.Cut(text, "://"); found {
		if domain != "persistent" {
			return topicName{}, fmt.Errorf("topic %s: expected persistent://tenant/namespace/name", text)
		}
		rest = after
	}
	switch parts := strings.Split(rest, "/"); {
	case len(parts) == 1 && parts[0] != "":
		return topicName{"public", "default", parts[0]}, nil
	case len(parts) == 3 && parts[0] != "" && parts[1] != "" && parts[2] != "":
		return topicName{parts[0], parts[1], parts[2]}, nil
	default:
		return topicName{}, fmt.Errorf("topic %s: expected persistent://tenant/namespace/name", text)
	}
}

func (t topicName) full() string {
	return "persistent://" + t.tenant + "/" + t.namespace + "/" + t.name
}

// partition is one of the topic's; the topic itself for -1.
func (t topicName) partition(n int) topicName {
	if n >= 0 {
		t.name += "-partition-" + strconv.Itoa(n)
	}
	return t
}
