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

// refused says whether asking for numbers may help a request that was sent in this format: the endpoint gave numbers for base64 (many
// ignore a field that they do not know), or it refused the request and has never given base64 yet. Another request may have found out in
// the meantime, so the format is the request's, not the remembered one.
func (e *encoding) refused(format openai.EmbeddingEncodingFormat, failure *Error) bool {
	if format == openai.EmbeddingEncodingFormatFloat {
		return false
	}
	refusal := failure.status == http.StatusBadRequest || failure.status == http.StatusUnprocessableEntity
	return failure.numbers || refusal && e.state.Load() != encodingBase64
}
