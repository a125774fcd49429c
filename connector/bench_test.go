package connector_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/connector"
)

// Line 1 of two captures is a row with 64 KiB of text, line 2 a small one; the envelope's schema weighs 4 KB each time.
func BenchmarkDecode(b *testing.B) {
	for name, at := range map[string]struct {
		file string
		line int
	}{
		"small": {stringDecimals, 2}, "64KiB": {stringDecimals, 1},
		"envelope_small": {schemaEnvelope, 2}, "envelope_64KiB": {schemaEnvelope, 1},
	} {
		b.Run(name, func(b *testing.B) {
			r := capture(b, at.file)[at.line-1]
			b.SetBytes(int64(len(r.Payload)))
			b.ReportAllocs()
			for b.Loop() {
				_, err := connector.Decode(r)
				require.NoError(b, err)
			}
		})
	}
}
