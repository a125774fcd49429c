package document

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUses(t *testing.T) {
	t.Parallel()
	builder := func(text string) *Builder {
		b, err := NewBuilder(Spec{Table: "app.articles", Text: text, Metadata: []Field{{Column: "price", As: "cost"}}, Key: []string{"slug"}, Identity: "m"})
		require.NoError(t, err)
		return b
	}
	b := builder("{{.title}} {{with .attrs}}{{.x}}{{end}}")
	for column, want := range map[string]bool{"title": true, "attrs": true, "price": true, "slug": true, "cost": false, "x": false, "body": false} {
		require.Equal(t, want, b.Uses(column), column)
	}
	require.True(t, builder("{{range $k, $v := .}}{{$v}}{{end}}").Uses("body"))
}
