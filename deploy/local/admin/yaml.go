package admin

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Edit returns a YAML document with other values: each change's key is a path of keys with slashes between (userConfig/chroma/url),
// because Debezium's own keys have dots. A nil value removes the key. Missing levels are made. A level is set before what stands
// in it, so that both may be given.
func Edit(document []byte, changes map[string]any) ([]byte, error) {
	var root map[string]any
	if err := yaml.Unmarshal(document, &root); err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	for _, path := range slices.Sorted(maps.Keys(changes)) { // a level before what stands in it
		value := changes[path]
		keys := strings.Split(path, "/")
		level := root
		for _, key := range keys[:len(keys)-1] {
			next, ok := level[key].(map[string]any)
			if !ok {
				next = map[string]any{}
				level[key] = next
			}
			level = next
		}
		last := keys[len(keys)-1]
		if value == nil {
			delete(level, last)
			continue
		}
		level[last] = value
	}
	out, err := yaml.Marshal(root)
	if err != nil {
		return nil, fmt.Errorf("write the document: %w", err)
	}
	return out, nil
}
