package embedtest_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/rowvec/rowvec/embed/embedtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSuite(t *testing.T) {
	t.Parallel()
	server := embedtest.New(embedtest.Options{APIKey: "sk-suite-key", Model: "fake-model"})
	t.Cleanup(server.Close)
	embedtest.Suite(t, server.URL(), "fake-model", embedtest.SuiteOptions{
		APIKey: "sk-suite-key", Dimensions: 384,
		Extra: map[string]any{"input_type": "passage"}, QueryExtra: map[string]any{"input_type": "query"},
	})
}

// The same endpoint as others run it: without base64, and with a limit that only a long text meets.
func TestSuitePoorEndpoints(t *testing.T) {
	t.Parallel()
	for name, control := range map[string]embedtest.Control{
		"refuses base64":     embedtest.NumbersOnly,
		"ignores base64":     embedtest.IgnoreEncoding,
		"refuses long texts": embedtest.Poison("lazy dog. The quick"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := embedtest.New(embedtest.Options{})
			t.Cleanup(server.Close)
			server.Control(control)
			embedtest.Suite(t, server.URL(), "any", embedtest.SuiteOptions{Prefix: "passage: ", QueryPrefix: "query: "})
		})
	}
}
