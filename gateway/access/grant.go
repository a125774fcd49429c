// Package access decides who may ask the gateway what: bearer tokens with a scope of tables and a rate, and the names under which
// a gateway without tokens may be called.
package access

import (
	"context"
	"slices"

	"golang.org/x/time/rate"
)

// Grant is what a request may see.
type Grant struct {
	Name   string // of the token; empty: the gateway has none
	all    bool
	tables []string // where not all
	limit  *rate.Limiter
}

// Everything is the grant of a gateway without tokens.
func Everything() *Grant { return &Grant{all: true, limit: rate.NewLimiter(rate.Inf, 0)} }

// Allows reports whether the table's rows may be shown.
func (g *Grant) Allows(table string) bool { return g.all || slices.Contains(g.tables, table) }

// All reports whether every table may be seen, and with them what concerns the function as a whole.
func (g *Grant) All() bool { return g.all }

// grantKey finds the grant in a request's context.
type grantKey struct{}

// From returns the grant of a request that came through Keeper.Guard. Without one it is a grant for nothing.
func From(ctx context.Context) *Grant {
	if g, ok := ctx.Value(grantKey{}).(*Grant); ok {
		return g
	}
	return &Grant{limit: rate.NewLimiter(0, 0)}
}

// With returns a context that carries the grant.
func With(ctx context.Context, g *Grant) context.Context {
	return context.WithValue(ctx, grantKey{}, g)
}
