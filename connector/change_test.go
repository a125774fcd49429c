package connector_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

func TestOpNames(t *testing.T) {
	t.Parallel()
	for op, want := range map[connector.Op]string{
		connector.Insert: "insert", connector.Update: "update", connector.Delete: "delete", connector.Read: "read",
		connector.Truncate: "truncate", 0: "unknown",
	} {
		require.Equal(t, want, op.String())
	}
}
