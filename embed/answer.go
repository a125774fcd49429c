package embed

import (
	"errors"
	"fmt"
	"math"

	openai "github.com/sashabaranov/go-openai"
)

const (
	leastDimensions = 8192     // room for at least so many in every answer: a model with longer vectors than expected must halt, not be cut off
	bytesPerNumber  = 64       // of JSON, printed in full with line breaks and indentation; 20 without them
	answerOverhead  = 64 << 10 // the fields around the vectors
	vectorOverhead  = 1 << 10  // and around each
	maxAnswer       = 1 << 30  // of memory for one answer, whatever the settings: 10,000 texts of 4096 dimensions, printed without line breaks
)

// dimension is how long vectors are: configured, or 0. Then it is for the collection that they go into to say which length is right: an
// earlier answer may have been the wrong one.
type dimension int

// answerLimit bounds the body of an answer with n vectors. It does not follow the configured dimension alone, which may be what is wrong.
func (d dimension) answerLimit(n int) int64 {
	each := int64(max(d, leastDimensions))
	return min(maxAnswer, answerOverhead+int64(n)*(vectorOverhead+each*bytesPerNumber))
}

func (d dimension) check(got int) error {
	if d == 0 || got == int(d) {
		return nil
	}
	return fmt.Errorf("vectors have %d dimensions, embedding.dimensions is %d; correct the setting or embedding.model", got, d)
}

// arrangement is an answer of the right form: a place for each text, and vectors of one length.
type arrangement struct {
	vectors    [][]float32 // in the order of the texts
	dimensions int         // 0: all are empty
	bad        int         // how many are of no use
	fault      error       // what is wrong with the first of those
}

// arrange puts the vectors of an answer in the order of the n texts. Its error is one of the whole answer; what is wrong with single
// vectors is in the arrangement.
func arrange(data []openai.Embedding, n int) (*arrangement, error) {
	if len(data) != n {
		return nil, fmt.Errorf("%d vectors for %d texts", len(data), n)
	}
	a := &arrangement{vectors: make([][]float32, n)}
	taken := make([]bool, n)
	for _, item := range data {
		length := len(item.Embedding)
		switch {
		case item.Index < 0 || item.Index >= n:
			return nil, fmt.Errorf("index %d for %d texts", item.Index, n)
		case taken[item.Index]:
			return nil, fmt.Errorf("index %d twice", item.Index)
		case length > 0 && a.dimensions > 0 && length != a.dimensions:
			return nil, fmt.Errorf("vectors of %d and of %d dimensions in one answer", a.dimensions, length)
		}
		taken[item.Index] = true
		a.vectors[item.Index] = item.Embedding
		a.dimensions = max(a.dimensions, length)
	}
	a.inspect()
	return a, nil
}

// inspect looks for vectors that stand for no text.
func (a *arrangement) inspect() {
	for i, vector := range a.vectors {
		err := checkNumbers(vector)
		if err == nil {
			continue
		}
		if a.bad == 0 {
			a.fault = fmt.Errorf("index %d: %w", i, err)
		}
		a.bad++
	}
}

// checkNumbers wants some, every one finite, and not all of them 0. (Servers that cannot write NaN as JSON write null, which decodes to 0,
// or no vector at all.)
func checkNumbers(vector []float32) error {
	if len(vector) == 0 {
		return errors.New("no vector")
	}
	zero := true
	for i, x := range vector {
		if x != 0 {
			zero = false
		}
		if f := float64(x); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("component %d is %v", i, x)
		}
	}
	if zero {
		return fmt.Errorf("all %d components are 0", len(vector))
	}
	return nil
}
