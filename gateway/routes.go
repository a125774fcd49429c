package gateway

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/rowvec/rowvec/gateway/access"
	"github.com/rowvec/rowvec/gateway/monitor"
	"github.com/rowvec/rowvec/gateway/problem"
	"github.com/rowvec/rowvec/gateway/stream"
)

// A pattern with GET takes HEAD, too. A stream has no answer to it: its listener hears nothing, and writing to it never fails.
const (
	eventsPattern = "GET /v1/events"
	eventsHead    = "HEAD /v1/events"
)

// What routes may answer beside 200. Every one that asks Chroma or the endpoint has behind.
var (
	refusals = []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusUnprocessableEntity, http.StatusTooManyRequests}
	behind   = []int{http.StatusNotFound, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}
	bodies   = []int{http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType}
)

func (g *Gateway) apiConfig() huma.Config {
	c := huma.DefaultConfig("rowvec", g.config.Version)
	c.Info.Description = "Searches a Chroma collection that rowvec keeps equal to a Postgres table, and tells how fresh it is."
	c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", nil
	format := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: decode}
	c.Formats = map[string]huma.Format{"application/json": format, "json": format}
	c.RejectUnknownQueryParameters = true
	c.Transformers = []huma.Transformer{ours}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer"}}
	if !g.config.Keeper.Open() {
		c.Security = []map[string][]string{{"token": {}}}
	}
	return c
}

// operation is a route as all of them are.
func (g *Gateway) operation(id, method, path, summary string, errs ...[]int) huma.Operation {
	o := huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, MaxBodyBytes: int64(g.settings.MaxBody)}
	for _, more := range append([][]int{refusals}, errs...) {
		o.Errors = append(o.Errors, more...)
	}
	return o
}

// body is an answer.
type body[T any] struct {
	Body T
}

type searchInput struct {
	Body Question
}

type searchParams struct {
	Table string `query:"table" maxLength:"256" doc:"schema.table; may be left out where one table is configured"`
	Query string `query:"q" required:"true" minLength:"1" maxLength:"1024" doc:"What to look for, by meaning; a longer one wants a POST"`
	TopK  int    `query:"topK" minimum:"1" maximum:"100" default:"10" doc:"How many rows at most"`
}

// RowPath is a row in a path. It is exported because huma passes over the others.
type RowPath struct {
	Table string `path:"table" maxLength:"256" doc:"schema.table"`
	ID    string `path:"id" minLength:"1" maxLength:"8192" doc:"The row's id, as a search gives it, percent-encoded once more; the hash h:… of a long one, too"`
}

type rowInput struct {
	RowPath
	Vector bool `query:"vector" doc:"With the chunks' vectors"`
}

type nearInput struct {
	RowPath
	TopK int `query:"topK" minimum:"1" maximum:"20" default:"10" doc:"How many rows at most"`
}

// EntityPath is an entity in a path, exported as RowPath is.
type EntityPath struct {
	Entity string `path:"entity" maxLength:"64" doc:"The name that the configuration gives to a table"`
	ID     string `path:"id" minLength:"1" maxLength:"8192" doc:"The row's id"`
}

type entityNearInput struct {
	EntityPath
	TopK int `query:"topK" minimum:"1" maximum:"20" default:"10" doc:"How many rows at most"`
}

func (g *Gateway) register(api huma.API) {
	huma.Register(api, g.operation("search", http.MethodPost, "/v1/search", "Search by meaning", behind, bodies),
		func(ctx context.Context, in *searchInput) (*body[*Answer], error) {
			return wrap(g.search(ctx, "body", &in.Body))
		})
	huma.Register(api, g.operation("search-get", http.MethodGet, "/v1/search", "Search by meaning, from a browser or a shell", behind),
		func(ctx context.Context, in *searchParams) (*body[*Answer], error) {
			return wrap(g.search(ctx, "query", &Question{Table: in.Table, Query: in.Query, TopK: in.TopK}))
		})
	huma.Register(api, g.operation("row", http.MethodGet, "/v1/tables/{table}/rows/{id}", "A stored row", behind),
		func(ctx context.Context, in *rowInput) (*body[*Row], error) {
			return wrap(g.row(ctx, in.Table, in.ID, in.Vector))
		})
	huma.Register(api, g.operation("similar", http.MethodGet, "/v1/tables/{table}/rows/{id}/similar", "Rows nearest to a stored one", behind),
		func(ctx context.Context, in *nearInput) (*body[*Neighbours], error) {
			return wrap(g.similar(ctx, in.Table, in.ID, in.TopK))
		})
	huma.Register(api, g.operation("features", http.MethodGet, "/v1/features/{entity}/{id}", "Vector and metadata of an entity", behind),
		func(ctx context.Context, in *EntityPath) (*body[*Features], error) {
			return wrap(g.features(ctx, in.Entity, in.ID))
		})
	huma.Register(api, g.operation("similar-entities", http.MethodGet, "/v1/features/{entity}/{id}/similar", "Entities nearest to one", behind),
		func(ctx context.Context, in *entityNearInput) (*body[*Neighbours], error) {
			return wrap(g.similarEntities(ctx, in.Entity, in.ID, in.TopK))
		})
	g.registerMonitor(api)
	describeProblems(api)
}

