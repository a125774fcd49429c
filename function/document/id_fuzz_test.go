package document_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

// keyOf makes a key of up to three columns out of fuzzed strings; a zero bit in nulls makes a column null.
func keyOf(a, b, c string, columns, present uint8) []any {
	values := []any{a, b, c}[:columns%3+1]
	for i := range values {
		if present>>i&1 == 0 {
			values[i] = nil
		}
	}
	return values
}

// FuzzIDIsInjective: different keys of different tables give different ids, and an id gives its key back.
func FuzzIDIsInjective(f *testing.F) {
	f.Add("app", "articles", "a", "b", "", uint8(1), uint8(7), "app", "articles", "a/b", "", "", uint8(0), uint8(7))
	f.Add("a.b", "c", "1", "", "", uint8(0), uint8(7), "a", "b.c", "1", "", "", uint8(0), uint8(7))
	f.Add("a", "b", "", "", "", uint8(0), uint8(0), "a", "b", "%null", "", "", uint8(0), uint8(1))
	f.Add("a", "b", "x#1", "", "", uint8(0), uint8(7), "a", "b", "h:", "", "", uint8(0), uint8(7))
	spec := articleSpec("{{.title}}")
	spec.PrefixIDs = true
	f.Fuzz(func(t *testing.T, s1, t1, a1, b1, c1 string, n1, p1 uint8, s2, t2, a2, b2, c2 string, n2, p2 uint8) {
		b := newBuilder(t, spec)
		x, y := keyed(keyOf(a1, b1, c1, n1, p1)...), keyed(keyOf(a2, b2, c2, n2, p2)...)
		x.Table, y.Table = connector.Table{Schema: s1, Name: t1}, connector.Table{Schema: s2, Name: t2}
		idX, idY := idOf(t, b, x), idOf(t, b, y)

		same := x.Table == y.Table && len(x.Key) == len(y.Key)
		for i := range x.Key {
			same = same && x.Key[i] == y.Key[i]
		}
		require.Equal(t, same, idX == idY, "%q %q", idX, idY)
		require.NotContains(t, idX, "#")
		require.LessOrEqual(t, len(idX), 128)
		requireDecodes(t, idX, x)
	})
}

func requireDecodes(t *testing.T, id string, c *connector.Change) {
	t.Helper()
	if strings.HasPrefix(id, "h:") {
		return
	}
	table, key, _ := strings.Cut(id, "/")
	schema, name, _ := strings.Cut(table, ".")
	require.Equal(t, c.Table, connector.Table{Schema: decoded(t, schema), Name: decoded(t, name)})
	parts := strings.Split(key, "/")
	require.Len(t, parts, len(c.Key))
	for i, part := range parts {
		switch part {
		case "%null":
			require.Nil(t, c.Key[i].Value)
		case "%empty":
			require.Equal(t, "", c.Key[i].Value)
		default:
			require.Equal(t, decoded(t, part), c.Key[i].Value)
		}
	}
}

func decoded(t *testing.T, part string) string {
	t.Helper()
	s, err := url.PathUnescape(part)
	require.NoError(t, err)
	return s
}
