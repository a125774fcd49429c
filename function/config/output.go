package config

import (
	"regexp"
	"strings"
)

// topicName is a topic as Pulsar takes it: a name alone, tenant/namespace/name, or that with its domain.
var topicName = regexp.MustCompile(`^(?:(?:(?:non-)?persistent://)?[-=:.\w]+/[-=:.\w]+/)?[^/:\s]+$`)

// checkOutput refuses an output topic that something else is read from or written to: its events would come back as records, or stand
// among messages that are none.
func (s *section) checkOutput(f *Function, deadLetters string) {
	if f.Output == "" {
		return
	}
	if !topicName.MatchString(f.Output) {
		s.fail("output", "expected a topic such as persistent://%s/%s/%s-events, found %q", f.Tenant, f.Namespace, f.Name, f.Output)
		return
	}
	for _, in := range f.Inputs {
		if sameTopic(f.Output, in) {
			s.fail("output", "it is among the inputs, so that each event would come back as a record; set another topic")
		}
	}
	switch {
	case sameTopic(f.Output, deadLetters):
		s.fail("output", "it is the dead-letter topic, where only messages to be sent again may be; set another topic")
	case sameTopic(f.Output, f.LogTopic):
		s.fail("output", "it is the logTopic; set another topic")
	}
}

// sameTopic compares names of which one may lack the domain, or the tenant and namespace.
func sameTopic(a, b string) bool { return fullTopic(a) == fullTopic(b) }

func fullTopic(name string) string {
	switch {
	case strings.Contains(name, "://"):
		return name
	case strings.Contains(name, "/"):
		return "persistent://" + name
	default:
		return "persistent://public/default/" + name
	}
}
