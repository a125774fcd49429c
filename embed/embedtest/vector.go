package embedtest

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
)

// Vector is the unit vector that the server gives for a text as it was sent, prefix included: always the same for the same text, and
// nearly orthogonal to those of other texts. It knows nothing of meaning.
func Vector(text string, dimensions int) []float32 {
	seed := fnv.New64a()
	_, _ = seed.Write([]byte(text)) // a hash never fails
	numbers := rand.New(rand.NewPCG(seed.Sum64(), uint64(dimensions)))
	vector := make([]float32, dimensions)
	var sum float64
	for i := range vector {
		x := numbers.NormFloat64()
		vector[i] = float32(x)
		sum += x * x
	}
	for i := range vector {
		vector[i] /= float32(math.Sqrt(sum))
	}
	return vector
}

// Cosine is the cosine of the angle between two vectors of one length.
func Cosine(a, b []float32) float64 {
	var dot, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		dot, aa, bb = dot+x*y, aa+x*x, bb+y*y
	}
	return dot / math.Sqrt(aa*bb)
}
