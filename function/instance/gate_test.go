package instance

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestGateOpensWhenThereIsRoomAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g gate
		g.enter(gateBytes - 1)
		g.wait(t.Context()) // one byte is left
		g.enter(1)
		passed := background(func() { g.wait(t.Context()) })
		synctest.Wait()
		require.False(t, within(time.Hour, passed))
		g.leave(1)
		require.True(t, within(time.Hour, passed))
		for range gateLetters - 1 {
			g.enter(0)
		}
		ctx, cancel := context.WithCancel(t.Context())
		stopped := background(func() { g.wait(ctx) })
		require.False(t, within(time.Hour, stopped))
		cancel()
		require.True(t, within(time.Hour, stopped))
	})
}
