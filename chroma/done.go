package chroma

import (
	"encoding/json"
	"fmt"
	"strings"
)

const errNotDone = answerError("it does not say that the write is done")

// decodeDone accepts what says that a write is done, because a record is acknowledged for it: an object that is empty or has counts. Chroma
// answers {} in all releases since 1.0, and 1.5.9 {"deleted":n} to a delete; a later one may count more. What a proxy answers with status 200
// while it is being maintained has words, flags or a code.
func decodeDone(body []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	if members == nil {
		return errNotDone
	}
	for name, value := range members {
		var count *uint64 // nil: null, which says nothing
		if json.Unmarshal(value, &count) != nil || count != nil && codes(name) {
			return errNotDone
		}
	}
	return nil
}

// codes reports whether a member's number is a code and no count, by its name.
func codes(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"status", "code", "err", "retry"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}
