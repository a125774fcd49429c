package indexer

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestVoucherAsksForTheLongestThatWasTaken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := &voucher{}
		first, ok := v.text()
		require.True(t, ok)
		again, _ := v.text()
		require.NotEqual(t, first, again, "no cache knows it")
		require.True(t, strings.HasPrefix(first, plainText))

		long := strings.Repeat("ä", 2000)
		v.took([]string{"short", long, "middle", strings.Repeat("x", vouchBytes+1)})
		v.took([]string{"short"})
		text, ok := v.text()
		require.True(t, ok)
		require.InDelta(t, len(long)/2, len(text), 12, "all of it may be just what the endpoint takes")
		require.True(t, strings.HasPrefix(text, "ää"))
		require.Equal(t, text, strings.ToValidUTF8(text, "?"))

		<-time.After(vouchFor/2 + time.Second)
		v.took([]string{"newer"})
		text, _ = v.text()
		require.True(t, strings.HasPrefix(text, "ne "))
		v.refused()
		text, _ = v.text()
		require.True(t, strings.HasPrefix(text, plainText))
		v.took([]string{"again"})
		<-time.After(vouchFor + time.Second)
		text, _ = v.text()
		require.True(t, strings.HasPrefix(text, plainText), "what was taken long ago proves nothing")
	})
}

// For a plain text alone few are blamed, until the endpoint takes one of the tables'.
func TestVoucherTrustsAPlainTextLittle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := &voucher{}
		for range vouchPlain {
			_, ok := v.text()
			require.True(t, ok)
			v.blame()
		}
		_, ok := v.text()
		require.False(t, ok, "enough for now")
		<-time.After(vouchMore + time.Second)
		_, ok = v.text()
		require.True(t, ok, "one more")
		v.blame()
		_, ok = v.text()
		require.False(t, ok)

		before := v.healed()
		v.took([]string{"a"})
		require.Equal(t, before+1, v.healed())
		for range 100 {
			_, ok = v.text()
			require.True(t, ok)
			v.blame()
		}
		require.Equal(t, before+1, v.healed())
	})
}
