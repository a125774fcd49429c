package embed

import (
	"net/http"
	"sync/atomic"

	openai "github.com/sashabaranov/go-openai"
)

// encoding remembers in which form the endpoint gives vectors.
type encoding struct {
	state atomic.Int32
}

const (
	encodingUnknown int32 = iota
	encodingBase64
	encodingFloat
)

func (e *encoding) format() openai.EmbeddingEncodingFormat {
	if e.state.Load() == encodingFloat {
		return openai.EmbeddingEncodingFormatFloat
	}
	return openai.EmbeddingEncodingFormatBase64
}

// worked notes that a request in this format was answered in it. Numbers are final: they are asked for only after base64 was refused.
func (e *encoding) worked(format openai.EmbeddingEncodingFormat) {
	if format == openai.EmbeddingEncodingFormatFloat {
		e.state.Store(encodingFloat)
		return
	}
	e.state.CompareAndSwap(encodingUnknown, encodingBase64)
}

// refused says whether asking for numbers may help: the endpoint gave numbers for base64 (many ignore the field they do not know), or
// it refused the request and has never given base64 yet.
func (e *encoding) refused(failure *Error) bool {
	switch e.state.Load() {
	case encodingUnknown:
		return failure.numbers || failure.status == http.StatusBadRequest || failure.status == http.StatusUnprocessableEntity
	case encodingBase64:
		return failure.numbers
	default:
		return false
	}
}
