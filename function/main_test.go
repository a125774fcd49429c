package function

import (
	"testing"

	"go.uber.org/goleak"
)

// The Pulsar client's look-up of a broker that is not there cannot be cancelled; it ends by itself after its operation timeout, or
// with the process. Every other goroutine must be gone.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/rowvec/rowvec/brokercall.(*Calls).Start.func1"))
}
