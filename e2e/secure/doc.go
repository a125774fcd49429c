// Package secure has the end-to-end test on a stack that trusts nobody: TLS and tokens for Pulsar, Chroma and the endpoint behind TLS of a private authority, and
// roles with the very rights that README.md says are enough.
package secure
