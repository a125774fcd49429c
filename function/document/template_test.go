package document_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
	"github.com/rowvec/rowvec/function/document"
)

func TestTextOfARow(t *testing.T) {
	t.Parallel()
	row := connector.Row{
		"title": "Trail shoe", "body": nil, "price": 89.9, "big": json.Number("123456789012345678901234567890"), "n": int64(42),
		"huge": 1e6, "tiny": 1e-9, "nan": math.NaN(), "active": true, "tags": []any{"outdoor", "run"},
		"nums": []any{int64(1), nil, 2.5}, "nested": []any{[]any{int64(1)}, []any{int64(2)}}, "none": []any{},
		"attrs": map[string]any{"color": "red", "a": []any{int64(1), math.Inf(1)}}, "my col": "spaced", "js": `{"k":"v","n":[1,2]}`,
		"bad": "a\xffb\x00c", "padded": " \n x \t",
	}
	for name, tc := range map[string]struct{ template, want string }{
		"columns":                 {"{{.title}}: {{.n}}", "Trail shoe: 42"},
		"null is nothing":         {"[{{.body}}]", "[]"},
		"null in printf":          {`[{{printf "%s|%d|%5.2f" .body .body .body}}]`, "[||]"},
		"null in a helper":        {"[{{lower .body}}{{join `,` .body}}]", "[]"},
		"null in if":              {"{{if .body}}yes{{else}}no{{end}}", "no"},
		"null in range":           {"{{range .body}}x{{else}}none{{end}}", "none"},
		"null compared":           {`{{if eq .body "x"}}same{{else}}other{{end}}`, "other"},
		"float":                   {"{{.price}} {{.huge}} {{.tiny}} {{.nan}}", "89.9 1000000 1e-09 NaN"},
		"printf of a float":       {`{{printf "%.2f %v %s" .price .huge .huge}}`, "89.90 1000000 1000000"},
		"big integer":             {"{{.big}}", "123456789012345678901234567890"},
		"bool":                    {"{{.active}}", "true"},
		"array":                   {"{{.tags}} {{.nums}} {{.nested}} [{{.none}}]", "outdoor, run 1, 2.5 1, 2 []"},
		"array in print":          {`{{print .tags .body}}`, "outdoor, run"},
		"object":                  {"{{.attrs}}", `{"a":[1,"Infinity"],"color":"red"}`},
		"field of an object":      {"{{.attrs.color}}", "red"},
		"json text":               {"{{(fromJson .js).k}} {{(fromJson .attrs).color}} {{toJson .tags}}", `v red ["outdoor","run"]`},
		"a name with a space":     {`{{index . "my col"}}`, "spaced"},
		"helpers":                 {`{{.title | upper}} {{lower .title}} {{.tags | join "+"}} {{trim .padded}}|`, "TRAIL SHOE trail shoe outdoor+run x|"},
		"default":                 {`{{.body | default "none"}} {{default "none" .title}} {{default 7 .body}}`, "none Trail shoe 7"},
		"with":                    {"{{with .attrs}}{{.color}} {{$.title}}{{end}}", "red Trail shoe"},
		"range":                   {"{{range $i, $t := .tags}}{{$i}}={{$t}} {{end}}", "0=outdoor 1=run"},
		"range prints as text":    {"{{range .nums}}[{{.}}]{{end}}", "[1][][2.5]"},
		"variable":                {"{{$t := .title}}{{$t}}", "Trail shoe"},
		"define":                  {`{{define "x"}}<{{.title}}{{.body}}>{{end}}{{template "x" .}}`, "<Trail shoe>"},
		"invalid UTF-8 and NUL":   {"{{.bad}}", "a\uFFFDbc"},
		"white space around":      {"\n {{.padded}} \n", "x"},
		"comment, trim, literals": {"{{/* c */ -}}  {{.n}}{{`x`}}{{1.5}}", "42x1.5"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := build(t, articleSpec(tc.template), insert(int64(1), row))
			require.Len(t, doc.Chunks, 1)
			require.Equal(t, document.Chunk{ID: "1", Text: tc.want, End: len(tc.want)}, doc.Chunks[0])
		})
	}
}