func wrap[T any](answer T, err error) (*body[T], error) {
	if err != nil {
		return nil, err
	}
	return &body[T]{answer}, nil
}

func (g *Gateway) registerMonitor(api huma.API) {
	if g.config.Monitor == nil {
		return
	}
	huma.Register(api, g.operation("status", http.MethodGet, "/v1/status", "State of the function and its tables"),
		func(ctx context.Context, _ *struct{}) (*body[*monitor.Status], error) {
			s, _ := g.config.Monitor.Status().For(scope(ctx)).(*monitor.Status)
			return &body[*monitor.Status]{s}, nil
		})
	orNull(api, "TableStatus", "freshnessMs")
	orNull(api, "Sources", "postgres")
	events := g.operation("events", http.MethodGet, "/v1/events", "What happens, as server-sent events", []int{http.StatusServiceUnavailable})
	events.Description = "Each stream begins with hello. history comes next unless the stream goes on after the Last-Event-ID that was sent: it has the " +
		"ticks of the last minutes, the latest changes follow it, and together they take the place of everything that was heard before. That " +
		"is so on the first visit, and when what lies between is not kept any more (the last five minutes are, at most 20,000 events and 16 MiB) or the gateway was started anew; there is no " +
		"other sign of a gap. Then status, and as things happen: tick (each second), change (50 a second at most; a tick tells how many were " +
		"left out), status. A listener that takes no more data for 10 s is disconnected."
	events.Responses = map[string]*huma.Response{"200": {
		Description: "The stream", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}},
	}}
	huma.Register(api, events, func(ctx context.Context, _ *struct{}) (*huma.StreamResponse, error) {
		release, refused := g.streams.take(access.From(ctx).Name)
		if refused != nil {
			return nil, refused
		}
		return &huma.StreamResponse{Body: func(c huma.Context) {
			defer release()
			g.stream(ctx, c)
		}}, nil
	})
}

// orNull says of a property that is an object that it may be null, too, which huma cannot be told by a tag.
func orNull(api huma.API, schema, property string) {
	properties := api.OpenAPI().Components.Schemas.Map()[schema].Properties
	properties[property] = &huma.Schema{AnyOf: []*huma.Schema{properties[property], {Type: "null"}}}
}

// scope is what a request may see, as monitor and stream want it: nil for everything.
func scope(ctx context.Context) func(table string) bool {
	grant := access.From(ctx)
	if grant.All() {
		return nil
	}
	return grant.Allows
}

func (g *Gateway) stream(ctx context.Context, c huma.Context) {
	r, w := humago.Unwrap(c)
	m, authenticated := g.config.Monitor, !g.config.Keeper.Open()
	m.Hub().Serve(g.life, w, r, stream.Audience{
		See: scope(ctx),
		Opening: func(see func(string) bool, resumed bool) []stream.Event {
			return m.Opening(see, resumed, authenticated)
		},
	})
}

// entity finds the table that has the name. A token that does not open all tables does not learn which names there are.
func (g *Gateway) entity(ctx context.Context, name string) (string, error) {
	table, ok := g.entities[name]
	switch grant := access.From(ctx); {
	case ok && grant.Allows(table):
		return table, nil
	case !grant.All():
		return "", problem.New(http.StatusForbidden, "this token opens no table of this entity")
	}
	return "", problem.New(http.StatusNotFound, "no table of the configuration has this entity (tables.<table>.entity)")
}
