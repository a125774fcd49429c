package chromatest

import (
	"crypto/rand"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
)

type scope struct{ tenant, database string }

// state is everything the server holds.
type state struct {
	mu        sync.RWMutex
	databases map[scope]bool
	byName    map[string]*collection // names are one space here: tests use one database
	byID      map[string]*collection
}

func newState() *state {
	return &state{
		databases: map[scope]bool{{"default_tenant", "default_database"}: true},
		byName:    map[string]*collection{}, byID: map[string]*collection{},
	}
}

var validName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]{1,510}[a-zA-Z0-9]$`)

type createPayload struct {
	Name          string         `json:"name"`
	GetOrCreate   bool           `json:"get_or_create"`
	Metadata      map[string]any `json:"metadata"`
	Configuration struct {
		HNSW hnsw `json:"hnsw"`
	} `json:"configuration"`
}

type hnsw struct {
	Space          string `json:"space"`
	EFConstruction int    `json:"ef_construction"`
	EFSearch       int    `json:"ef_search"`
	MaxNeighbors   int    `json:"max_neighbors"`
}

func (s *state) create(at scope, spec createPayload) (any, *failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	index := spec.Configuration.HNSW
	switch {
	case !validName.MatchString(spec.Name) || strings.Contains(spec.Name, ".."):
		return nil, invalid("Validation error: name: Expected a name containing 3-512 characters. Got: " + spec.Name)
	case !slices.Contains([]string{"", "l2", "cosine", "ip"}, index.Space):
		return nil, undecodable("configuration.hnsw.space: unknown variant")
	case !s.databases[at]:
		return nil, invalid(fmt.Sprintf("Database [%s] does not exist", at.database))
	}
	if c, ok := s.byName[spec.Name]; ok {
		if !spec.GetOrCreate {
			return nil, &failure{409, "ChromaError", fmt.Sprintf("Collection [%s] already exists", spec.Name)}
		}
		return c.describe(), nil
	}
	c := newCollection(at, spec)
	s.byName[c.name], s.byID[c.id] = c, c
	return c.describe(), nil
}

func (s *state) describe(at scope, name string) (any, *failure) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, ok := s.byName[name]
	if !ok || c.at != at {
		return nil, notFound(fmt.Sprintf("Collection [%s] does not exist", name))
	}
	return c.describe(), nil
}

func (s *state) drop(name string) *failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.byName[name]
	if !ok {
		return notFound(fmt.Sprintf("Collection [%s] does not exist", name))
	}
	delete(s.byName, name)
	delete(s.byID, c.id)
	return nil
}

// on runs f on a collection, alone.
func (s *state) on(id string, f func(*collection) (any, *failure)) (any, *failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.byID[id]
	if !ok {
		return nil, notFound(fmt.Sprintf("Collection [%s] does not exist.", id))
	}
	return f(c)
}

func (s *state) tenant(name string) (any, *failure) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for at := range s.databases {
		if at.tenant == name {
			return map[string]string{"name": name}, nil
		}
	}
	return nil, notFound(fmt.Sprintf("Tenant [%s] not found", name))
}

func (s *state) database(tenant, name string) (any, *failure) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if !s.databases[scope{tenant, name}] {
		return nil, notFound(fmt.Sprintf("Database [%s] not found. Are you sure it exists?", name))
	}
	return map[string]string{"id": "00000000-0000-0000-0000-000000000000", "name": name, "tenant": tenant}, nil
}

func (s *state) addDatabase(tenant, database string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.databases[scope{tenant, database}] = true
}

func (s *state) nameOf(id string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if c, ok := s.byID[id]; ok {
		return c.name
	}
	return ""
}

func (s *state) names() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Sorted(maps.Keys(s.byName))
}

func (s *state) records(name string) map[string]Record {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, ok := s.byName[name]
	if !ok {
		return nil
	}
	out := make(map[string]Record, len(c.byID))
	for id, r := range c.byID {
		out[id] = r.snapshot()
	}
	return out
}

// newID is a random UUID, version 4.
func newID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails since Go 1.24
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
