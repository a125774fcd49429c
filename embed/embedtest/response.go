package embedtest

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"
)

// Response is what the server does instead of answering properly. The zero value answers properly; with Until alone it does so later.
type Response struct {
	Status   int // 0 with a Body: 200
	Header   http.Header
	Body     []byte
	Drop     bool            // close the connection without an answer
	Truncate bool            // announce the whole body, send half of it, close the connection
	Until    <-chan struct{} // wait for this (or for the client to go away) before anything else
}

// With adds a header.
func (r *Response) With(key, value string) *Response {
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set(key, value)
	return r
}

// RetryAfter adds the header in seconds.
func (r *Response) RetryAfter(wait time.Duration) *Response {
	return r.With("Retry-After", strconv.Itoa(int(wait.Seconds())))
}

// Fail is an error in OpenAI's form. An empty code is sent as null.
func Fail(status int, code, message string) *Response {
	problem := map[string]any{"message": message, "type": "invalid_request_error", "param": nil, "code": nil}
	if code != "" {
		problem["code"] = code
	}
	return (&Response{Status: status, Body: encode(map[string]any{"error": problem})}).With("Content-Type", "application/json")
}

// Page is an answer that is not JSON, as a proxy gives it.
func Page(status int, html string) *Response {
	return (&Response{Status: status, Body: []byte(html)}).With("Content-Type", "text/html")
}

// Drop closes the connection without an answer.
func Drop() *Response { return &Response{Drop: true} }

// Hold answers properly once the channel is closed.
func Hold(until <-chan struct{}) *Response { return &Response{Until: until} }

// Answer is an answer to r with any vectors, right or wrong, in the encoding that r asks for.
func Answer(r *Request, vectors [][]float32) *Response {
	data := make([]any, len(vectors))
	tokens := 0
	for i, vector := range vectors {
		var form any = numbers(vector)
		if r.Encoding == "base64" {
			form = packed(vector)
		}
		data[i] = map[string]any{"object": "embedding", "index": i, "embedding": form}
	}
	for _, text := range r.Texts {
		tokens += Tokens(text)
	}
	return (&Response{Status: http.StatusOK, Body: encode(map[string]any{
		"object": "list",
		"model":  r.Model,
		"data":   data,
		"usage":  map[string]any{"prompt_tokens": tokens, "total_tokens": tokens},
	})}).With("Content-Type", "application/json")
}

// Tokens is what the server counts for a text in usage: one for each four bytes begun.
func Tokens(text string) int { return (len(text) + 3) / 4 }

// Fewer answers with one vector too few.
func Fewer(r *Request) *Response {
	vectors := r.Vectors()
	return Answer(r, vectors[:len(vectors)-1])
}

// Longer answers with vectors of one dimension too many.
func Longer(r *Request) *Response {
	vectors := r.Vectors()
	for i := range vectors {
		vectors[i] = append(vectors[i], 0.5)
	}
	return Answer(r, vectors)
}

// NaN answers with a first vector of NaN; as a JSON number it is written null, as many servers do.
func NaN(r *Request) *Response {
	vectors := r.Vectors()
	spoil(vectors[0])
	return Answer(r, vectors)
}

func spoil(vector []float32) {
	for i := range vector {
		vector[i] = float32(math.NaN())
	}
}

// Cut announces a proper answer and sends half of it.
func Cut(r *Request) *Response {
	answer := Answer(r, r.Vectors())
	answer.Truncate = true
	return answer
}

func packed(vector []float32) string {
	raw := make([]byte, 0, 4*len(vector))
	for _, x := range vector {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	return base64.StdEncoding.EncodeToString(raw)
}

func numbers(vector []float32) []any {
	list := make([]any, len(vector))
	for i, x := range vector {
		if !math.IsNaN(float64(x)) {
			list[i] = x
		}
	}
	return list
}

// encode cannot fail on what this package gives it; should it, the client sees what is wrong.
func encode(value any) []byte {
	encoded, err := json.Marshal(value)
	if err != nil {
		return []byte(errors.Join(errors.New("embedtest"), err).Error())
	}
	return encoded
}
