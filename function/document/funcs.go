package document

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/template"
)

// templateFuncs are the functions that a template may call beside text/template's own. All take any column, null too.
func templateFuncs() template.FuncMap {
	return template.FuncMap{
		"text":     text,
		"join":     join,
		"lower":    func(v any) string { return strings.ToLower(text(v)) },
		"upper":    func(v any) string { return strings.ToUpper(text(v)) },
		"trim":     func(v any) string { return strings.TrimSpace(text(v)) },
		"default":  orDefault,
		"toJson":   jsonText,
		"fromJson": fromJSON,
		"print":    func(args ...any) string { return fmt.Sprint(shownAll(args)...) },
		"printf":   func(format string, args ...any) string { return fmt.Sprintf(format, shownAll(args)...) },
		"println":  func(args ...any) string { return fmt.Sprintln(shownAll(args)...) },
	}
}

// join is {{join ", " .tags}} or {{.tags | join ", "}}.
func join(sep string, v any) string {
	if elements, ok := v.([]any); ok {
		return joinText(elements, sep)
	}
	return text(v)
}

// orDefault is {{.title | default "untitled"}}: the default stands in for null and for text without a visible character.
func orDefault(fallback, v any) any {
	if strings.TrimSpace(text(v)) == "" {
		return fallback
	}
	return v
}

// fromJSON is {{(fromJson .attrs).color}}: json columns may come as text.
func fromJSON(v any) (any, error) {
	s, isText := v.(string)
	if !isText {
		return v, nil
	}
	dec := json.NewDecoder(strings.NewReader(s))
	dec.UseNumber()
	var out any
	if err := dec.Decode(&out); err != nil {
		return nil, fmt.Errorf("fromJson: %w", err)
	}
	return out, nil
}

// shown prints a value as text does under %v and %s and as itself under every other verb; null prints as nothing under any.
type shown struct{ value any }

// Format implements fmt.Formatter.
func (s shown) Format(f fmt.State, verb rune) {
	switch {
	case s.value == nil:
	case verb == 'v' || verb == 's':
		_, _ = fmt.Fprintf(f, fmt.FormatString(f, 's'), text(s.value)) // fmt's own state: it cannot fail
	default:
		_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), s.value)
	}
}

func shownAll(args []any) []any {
	out := make([]any, len(args))
	for i, arg := range args {
		switch arg.(type) {
		case string, int, int64, bool:
			out[i] = arg
		default:
			out[i] = shown{arg}
		}
	}
	return out
}
