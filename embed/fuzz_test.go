package embed_test

import (
	"errors"
	"math"
	"net/http"
	"testing"

	"github.com/rowvec/rowvec/embed"
	"github.com/rowvec/rowvec/embed/embedtest"
)

// FuzzAnswer: whatever an endpoint answers, the caller gets sound vectors or a classified error.
func FuzzAnswer(f *testing.F) {
	request := &embedtest.Request{Texts: []string{"a", "b"}, Dimensions: 4}
	f.Add(200, embedtest.Answer(request, request.Vectors()).Body)
	request.Encoding = "base64"
	f.Add(200, embedtest.Answer(request, request.Vectors()).Body)
	f.Add(200, embedtest.NaN(request).Body)
	f.Add(200, embedtest.BadVector("b")(request).Body)
	f.Add(200, embedtest.BadVector("")(request).Body)
	f.Add(200, []byte(answer(2)))
	f.Add(200, []byte(`{"data":[{"index":-1,"embedding":null},{}]}`))
	f.Add(400, embedtest.Fail(400, "model_not_found", "no").Body)
	f.Add(502, []byte("<html>"))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 100 || status > 999 {
			return
		}
		client := newClient(t, over(func(r *http.Request) (*http.Response, error) { return reply(r, status, string(body), nil), nil }))
		vectors, err := client.Embed(t.Context(), []string{"a", "b"})
		if err != nil {
			var classified *embed.Error
			if !errors.As(err, &classified) || classified.Class() == "" || classified.Reason() == "" || len(err.Error()) > 1024 {
				t.Fatalf("not a classified, bounded error: %#v", err)
			}
			return
		}
		if len(vectors) != 2 || len(vectors[0]) != len(vectors[1]) || len(vectors[0]) == 0 {
			t.Fatalf("unsound vectors %v", vectors)
		}
		for _, vector := range vectors {
			for _, x := range vector {
				if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
					t.Fatalf("unsound number in %v", vector)
				}
			}
		}
	})
}
