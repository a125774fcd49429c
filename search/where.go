package search

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/agnivade/levenshtein"

	"github.com/rowvec/rowvec/function/document"
)

// Limits of a filter.
const (
	maxDepth      = 8   // of $and and $or in each other
	maxConditions = 100 // in all
)

const whereField = "where"

// filter is a filter being read: it is checked and built anew, so that nothing else than what is understood here reaches Chroma.
type filter struct {
	fields     []string
	used       map[string]bool // of them
	conditions int
}

// parseWhere returns the filter in Chroma's form, nil for none, and the fields that it names. Its errors are *Error of kind Invalid and name the place.
func parseWhere(where map[string]any, fields []string) (parsed map[string]any, used map[string]bool, err error) {
	if len(where) == 0 {
		return nil, nil, nil
	}
	f := &filter{fields: fields, used: map[string]bool{}}
	parsed, err = f.object(whereField, where, 1)
	return parsed, f.used, err
}

// object reads one level. Several keys must all hold.
func (f *filter) object(at string, object map[string]any, depth int) (map[string]any, error) {
	if depth > maxDepth {
		return nil, invalid(at, "expected at most %d levels", maxDepth)
	}
	if len(object) == 0 {
		return nil, invalid(at, `expected a condition such as {"stock": {"$gt": 0}}, found none`)
	}
	var all []map[string]any
	for _, key := range slices.Sorted(maps.Keys(object)) {
		parts, err := f.entry(at+"."+key, key, object[key], depth)
		if err != nil {
			return nil, err
		}
		all = append(all, parts...)
	}
	return joined("$and", all), nil
}

func (f *filter) entry(at, key string, value any, depth int) ([]map[string]any, error) {
	switch {
	case key == "$and" || key == "$or":
		part, err := f.list(at, key, value, depth)
		return []map[string]any{part}, err
	case strings.HasPrefix(key, "$"):
		return nil, invalid(at, "expected a column, $and or $or")
	}
	if err := f.column(at, key); err != nil {
		return nil, err
	}
	if operators, ok := value.(map[string]any); ok {
		return f.operators(at, key, operators)
	}
	part, err := f.condition(at, key, "$eq", value)
	return []map[string]any{part}, err
}

// list reads the operand of $and and $or.
func (f *filter) list(at, operator string, value any, depth int) (map[string]any, error) {
	elements, ok := value.([]any)
	if !ok || len(elements) == 0 {
		return nil, invalid(at, "expected a list of conditions, found %s", describe(value))
	}
	parts := make([]map[string]any, len(elements))
	for i, element := range elements {
		place := fmt.Sprintf("%s[%d]", at, i)
		object, ok := element.(map[string]any)
		if !ok {
			return nil, invalid(place, "expected a condition, found %s", describe(element))
		}
		var err error
		if parts[i], err = f.object(place, object, depth+1); err != nil {
			return nil, err
		}
	}
	return joined(operator, parts), nil
}

// operators reads {"$gt": 1, "$lt": 5}; Chroma takes one operator at a time.
func (f *filter) operators(at, column string, operators map[string]any) ([]map[string]any, error) {
	if len(operators) == 0 {
		return nil, invalid(at, `expected an operator such as {"$gt": 5}, found none`)
	}
	parts := make([]map[string]any, 0, len(operators))
	for _, operator := range slices.Sorted(maps.Keys(operators)) {
		part, err := f.condition(at+"."+operator, column, operator, operators[operator])
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	return parts, nil
}

func (f *filter) condition(at, column, operator string, value any) (map[string]any, error) {
	if f.conditions++; f.conditions > maxConditions {
		return nil, invalid(at, "expected at most %d conditions", maxConditions)
	}
	is := func(operand any) map[string]any { return map[string]any{column: map[string]any{operator: operand}} }
	switch operator {
	case "$eq", "$ne":
		operand, err := scalar(at, value)
		return is(operand), err
	case "$gt", "$gte", "$lt", "$lte":
		operand, err := number(at, value)
		return is(operand), err
	case "$in", "$nin":
		operand, err := list(at, value)
		return is(operand), err
	case "$contains", "$not_contains":
		operand, err := scalar(at, value)
		if err != nil {
			return nil, err
		}
		return inList(operator, operand, is), nil
	}
	return nil, invalid(at, "unknown operator; known are $eq, $ne, $gt, $gte, $lt, $lte, $in, $nin, $contains, $not_contains")
}

// inList looks for a whole number both as such and as a fraction: Chroma 1.5.9 tells them apart in lists, and only there, as was seen.
func inList(operator string, operand any, is func(any) map[string]any) map[string]any {
	whole, ok := operand.(int64)
	if !ok || whole > 1<<53 || whole < -1<<53 {
		return is(operand)
	}
	both := []map[string]any{is(operand), is(fraction(float64(whole)))}
	if operator == "$contains" {
		return joined("$or", both)
	}
	return joined("$and", both)
}

// column refuses what is not of the table's metadata.
func (f *filter) column(at, key string) error {
	switch {
	case document.IsReserved(key):
		return invalid(at, "is rowvec's own; filter by the table's metadata columns")
	case slices.Contains(f.fields, key):
		f.used[key] = true
		return nil
	case len(f.fields) == 0:
		return invalid(at, "the table has no metadata columns to filter by; they are named in the settings")
	}
	return invalid(at, "unknown column%s", suggestion(key, f.fields))
}

func joined(operator string, parts []map[string]any) map[string]any {
	if len(parts) == 1 {
		return parts[0]
	}
	return map[string]any{operator: parts}
}

// suggestion names the nearest of the known names, or all of them where none is near.
func suggestion(name string, known []string) string {
	best, distance := "", math.MaxInt
	for _, k := range known {
		if d := levenshtein.ComputeDistance(strings.ToLower(name[:min(len(name), maxShown)]), strings.ToLower(k)); d < distance {
			best, distance = k, d
		}
	}
	if best != "" && distance <= max(2, len(name)/3) {
		return "; did you mean " + best + "?"
	}
	return "; known are " + strings.Join(known, ", ")
}

// maxShown is how many bytes of a name an error has, and a suggestion looks at.
const maxShown = 64

func quoted(s string) string {
	if len(s) > maxShown {
		s = strings.ToValidUTF8(s[:maxShown], "") + "…"
	}
	return strconv.Quote(s)
}
