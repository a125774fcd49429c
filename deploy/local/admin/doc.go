// Package admin drives a Pulsar for the demo and the end-to-end tests: deploying by the pulsar-admin program, exactly as a user
// does, and watching by its REST interface, which answers in milliseconds where the program takes seconds.
package admin
