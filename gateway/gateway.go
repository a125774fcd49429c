// Package gateway answers applications and people over HTTP: searches by meaning, stored rows, features, the state of the index and a
// live stream of its changes.
//
//	routes.go        the API (huma): routes, their inputs and what they may answer; the OpenAPI document comes from here
//	search.go, answers.go, errors.go   what the routes do
//	handler.go, refusals.go, streams.go   what stands before every route: tokens, other sites, sizes, bounds, metrics
//	serve.go         listening and stopping
//	access/          tokens and scopes      problem/   error documents
//	monitor/         the live picture       stream/    server-sent events
//	rowpath/         names of rows in paths
//	broker/          the function, seen through Pulsar
//	page/            the page at /
package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/gateway/access"
	"github.com/rowvec/rowvec/gateway/monitor"
	"github.com/rowvec/rowvec/search"
)

// Index answers questions about the rows; *search.Index is one.
type Index interface {
	Search(ctx context.Context, q search.Query) (*search.Result, error)
	Row(ctx context.Context, table, id string, withVector bool) (*search.Row, error)
	Similar(ctx context.Context, table, id string, topK int) (*search.Result, error)
	Tables() []string
}

// Config is what a gateway is made of.
type Config struct {
	Version  string
	Settings *config.Config
	Index    Index
	Keeper   *access.Keeper
	Monitor  *monitor.Monitor
	Page     http.Handler // what is at /
	Registry *prometheus.Registry
	Log      *slog.Logger
}

// Gateway is the HTTP side of an index.
type Gateway struct {
	config      Config
	settings    config.Gateway
	collections map[string]string // by table
	entities    map[string]string // tables by entity
	metrics     *metrics
	guesses     *guesses
	streams     *streams
	handler     http.Handler

	life context.Context // of the event streams, which outlast any request's time limit
	end  context.CancelFunc
}

// New makes a gateway; Serve makes it listen.
func New(c Config) *Gateway {
	g := &Gateway{config: c, settings: c.Settings.Gateway, collections: map[string]string{}, entities: map[string]string{}}
	for name, t := range c.Settings.Tables {
		g.collections[name] = t.Collection
		if t.Entity != "" {
			g.entities[t.Entity] = name
		}
	}
	g.metrics = newMetrics(c.Registry, c.Monitor)
	g.guesses, g.streams = &guesses{log: c.Log}, newStreams(g.settings)
	g.life, g.end = context.WithCancel(context.Background())
	g.handler = g.newHandler()
	return g
}

// ServeHTTP answers a request.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.handler.ServeHTTP(w, r) }

// Limits of what a client may take of the server, beside the settings.
const (
	headerTimeout = 5 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 128 << 10        // more than the longest parameters of any route, percent-encoded: 431 is for bombs
	writeSpare    = 10 * time.Second // for writing an answer, beyond the time for making it
	stopTimeout   = 10 * time.Second
)
