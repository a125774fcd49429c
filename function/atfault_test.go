package function

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/embed/embedtest"
	"github.com/rowvec/rowvec/function/instance"
)

// An endpoint that fails on a row's text alone, by a 500 or by its time, is told from an outage, and the table says which row it is.
func TestTheStateNamesTheRowThatTheEndpointFailsOn(t *testing.T) {
	t.Parallel()
	mended := make(chan struct{})
	for name, c := range map[string]struct {
		fail func(*embedtest.Request) *embedtest.Response
		says []string
	}{
		"500": {embedtest.Always(embedtest.Fail(500, "", "input is too large to process")), []string{"takes other texts", "row 7 ", "too large to process"}},
		"timeout": {func(*embedtest.Request) *embedtest.Response {
			<-mended
			return nil
		}, []string{"embedding.timeout", "row 7 "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := benchWith(t, func(embedding, _ map[string]any) { embedding["timeout"] = "100ms" })
			b.endpoint.Control(func(r *embedtest.Request) *embedtest.Response {
				if strings.HasPrefix(r.Texts[0], "Trail") {
					return c.fail(r)
				}
				return nil
			})
			settled := b.handle(t, t.Context(), change(7, "articles"))
			says := func() bool {
				for _, words := range c.says {
					if !strings.Contains(b.spoken.of("table app.articles"), words) {
						return false
					}
				}
				return true
			}
			require.Eventually(t, says, 15*time.Second, time.Millisecond)
			b.endpoint.Control(nil)
			if name == "timeout" {
				close(mended)
			}
			require.Equal(t, instance.Settlement{Verdict: instance.Ack}, within(t, settled))
		})
	}
}
