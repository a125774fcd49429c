package instance

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestConditionsJoinInOrder(t *testing.T) {
	t.Parallel()
	c := newConditions(slog.New(slog.DiscardHandler))
	require.Empty(t, c.join())
	c.set("pulsar", "cannot connect")
	c.set("app.articles", "halted: 401")
	require.Equal(t, "app.articles: halted: 401; pulsar: cannot connect", c.join())
	c.set("pulsar", "")
	c.set("never", "")
	require.Equal(t, map[string]string{"app.articles": "halted: 401"}, c.all())
	c.set("long", strings.Repeat("x", 3*exceptionBytes)+"\xff")
	require.Len(t, c.all()["long"], exceptionBytes)
}

func TestConditionsLogEachChangeOnce(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	c := newConditions(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})))
	for _, text := range []string{"", "down", "down", "slow", "slow", "", ""} {
		c.set("chroma", text)
	}
	require.Equal(t, `level=WARN msg=condition source=chroma text=down
level=WARN msg=condition source=chroma text=slow
level=INFO msg="condition cleared" source=chroma was=slow
`, out.String())
}
