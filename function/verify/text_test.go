package verify

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadsWhole(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"{{.title}}: {{.body}}": false, "{{ .a.b }} {{$.c}}": false, "{{.}}": true, "{{range $k, $v := .}}{{end}}": true,
		`{{index . "my column"}}`: true, "{{with .attrs}}{{.x}}{{end}}": false, "{{template \"x\" .}}": true, `{{"a. $ b"}}{{.t}}. $`: false,
		"{{$r := .}}{{$r.t}}": true, "{{printf \"%v\" $}}": true, "{{/* . */}}{{.t}}": false,
	} {
		require.Equal(t, want, readsWhole(text), text)
	}
}

func TestSmallDecimalsMayHaveAnExponent(t *testing.T) {
	t.Parallel()
	j := judge{columns: map[string]*Column{"n": {Type: "numeric"}}}
	for text, java := range map[string]string{
		"0.00000001": "1E-8", "0.0000012": "0.0000012", "-0.00000012": "-1.2E-7", "0.00000000": "0E-8", "12": "12",
	} {
		require.True(t, j.same("n", text, java), text)
		require.False(t, j.same("n", text, java+"0"), text)
	}
	require.False(t, j.same("other", "0.00000001", "1E-8"))
}
