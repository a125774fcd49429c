package chromatest

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"time"
)

// failure is an answer that is not 200, in the form of Chroma's own.
type failure struct {
	status        int
	kind, message string
}

func invalid(message string) *failure {
	return &failure{http.StatusBadRequest, "InvalidArgumentError", message}
}

func undecodable(message string) *failure {
	return &failure{http.StatusUnprocessableEntity, "ChromaError", "Failed to deserialize the JSON body into the target type: " + message}
}

func notFound(message string) *failure {
	return &failure{http.StatusNotFound, "NotFoundError", message}
}

type dropMark struct{}

// dropped as an answer closes the connection, as Chroma does on some requests.
var dropped = dropMark{}

var uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

const (
	inTenant   = "/api/v2/tenants/{tenant}"
	inDatabase = inTenant + "/databases/{database}"
	inAll      = inDatabase + "/collections"
	inOne      = inAll + "/{collection}"
)

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v2/heartbeat", func(w http.ResponseWriter, r *http.Request) {
		s.serve(w, r, Request{Op: "heartbeat"}, func() (any, *failure) {
			return map[string]any{"nanosecond heartbeat": time.Now().UnixNano()}, nil
		})
	})
	mux.HandleFunc("GET /api/v2/pre-flight-checks", func(w http.ResponseWriter, r *http.Request) {
		s.serve(w, r, Request{Op: "preflight"}, func() (any, *failure) {
			return map[string]any{"max_batch_size": s.opts.MaxBatch, "supports_base64_encoding": !s.opts.NoBase64}, nil
		})
	})
	mux.HandleFunc("GET "+inTenant, func(w http.ResponseWriter, r *http.Request) {
		s.serve(w, r, Request{Op: "tenant"}, func() (any, *failure) { return s.state.tenant(r.PathValue("tenant")) })
	})
	mux.HandleFunc("GET "+inDatabase, func(w http.ResponseWriter, r *http.Request) {
		s.serve(w, r, Request{Op: "database"}, func() (any, *failure) {
			return s.state.database(r.PathValue("tenant"), r.PathValue("database"))
		})
	})
	mux.HandleFunc("POST "+inAll, s.create)
	mux.HandleFunc("GET "+inOne, func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("collection")
		s.serve(w, r, Request{Op: "collection", Collection: name}, func() (any, *failure) { return s.state.describe(scopeOf(r), name) })
	})
	mux.HandleFunc("PUT "+inOne, s.onCollection("annotate", (*collection).annotate))
	mux.HandleFunc("DELETE "+inOne, func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("collection")
		s.serve(w, r, Request{Op: "drop", Collection: name}, func() (any, *failure) {
			return struct{}{}, s.apply(Mutation{Op: "drop", Collection: name}, func() *failure { return s.state.drop(name) })
		})
	})
	mux.HandleFunc("GET "+inOne+"/count", s.onCollection("count", func(c *collection, _ *payload) (any, *failure) {
		return len(c.byID), nil
	}))
	mux.HandleFunc("POST "+inOne+"/get", s.onCollection("get", (*collection).get))
	mux.HandleFunc("POST "+inOne+"/query", s.onCollection("query", (*collection).query))
	mux.HandleFunc("POST "+inOne+"/add", s.onCollection("add", (*collection).add))
	mux.HandleFunc("POST "+inOne+"/upsert", s.onCollection("upsert", (*collection).upsert))
	mux.HandleFunc("POST "+inOne+"/update", s.onCollection("update", (*collection).update))
	mux.HandleFunc("POST "+inOne+"/delete", s.onCollection("delete", (*collection).delete))
	return mux
}

func scopeOf(r *http.Request) scope { return scope{r.PathValue("tenant"), r.PathValue("database")} }

func (s *Server) create(w http.ResponseWriter, r *http.Request) {
	body, failed := s.read(r)
	var spec createPayload
	if failed == nil {
		failed = decodeInto(body, &spec)
	}
	s.serve(w, r, Request{Op: "create", Collection: spec.Name, Body: body}, func() (any, *failure) {
		if failed != nil {
			return nil, failed
		}
		var answer any
		err := s.apply(Mutation{Op: "create", Collection: spec.Name}, func() (err *failure) {
			answer, err = s.state.create(scopeOf(r), spec)
			return err
		})
		return answer, err
	})
}

// onCollection serves an operation on one collection, addressed by its id.
func (s *Server) onCollection(op string, run func(*collection, *payload) (any, *failure)) http.HandlerFunc {
	mutation := op == "add" || op == "upsert" || op == "update" || op == "delete"
	return func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("collection")
		body, failed := s.read(r)
		in := payload{base64: !s.opts.NoBase64}
		if failed == nil && op != "count" {
			failed = decodeInto(body, &in)
		}
		if failed == nil && !uuid.MatchString(id) {
			failed = invalid("Collection ID is not a valid UUIDv4")
		}
		name := s.state.nameOf(id)
		s.serve(w, r, Request{Op: op, Collection: name, IDs: in.IDs, Body: body}, func() (answer any, err *failure) {
			switch {
			case failed != nil:
				return nil, failed
			case mutation:
				err = s.apply(Mutation{Op: op, Collection: name, IDs: in.IDs}, func() *failure {
					answer, err = s.state.on(id, func(c *collection) (any, *failure) { return run(c, &in) })
					return err
				})
				return answer, err
			}
			return s.state.on(id, func(c *collection) (any, *failure) { return run(c, &in) })
		})
	}
}

func (s *Server) read(r *http.Request) ([]byte, *failure) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, s.opts.MaxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, &failure{http.StatusRequestEntityTooLarge, "", "Payload too large"}
	case err != nil:
		return nil, invalid("Failed to read the request body")
	}
	return body, nil
}

func decodeInto(body []byte, into any) *failure {
	err := json.Unmarshal(body, into)
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax):
		return invalid("Failed to parse the request body as JSON: " + err.Error())
	}
	return undecodable(err.Error())
}

func writeAnswer(w http.ResponseWriter, answer any, failed *failure) {
	status := http.StatusOK
	if answer == (made{}) {
		status = http.StatusCreated
	}
	if failed != nil {
		status = failed.status
		if failed.kind == "" {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, failed.message)
			return
		}
		answer = map[string]string{"error": failed.kind, "message": failed.message}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	out, err := json.Marshal(answer)
	if err != nil {
		out = []byte(err.Error())
	}
	_, _ = w.Write(out)
}
