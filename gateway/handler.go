package gateway

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/cors"

	"github.com/rowvec/rowvec/gateway/access"
	"github.com/rowvec/rowvec/gateway/problem"
)

// newHandler puts together what a request goes through: headers, other sites' pages, the size of the body, the token, the route.
func (g *Gateway) newHandler() http.Handler {
	api := http.NewServeMux()
	g.register(humago.New(api, g.apiConfig()))
	api.Handle("GET /metrics", g.wholeFunction(promhttp.HandlerFor(g.config.Registry, promhttp.HandlerOpts{})))
	api.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { unknown(api, w, r) })

	root := http.NewServeMux()
	guarded := g.config.Keeper.Guard(g.bounded(g.metrics.count(api)))
	for _, path := range []string{"/v1/", "/metrics"} {
		root.Handle(path, guarded)
	}
	open := g.metrics.count(g.openRoutes(api))
	root.Handle("/", g.config.Keeper.Named(open))
	return plain(g.crossOrigin(root))
}

// openRoutes need no token: signs of life, the description of the API, and the page, which asks for the token itself.
func (g *Gateway) openRoutes(api http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { alive(w) })
	mux.HandleFunc("GET /readyz", g.ready)
	mux.Handle("GET /openapi.json", api)
	if g.config.Page != nil {
		mux.Handle("GET /", g.config.Page)
	}
	return mux
}

func alive(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte("ok\n"))
}

// ready says whether questions can be answered: Chroma has to answer. Without a monitor nobody looks.
func (g *Gateway) ready(w http.ResponseWriter, _ *http.Request) {
	if g.config.Monitor != nil && !g.config.Monitor.Ready() {
		p := problem.New(http.StatusServiceUnavailable, "Chroma does not answer")
		p.RetryAfter = busyWait
		p.Write(w)
		return
	}
	alive(w)
}

// wholeFunction is for what concerns all tables: a token with a scope does not open it.
func (g *Gateway) wholeFunction(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !access.From(r.Context()).All() {
			problem.New(http.StatusForbidden, "this token opens some tables only").Write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// unknown answers for a path or a method that no route has.
func unknown(api *http.ServeMux, w http.ResponseWriter, r *http.Request) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		other := *r
		other.Method = method
		if _, pattern := api.Handler(&other); pattern != "/" && method != r.Method {
			w.Header().Set("Allow", method)
			problem.New(http.StatusMethodNotAllowed, "this path takes "+method).Write(w)
			return
		}
	}
	problem.New(http.StatusNotFound, "there is no such path; /openapi.json lists them").Write(w)
}

// bounded refuses a body over the limit before any of it is read, and cuts one that does not say how long it is.
func (g *Gateway) bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limit := int64(g.settings.MaxBody)
		if r.ContentLength > limit {
			problem.New(http.StatusRequestEntityTooLarge, "the body is over the limit").Write(w)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		next.ServeHTTP(w, r)
	})
}

// crossOrigin lets the pages of the configured origins ask, and no others.
func (g *Gateway) crossOrigin(next http.Handler) http.Handler {
	if len(g.settings.Origins) == 0 {
		return next
	}
	return cors.New(cors.Options{
		AllowedOrigins: g.settings.Origins, AllowedMethods: []string{http.MethodGet, http.MethodPost},
		AllowedHeaders: []string{"Authorization", "Content-Type", "Last-Event-ID"}, ExposedHeaders: []string{"Retry-After"}, MaxAge: 600,
	}).Handler(next)
}

// plain sets what every answer carries: nobody may guess at its type or show it in a frame.
func plain(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}
