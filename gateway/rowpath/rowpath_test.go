package rowpath_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/gateway/rowpath"
)

func TestNamesOfRows(t *testing.T) {
	t.Parallel()
	for id, name := range map[string]string{
		".": "%2E", "..": "%2E%2E", "...": "...", "": "", "42": "42", "a/.": "a/.", "./a": "./a", "a%2Fb": "a%2Fb", "h:ABC": "h:ABC", "%252E": "%252E",
	} {
		require.Equal(t, name, rowpath.Of(id))
		require.Equal(t, id, rowpath.ID(name))
	}
}
