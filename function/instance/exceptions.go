package instance

import (
	"strings"
	"time"
	"unicode/utf8"
)

// ExceptionKind says whose fault an exception is, in the words of the status document (contract §2.1).
type ExceptionKind uint8

// The kinds. System: the runtime and what it depends on; user: a record that can never succeed; source: receiving; sink: acknowledging
// and dead-lettering.
const (
	SystemException ExceptionKind = iota
	UserException
	SourceException
	SinkException
	exceptionKinds = 4
)

var exceptionKindNames = [exceptionKinds]string{"system", "user", "source", "sink"}

func (k ExceptionKind) String() string { return exceptionKindNames[k%exceptionKinds] }

// Exception is an error as the status shows it.
type Exception struct {
	Text string
	At   time.Time
}

const (
	recentExceptions = 10   // the runtimes' convention (contract §2.2)
	exceptionBytes   = 2048 // forty of them stay far below gRPC's 4 MiB
	labelBytes       = 200
	labelEvery       = 12 * time.Second // Java's limit on new error labels (contract §3.1)
	labelsKept       = 10               // Java keeps them for ever
)

// recent holds the last exceptions of one kind, oldest first.
type recent []Exception

func (r *recent) add(e Exception) {
	if len(*r) == recentExceptions {
		copy(*r, (*r)[1:])
		(*r)[recentExceptions-1] = e
		return
	}
	*r = append(*r, e)
}

// errorLabels are the values of a metric's error label: few, and a new one not more often than every labelEvery.
type errorLabels struct {
	texts []string
	newer time.Time
}

func (l *errorLabels) add(text string, now time.Time) {
	for _, known := range l.texts {
		if known == text {
			return
		}
	}
	if len(l.texts) > 0 && now.Sub(l.newer) < labelEvery {
		return
	}
	l.newer = now
	if len(l.texts) == labelsKept {
		l.texts = l.texts[1:]
	}
	l.texts = append(l.texts, text)
}

// clip shortens a text to at most limit bytes of valid UTF-8: neither protobuf nor the metrics format takes anything else.
func clip(text string, limit int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= limit {
		return text
	}
	const more = "..."
	cut := limit - len(more)
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + more
}
