package chromatest

import (
	"cmp"
	"reflect"
	"slices"
)

type predicate func(metadata map[string]any) bool

// parseWhere reads Chroma's filter: one field, or one of $and and $or; nil means all.
func parseWhere(where map[string]any) (predicate, bool) {
	if where == nil {
		return func(map[string]any) bool { return true }, true
	}
	if len(where) != 1 {
		return nil, false
	}
	for key, value := range where {
		if key == "$and" || key == "$or" {
			return parseAll(key, value)
		}
		condition, ok := value.(map[string]any)
		if !ok {
			condition = map[string]any{"$eq": value}
		}
		if len(condition) != 1 {
			return nil, false
		}
		for operator, operand := range condition {
			return parseCondition(key, operator, operand)
		}
	}
	return nil, false
}

func parseAll(operator string, value any) (predicate, bool) {
	list, ok := value.([]any)
	if !ok || len(list) == 0 {
		return nil, false
	}
	parts := make([]predicate, len(list))
	for i, element := range list {
		where, ok := element.(map[string]any)
		if !ok || where == nil {
			return nil, false
		}
		if parts[i], ok = parseWhere(where); !ok {
			return nil, false
		}
	}
	return func(m map[string]any) bool {
		want := operator == "$or"
		return slices.ContainsFunc(parts, func(p predicate) bool { return p(m) == want }) == want
	}, true
}

func parseCondition(key, operator string, operand any) (predicate, bool) {
	list, isList := operand.([]any)
	switch operator {
	case "$eq", "$ne":
		return func(m map[string]any) bool {
			stored, ok := m[key]
			return (ok && same(stored, operand)) == (operator == "$eq")
		}, !isList
	case "$in", "$nin":
		return func(m map[string]any) bool {
			stored, ok := m[key]
			hit := ok && slices.ContainsFunc(list, func(o any) bool { return same(stored, o) })
			return hit == (operator == "$in")
		}, isList && uniform(list)
	case "$gt", "$gte", "$lt", "$lte":
		bound, ok := operand.(float64)
		return func(m map[string]any) bool { return ordered(operator, m[key], bound) }, ok
	case "$contains", "$not_contains":
		return func(m map[string]any) bool { return contains(m[key], operand) == (operator == "$contains") }, !isList
	}
	return nil, false
}

// uniform reports whether a list can be an operand: not empty, and of one type.
func uniform(list []any) bool {
	return len(list) > 0 && !slices.ContainsFunc(list, func(o any) bool { return reflect.TypeOf(o) != reflect.TypeOf(list[0]) })
}

func ordered(operator string, stored any, bound float64) bool {
	n, ok := number(stored)
	if !ok {
		return false
	}
	switch c := cmp.Compare(n, bound); operator {
	case "$gt":
		return c > 0
	case "$gte":
		return c >= 0
	case "$lt":
		return c < 0
	default:
		return c <= 0
	}
}

func contains(stored, operand any) bool {
	list := reflect.ValueOf(stored)
	if list.Kind() != reflect.Slice {
		return false
	}
	for i := range list.Len() {
		if same(list.Index(i).Interface(), operand) {
			return true
		}
	}
	return false
}

func same(stored, operand any) bool {
	a, isNumber := number(stored)
	b, alsoNumber := number(operand)
	if isNumber && alsoNumber {
		return a == b
	}
	return reflect.DeepEqual(stored, operand)
}

func number(v any) (float64, bool) {
	switch n := v.(type) {
	case int64:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}
