package embedtest

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
)

// Control sees every request before it is answered. nil answers properly. It runs in the request's own goroutine, so it may block, and
// several run at once.
type Control func(*Request) *Response

// Always gives every request the same answer.
func Always(response *Response) Control {
	return func(*Request) *Response { return response }
}

// Times lets the first n requests meet a control; the others are answered properly.
func Times(n int, control Control) Control {
	var seen atomic.Int64
	return func(r *Request) *Response {
		if seen.Add(1) > int64(n) {
			return nil
		}
		return control(r)
	}
}

// First gives the answer of the first control that has one.
func First(controls ...Control) Control {
	return func(r *Request) *Response {
		for _, control := range controls {
			if response := control(r); response != nil {
				return response
			}
		}
		return nil
	}
}

// Poison refuses every request in which a text holds the marker.
func Poison(marker string) Control {
	return func(r *Request) *Response {
		if !slices.ContainsFunc(r.Texts, holds(marker)) {
			return nil
		}
		return Fail(http.StatusBadRequest, "", "this text cannot be embedded")
	}
}

// BadVector gives each text that holds the marker a vector of NaN, and the others of the request their right ones.
func BadVector(marker string) Control {
	return func(r *Request) *Response {
		if !slices.ContainsFunc(r.Texts, holds(marker)) {
			return nil
		}
		vectors := r.Vectors()
		for i, text := range r.Texts {
			if holds(marker)(text) {
				spoil(vectors[i])
			}
		}
		return Answer(r, vectors)
	}
}

func holds(marker string) func(text string) bool {
	return func(text string) bool { return strings.Contains(text, marker) }
}

// NumbersOnly refuses base64 with a 400.
func NumbersOnly(r *Request) *Response {
	if r.Encoding == "base64" {
		return Fail(http.StatusBadRequest, "", "encoding_format: only float is supported")
	}
	return nil
}

// IgnoreEncoding answers with numbers whatever was asked for.
func IgnoreEncoding(r *Request) *Response {
	plain := *r
	plain.Encoding = "float"
	return Answer(&plain, r.Vectors())
}
