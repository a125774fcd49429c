package admin

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// EditProperties replaces values in a Java properties file of plain lines, name=value, and leaves comments and order as they are. The file must have each
// name: a setting that was renamed must not be added under its old name.
func EditProperties(doc []byte, edits map[string]string) ([]byte, error) {
	left := maps.Clone(edits)
	var out strings.Builder
	for line := range strings.Lines(string(doc)) {
		name, _, ok := strings.Cut(line, "=")
		if value, edited := left[name]; ok && edited {
			delete(left, name)
			line = name + "=" + value + "\n"
		}
		out.WriteString(line)
	}
	if len(left) > 0 {
		return nil, fmt.Errorf("the properties do not have %s", strings.Join(slices.Sorted(maps.Keys(left)), ", "))
	}
	return []byte(out.String()), nil
}
