// Package chromatest is a Chroma server for tests: an in-process fake of the REST endpoints that package chroma uses, with
// scripted faults, and the conformance suite that the fake and a real server must pass alike.
//
// The fake answers as Chroma 1.5.9 was seen to: metadata is merged and null removes a key, updates of unknown ids are
// ignored, the first insert fixes the dimension, an id twice in one request means the last one, vectors come as base64 or
// numbers, and queries are exact.
package chromatest
