package indexer

import (
	"errors"
	"net/http"
)

// doubt is what a failure that waiting may cure says of the request, if the endpoint takes others meanwhile.
type doubt uint8

const (
	noDoubt doubt = iota // overload, a limit, a proxy, the network: says nothing of the texts
	breaks               // the server's own error, 500: llama.cpp's answer to an input over its physical batch, for one
	stalls               // no complete answer within our own time
)

// doubtOf finds it by the methods Status() int, of an HTTP answer, and TimedOut() bool of an error. Who says when to come again speaks of
// himself.
func doubtOf(err error) doubt {
	if err == nil || Classify(err) != ClassRetry || RetryAfter(err) > 0 {
		return noDoubt
	}
	var timed interface{ TimedOut() bool }
	switch {
	case errors.As(err, &timed) && timed.TimedOut():
		return stalls
	case statusOf(err) == http.StatusInternalServerError:
		return breaks
	default:
		return noDoubt
	}
}

// limited says whether the endpoint complains of how much it is asked.
func limited(err error) bool {
	return RetryAfter(err) > 0 || statusOf(err) == http.StatusTooManyRequests
}

// statusOf is the HTTP status that an error tells, 0 for none.
func statusOf(err error) int {
	var answered interface{ Status() int }
	if errors.As(err, &answered) {
		return answered.Status()
	}
	return 0
}
