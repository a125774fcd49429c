package config

import (
	"maps"
	"slices"
)

// inputs reads every place where a function.yaml may name its topics.
func (s *section) inputs(f *Function) {
	s.texts("inputs", &f.Inputs)
	var pattern string
	s.text("topicsPattern", &pattern)
	if pattern != "" {
		f.Patterns = append(f.Patterns, pattern)
	}
	for _, key := range []string{"inputSpecs", "customSerdeInputs", "customSchemaInputs"} {
		named, _ := s.values[key].(map[string]any) // what else it may be Pulsar says
		for _, topic := range slices.Sorted(maps.Keys(named)) {
			spec, _ := named[topic].(map[string]any)
			into := &f.Inputs
			if isPattern, _ := spec["isRegexPattern"].(bool); isPattern {
				into = &f.Patterns
			}
			if !slices.Contains(*into, topic) {
				*into = append(*into, topic)
			}
		}
	}
}
