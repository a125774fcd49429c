package stack

import (
	"os"
	"strings"
)

// environ is this program's environment without the variables that would change how a part runs, and with some more. A user who has sourced
// stack.env, or works with another Pulsar or Postgres, must get the same stack as one who has not.
func environ(without []string, with ...string) []string {
	kept := make([]string, 0, len(os.Environ())+len(with))
	for _, pair := range os.Environ() {
		if !matches(pair, without) {
			kept = append(kept, pair)
		}
	}
	return append(kept, with...)
}

// matches reports whether the pair's key is one of the patterns; a pattern that ends in "*" stands for all keys that begin so.
func matches(pair string, patterns []string) bool {
	key, _, _ := strings.Cut(pair, "=")
	for _, p := range patterns {
		if prefix, open := strings.CutSuffix(p, "*"); key == p || (open && strings.HasPrefix(key, prefix)) {
			return true
		}
	}
	return false
}
