package admin

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEditProperties(t *testing.T) {
	t.Parallel()
	doc := []byte("# a=comment\na=1\nb=x=y\nc=\n")
	out, err := EditProperties(doc, map[string]string{"a": "2", "b": "", "c": "z"})
	require.NoError(t, err)
	require.Equal(t, "# a=comment\na=2\nb=\nc=z\n", string(out))
	_, err = EditProperties(doc, map[string]string{"a": "2", "d": "3"})
	require.ErrorContains(t, err, "do not have d")
}