func TestColumnsOfATemplate(t *testing.T) {
	t.Parallel()
	for template, want := range map[string][]string{
		"{{.title}}: {{.body}}":                                                  {"body", "title"},
		"{{if .body}}{{.body}}{{else}}{{.title}}{{end}}":                         {"body", "title"},
		"{{if and .a (not .b)}}x{{else if .c}}y{{end}}":                          {"a", "b", "c"},
		"{{.a | printf \"%s %s\" .b}}":                                           {"a", "b"},
		"{{with .attrs}}{{.color}}{{$.title}}{{else}}{{.body}}{{end}}":           {"attrs", "body", "title"},
		"{{range .items}}{{.name}}{{else}}{{.body}}{{end}}":                      {"body", "items"},
		"{{range $i, $e := .items}}{{$e.name}}{{$.a}}{{end}}":                    {"a", "items"},
		"{{.attrs.color.name}}":                                                  {"attrs"},
		"{{(.attrs).color}}":                                                     {"attrs"},
		"{{(fromJson .attrs).color}}":                                            {"attrs"},
		`{{index . "my col"}}{{index .attrs "x"}}`:                               {"attrs", "my col"},
		`{{index $ "a" "b"}}`:                                                    {"a"},
		"{{$row := .}}{{with .a}}{{$row.b}}{{end}}":                              {"a", "b"},
		"{{with $x := .}}{{.a}}{{$x.b}}{{end}}":                                  {"a", "b"},
		"{{with .a}}{{with $}}{{.b}}{{end}}{{end}}":                              {"a", "b"},
		`{{define "x"}}{{.a}}{{$.b}}{{template "x" .}}{{end}}{{template "x" .}}`: {"a", "b"},
		`{{define "x"}}{{.k}}{{end}}{{template "x" .attrs}}`:                     {"attrs"},
		`{{block "x" .}}{{.a}}{{end}}`:                                           {"a"},
		"{{$r := .}}{{range $r := .items}}{{$r.name}}{{end}}":                    {"items"},
		"{{(.).a}}": {"a"},
		"{{$x := 1}}{{if $x := .a}}{{$x}}{{end}}": {"a"},
	} {
		t.Run(template, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, want, newBuilder(t, articleSpec(template)).Columns())
		})
	}
}

func TestWholeRowTemplate(t *testing.T) {
	t.Parallel()
	for _, template := range []string{
		"{{.}}", "{{range $name, $value := .}}{{$name}}={{$value}}{{end}}", "{{toJson .}}", "{{. | toJson}}", "{{$r := .}}{{$r}}",
		`{{index . (lower "A")}}`, `{{define "x"}}{{.}}{{end}}{{template "x" .}}`, "{{len .}}",
	} {
		t.Run(template, func(t *testing.T) {
			t.Parallel()
			b := newBuilder(t, articleSpec(template))
			_, err := b.Build(insert(int64(1), connector.Row{"a": "x", "b": "y"}))
			require.NoError(t, err)

			_, err = b.Build(insert(int64(1), connector.Row{"a": "x", "c": connector.Unavailable{}, "b": connector.Unavailable{}}))
			e := requireFault(t, err, "poison", document.ReasonUnavailableColumn)
			require.Equal(t, "b", e.Column, "a template over the whole row must not take a placeholder for a value")
		})
	}
}

func TestTemplateThatIsNoTemplate(t *testing.T) {
	t.Parallel()
	for name, template := range map[string]string{
		"empty": "", "open action": "{{.title", "unknown function": "{{shout .title}}", "no column": "title", "constant": "{{1}}",
		"unknown variable": "{{$x}}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := document.NewBuilder(articleSpec(template))
			e := requireFault(t, err, "halt", document.ReasonBadSetting)
			require.Equal(t, "tables.app.articles.text", e.Setting)
			require.ErrorContains(t, err, "tables.app.articles.text")
		})
	}
}
