// Package embed turns texts into vectors at an OpenAI-compatible embeddings endpoint (design §1, decision 8).
//
// A call is one attempt: the client never retries and never sleeps but for its own rate limits. What went wrong comes back as *Error,
// whose Class says what may cure it: "retry" waiting, "poison" nothing (this text can never succeed), "halt" a changed setting.
// The table from HTTP status to class is in status.go.
//
// Two things cost a further request, each rarely. The endpoint is asked for base64 vectors (a quarter of the bytes of JSON numbers); when
// it refuses or answers numbers, the same texts are asked for as numbers once and the client remembers. And before a single text
// is called poison although nothing was accepted in the last second, a plain word is sent: when that is refused too, the settings are
// wrong, not the text.
package embed
