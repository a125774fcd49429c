package instance

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/pulsar-client-go/pulsar"

	"github.com/rowvec/rowvec/deadletter"
)

// Chunks cut a message's payload, not its metadata: key, ordering key and properties stand in every chunk, and count towards the broker's
// maxMessageSize, 5 MiB where it is not configured. A letter whose metadata is more is refused however often it is published, and where
// it is almost as much the payload goes in chunks of a few bytes. The original message may have had 5 MiB of it, and the letter says
// more. So it is bounded: all of it such that a chunk has a MiB for the payload, and the parts that nobody needs to redrive the letter.
const (
	longMetadata  = 4 << 20
	longProperty  = 1 << 20 // inherited properties, together
	longKey       = 1 << 20 // the ordering key: with a message key as long, the two may be too much
	leastMetadata = 64 << 10

	propertyFrame = 16             // bytes around a property's name and value, at most
	spareMetadata = longText + 512 // what fit itself says, and the fields that every message has
	omittedNames  = 16
	omittedName   = 64
)

// fit leaves out of a letter what is more than room bytes of metadata, and says so in it: the key first of all stays, then the ordering
// key, then the inherited properties, of which the largest go first. The payload, and what the letter says, always stay.
func fit(m *pulsar.ProducerMessage, room int) *pulsar.ProducerMessage {
	room -= spareMetadata
	inherited := map[string]int{}
	for name, value := range m.Properties {
		size := len(name) + len(value) + propertyFrame
		if strings.HasPrefix(name, deadletter.Prefix) {
			room -= size
			continue
		}
		inherited[name] = size
	}
	var omitted []string
	keep := func(what string, key *string, most int) {
		if len(*key) > most {
			omitted = append(omitted, fmt.Sprintf("the %s (%d bytes)", what, len(*key)))
			*key = ""
		}
		room -= len(*key)
	}
	keep("key", &m.Key, max(0, room))
	keep("ordering key", &m.OrderingKey, max(0, min(room, longKey)))
	for _, name := range surplus(inherited, min(room, longProperty)) {
		omitted = append(omitted, fmt.Sprintf("%s (%d bytes)", clip(name, omittedName), len(m.Properties[name])))
		delete(m.Properties, name)
	}
	if len(omitted) > 0 {
		m.Properties[deadletter.PropOmitted] = tell(m.Properties[deadletter.PropOmitted], omitted)
	}
	return m
}

// surplus are the names of the largest, without which the others are no more than room.
func surplus(sizes map[string]int, room int) []string {
	names := make([]string, 0, len(sizes))
	total := 0
	for name, size := range sizes {
		names = append(names, name)
		total += size
	}
	if total <= room {
		return nil
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(sizes[b], sizes[a]), cmp.Compare(a, b)) })
	for i, name := range names {
		if total <= room {
			return names[:i]
		}
		total -= sizes[name]
	}
	return names
}

// tell names what was left out, after what was before the message was redriven.
func tell(before string, omitted []string) string {
	if more := len(omitted) - omittedNames; more > 0 {
		omitted = append(omitted[:omittedNames:omittedNames], fmt.Sprintf("and %d more", more))
	}
	text := strings.Join(omitted, ", ")
	if before != "" {
		text = before + ", " + text
	}
	return clip(text, longText)
}
