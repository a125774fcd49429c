// Package endurance measures rowvec on the real stack in what takes its time: an outage of the embedding endpoint under load, poison rows among many good
// ones, and a provider's limit of requests per minute. Run it with `make endurance`; it stands behind the build tag e2e. `make test-e2e` runs a short form.
// The stack is real but for the endpoint, because a real one neither fails nor counts on request. door shuts the way to it.
package endurance
