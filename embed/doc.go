// Package embed turns texts into vectors at an OpenAI-compatible embeddings endpoint (design §1, decision 8).
//
// A call is one attempt: the client never retries and never sleeps but for its own rate limits. What went wrong comes back as *Error,
// whose Class says what may cure it: "retry" waiting, "poison" nothing (this text can never succeed), "halt" a changed setting.
// The table from HTTP status to class is in status.go.
//
// Two things cost further requests, each rarely. The endpoint is asked for base64 vectors (a quarter of the bytes of JSON numbers); when
// it refuses or answers numbers, the same texts are asked for as numbers once and the client remembers. And before texts are called
// poison, a plain word is sent: for a single text that was refused, unless something was accepted in the last second, and for texts of which
// none got a good vector. When the word is refused too, the settings are wrong ("halt"); when its vector is bad too, the endpoint is broken
// ("retry"). A single text whose vector was bad is then asked for once more.
package embed
