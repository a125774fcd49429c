package schedule

import "time"

// The kinds of faults, by name.
const (
	InstanceKilled     = "instance killed"
	InstanceTerminated = "instance terminated"
	InstanceFrozen     = "instance frozen"
	FunctionRestarted  = "function restarted"
	FunctionUpdated    = "function updated"

	BrokerRestarted = "broker restarted"
	BrokerKilled    = "broker killed"
	TopicUnloaded   = "topic unloaded"
	BundlesUnloaded = "bundles unloaded"

	ChromaKilled  = "chroma killed"
	ChromaStopped = "chroma stopped"
	ChromaFrozen  = "chroma frozen"
	ChromaCut     = "chroma: connections reset"
	ChromaSilent  = "chroma: network silent"
	ChromaLost    = "chroma: data folder lost"

	EndpointCut         = "endpoint: connections reset"
	EndpointSilent      = "endpoint: network silent"
	EndpointUnavailable = "endpoint: 503"
	EndpointErrors      = "endpoint: every second 500"
	EndpointLimit       = "endpoint: 429"
	EndpointRetryAfter  = "endpoint: 429, Retry-After"
	EndpointSlow        = "endpoint: slow"
	EndpointHalf        = "endpoint: half an answer"
	EndpointGarbage     = "endpoint: garbage"
	EndpointFewer       = "endpoint: wrong count"
	EndpointNaN         = "endpoint: NaN for all"
	EndpointKey         = "endpoint: key revoked"
	EndpointDimension   = "endpoint: wrong dimension"
	EndpointRefuses     = "endpoint: 400 for all"

	PostgresRestarted = "postgres restarted"
	PostgresKilled    = "postgres killed"
	PostgresReplaced  = "postgres: fail-over to a copy"
	SourceRestarted   = "source restarted"
	SourceKilled      = "source killed"
	SourceLost        = "source made again, offset lost"
)

// Kinds lists all kinds. Those of the short form recover within seconds; the others wait for a restart of Pulsar, for the worker that looks at its processes
// every half minute, or for the probe of a halt.
func Kinds() []Kind {
	const s = time.Second
	short := func(component, name string, hold, brief, cost time.Duration) Kind {
		return Kind{Name: name, Component: component, Hold: hold, Brief: brief, Cost: cost, Short: true}
	}
	long := func(component, name string, hold, cost time.Duration) Kind {
		return Kind{Name: name, Component: component, Hold: hold, Brief: hold, Cost: cost}
	}
	return []Kind{
		short(Instance, InstanceKilled, 0, 0, 8*s),
		short(Instance, InstanceTerminated, 0, 0, 8*s),
		short(Instance, InstanceFrozen, 20*s, 5*s, 26*s),
		short(Function, FunctionRestarted, 0, 0, 15*s),
		long(Function, FunctionUpdated, 0, 30*s),
		long(Pulsar, BrokerRestarted, 5*s, 80*s),
		long(Pulsar, BrokerKilled, 5*s, 80*s),
		short(Pulsar, TopicUnloaded, 0, 0, 5*s),
		short(Pulsar, BundlesUnloaded, 0, 0, 5*s),
		short(Chroma, ChromaKilled, 0, 0, 8*s),
		short(Chroma, ChromaStopped, 20*s, 5*s, 30*s),
		short(Chroma, ChromaFrozen, 15*s, 5*s, 20*s),
		short(Chroma, ChromaCut, 15*s, 5*s, 24*s),
		short(Chroma, ChromaSilent, 15*s, 5*s, 20*s),
		long(Chroma, ChromaLost, 0, 30*s),
		short(Endpoint, EndpointCut, 15*s, 5*s, 24*s),
		short(Endpoint, EndpointSilent, 15*s, 5*s, 20*s),
		short(Endpoint, EndpointUnavailable, 20*s, 5*s, 30*s),
		short(Endpoint, EndpointErrors, 15*s, 5*s, 20*s),
		short(Endpoint, EndpointLimit, 15*s, 5*s, 25*s),
		short(Endpoint, EndpointRetryAfter, 15*s, 5*s, 25*s),
		short(Endpoint, EndpointSlow, 20*s, 5*s, 25*s),
		short(Endpoint, EndpointHalf, 10*s, 5*s, 18*s),
		short(Endpoint, EndpointGarbage, 10*s, 5*s, 18*s),
		short(Endpoint, EndpointFewer, 10*s, 5*s, 18*s),
		short(Endpoint, EndpointNaN, 10*s, 5*s, 18*s),
		long(Endpoint, EndpointKey, 20*s, 50*s),
		long(Endpoint, EndpointDimension, 20*s, 50*s),
		long(Endpoint, EndpointRefuses, 20*s, 50*s),
		short(Postgres, PostgresRestarted, 0, 0, 20*s),
		long(Postgres, PostgresKilled, 0, 40*s),
		long(Postgres, PostgresReplaced, 2*s, 80*s),
		short(Source, SourceRestarted, 0, 0, 20*s),
		long(Source, SourceKilled, 0, 50*s),
		long(Source, SourceLost, 0, 60*s),
	}
}
