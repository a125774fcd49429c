package gateway

import (
	"net/http"
	"path"
	"strings"

	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/cors"

	"github.com/rowvec/rowvec/gateway/access"
	"github.com/rowvec/rowvec/gateway/problem"
)

// Patterns of the mux that are looked for elsewhere.
const (
	healthPattern   = "GET /healthz"
	readyPattern    = "GET /readyz"
	documentPattern = "GET /openapi.json"
	pagePattern     = "GET /"
	restPattern     = "/" // what no route has
)

// newHandler puts together what a request goes through: headers, other sites' pages, counting, the token, the size of the body, the route.
func (g *Gateway) newHandler() http.Handler {
	mux := http.NewServeMux()
	g.register(humago.New(mux, g.apiConfig()))
	mux.Handle("GET /metrics", g.wholeFunction(promhttp.HandlerFor(g.config.Registry, promhttp.HandlerOpts{})))
	mux.HandleFunc(healthPattern, func(w http.ResponseWriter, _ *http.Request) { alive(w) })
	mux.HandleFunc(readyPattern, g.ready)
	if g.config.Page != nil {
		mux.Handle(pagePattern, g.config.Page)
	}
	unknown := func(w http.ResponseWriter, r *http.Request) { g.unknown(mux, w, r) }
	mux.HandleFunc(restPattern, unknown)
	if g.config.Monitor != nil {
		mux.HandleFunc(eventsHead, unknown)
	}

	guarded := g.config.Keeper.Guard(named(g.bounded(mux)), g.refused)
	public := g.config.Keeper.Named(named(mux))
	return plain(g.crossOrigin(g.counted(mux, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch pattern := patternOf(mux, r); {
		case pattern == "":
			problem.New(http.StatusNotFound, "there is no such path; /openapi.json lists them").Write(w)
		case private(pattern, r.URL.Path):
			guarded.ServeHTTP(w, r)
		default:
			public.ServeHTTP(w, r)
		}
	}))))
}

// patternOf is the route that a request goes to. It has none when its path is not in its plain form, to which the mux would redirect, in
// HTML: what is "a//b" or "a/../b" to one program is something else to another, and no client of ours says so.
func patternOf(mux *http.ServeMux, r *http.Request) string {
	asked := r.URL.EscapedPath()
	if !strings.HasPrefix(asked, "/") || strings.TrimSuffix(asked, "/") != strings.TrimSuffix(path.Clean(asked), "/") {
		return ""
	}
	_, pattern := mux.Handler(r)
	return pattern
}

// private is all but signs of life, the description of the API, and the page, which asks for the token itself.
func private(pattern, path string) bool {
	switch pattern {
	case healthPattern, readyPattern, documentPattern:
		return false
	case pagePattern, restPattern:
		return path == "/v1" || strings.HasPrefix(path, "/v1/") || path == "/metrics"
	}
	return true
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

// unknown answers for a path or a method that no route has. The page knows its own files.
func (g *Gateway) unknown(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) {
	allowed := methods(mux, r)
	switch {
	case len(allowed) > 0:
		list := strings.Join(allowed, ", ")
		w.Header().Set("Allow", list)
		problem.New(http.StatusMethodNotAllowed, "this path takes "+list).Write(w)
	case g.config.Page != nil:
		g.config.Page.ServeHTTP(w, r)
	default:
		problem.New(http.StatusNotFound, "there is no such path; /openapi.json lists them").Write(w)
	}
}

// methods lists those that a route has for the path.
func methods(mux *http.ServeMux, r *http.Request) []string {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		other := *r
		other.Method = method
		if _, pattern := mux.Handler(&other); pattern != restPattern && pattern != pagePattern && pattern != eventsHead {
			allowed = append(allowed, method)
		}
	}
	return allowed
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
		AllowOriginFunc: g.config.Keeper.Welcomes, AllowedMethods: []string{http.MethodGet, http.MethodPost},
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
