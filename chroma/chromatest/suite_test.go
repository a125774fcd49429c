package chromatest_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/rowvec/rowvec/chroma/chromatest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSuiteOnTheFake(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]chromatest.Options{"as 1.5.9": {}, "numbers only": {NoBase64: true}, "small batches": {MaxBatch: 7}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := chromatest.Start(opts)
			t.Cleanup(server.Close)
			chromatest.Suite(t, server.URL)
		})
	}
}
