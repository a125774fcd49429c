// Package embedtest holds an OpenAI-compatible embeddings endpoint for tests, which runs in the test's own process and fails on request,
// and Suite, which checks any endpoint, this one or a real one, through embed.Client.
package embedtest
