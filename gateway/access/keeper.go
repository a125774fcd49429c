package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/rowvec/rowvec/function/config"
	"github.com/rowvec/rowvec/gateway/problem"
)

// Keeper lets requests in.
type Keeper struct {
	keys []key // none: everybody who calls a loopback name
	host string
	// origins are of pages that may ask a gateway without tokens, beside its own.
	origins []string
}

// key is one token, kept as its hash: comparing hashes takes equally long wherever two tokens differ, and a heap dump shows none.
type key struct {
	hash  [sha256.Size]byte
	grant *Grant
}

// New resolves the tokens' secrets. Errors name the setting.
func New(g config.Gateway, lookup func(name string) (string, bool)) (*Keeper, error) {
	host, _, err := net.SplitHostPort(g.Listen)
	if err != nil {
		return nil, fmt.Errorf("userConfig.gateway.listen: expected host:port: %w", err)
	}
	if len(g.Tokens) == 0 && !config.Loopback(host) {
		return nil, fmt.Errorf("userConfig.gateway.listen: without userConfig.gateway.tokens only a loopback address such as 127.0.0.1 is taken; found %s", g.Listen)
	}
	k := &Keeper{host: host, origins: g.Origins}
	seen := map[[sha256.Size]byte]string{}
	for i, t := range g.Tokens {
		at := fmt.Sprintf("userConfig.gateway.tokens[%d]", i)
		value, err := t.Token.Resolve(lookup)
		if err != nil {
			return nil, fmt.Errorf("%s.token: %w", at, err)
		}
		if len(value) < config.MinToken {
			return nil, fmt.Errorf("%s.token: expected at least %d characters, found %d", at, config.MinToken, len(value))
		}
		hash := sha256.Sum256([]byte(value))
		if other, ok := seen[hash]; ok {
			return nil, fmt.Errorf("%s.token: is the token of %s, too; each name needs its own", at, other)
		}
		seen[hash] = t.Name
		k.keys = append(k.keys, key{hash, &Grant{Name: t.Name, all: t.AllTables, tables: t.Tables, limit: limiter(t.RequestsPerMinute, g.RequestsPerMinute)}})
	}
	return k, nil
}

// limiter spreads a minute's requests evenly and lets a tenth of them come at once.
func limiter(own, common int) *rate.Limiter {
	perMinute := own
	if perMinute == 0 {
		perMinute = common
	}
	if perMinute == 0 {
		return rate.NewLimiter(rate.Inf, 0)
	}
	return rate.NewLimiter(rate.Limit(float64(perMinute)/60), max(1, perMinute/10))
}

// Open reports whether no token is asked for.
func (k *Keeper) Open() bool { return len(k.keys) == 0 }

// Guard passes on the requests that may come in, with their grant in the context, and answers the others: 401 without a good token,
// 403 under a name that is not ours or from another site's page, 429 over the token's rate. refused hears of these, with the grant of
// the token if it is a good one.
func (k *Keeper) Guard(next http.Handler, refused func(*http.Request, *Grant, *problem.Problem)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g, p := k.admit(r)
		if p != nil {
			refused(r, g, p)
			if p.Status == http.StatusUnauthorized {
				w.Header().Set("WWW-Authenticate", `Bearer realm="rowvec"`)
			}
			p.Write(w)
			return
		}
		next.ServeHTTP(w, r.WithContext(With(r.Context(), g)))
	})
}

func (k *Keeper) admit(r *http.Request) (*Grant, *problem.Problem) {
	g := Everything()
	if k.Open() {
		if !k.ours(r.Host) {
			return nil, stranger()
		}
		if k.foreign(r) {
			return nil, problem.New(http.StatusForbidden, "this gateway has no tokens and answers no other site's page; userConfig.gateway.origins lets one in")
		}
		return g, nil
	}
	g = k.find(r.Header.Get("Authorization"))
	if g == nil {
		return nil, problem.New(http.StatusUnauthorized, "expected the header Authorization: Bearer, with one of the gateway's tokens")
	}
	if wait := g.take(time.Now()); wait > 0 {
		p := problem.New(http.StatusTooManyRequests, "this token's rate is used up")
		p.RetryAfter = wait
		return g, p
	}
	return g, nil
}

// Named passes on the requests that need no token; under a name that is not ours a gateway without tokens answers 403 to them, too.
func (k *Keeper) Named(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if k.Open() && !k.ours(r.Host) {
			stranger().Write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// foreign reports whether a browser says that a page of another site sends the request. What such a page may not read it may still ask
// for, and have paid for. Programs send neither header.
func (k *Keeper) foreign(r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" {
		u, err := url.Parse(origin)
		ours := err == nil && strings.EqualFold(u.Host, r.Host)
		return !ours && !k.Welcomes(origin)
	}
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "cross-site" || site == "same-site"
}

// Welcomes reports whether the settings name a page's origin, letter by letter as its browser sends it.
func (k *Keeper) Welcomes(origin string) bool { return slices.Contains(k.origins, origin) }

func stranger() *problem.Problem {
	return problem.New(http.StatusForbidden, "this gateway has no tokens and answers under a loopback name only")
}

// take counts a request, or returns how long it is until the next one may come.
func (g *Grant) take(now time.Time) time.Duration {
	r := g.limit.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now)
	}
	return wait
}

// find compares with every token, so that the time tells nothing about them.
func (k *Keeper) find(header string) *Grant {
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return nil
	}
	hash := sha256.Sum256([]byte(strings.TrimSpace(token)))
	var found *Grant
	for i := range k.keys {
		if subtle.ConstantTimeCompare(hash[:], k.keys[i].hash[:]) == 1 {
			found = k.keys[i].grant
		}
	}
	return found
}

// ours keeps a page of another site from reading the rows by pointing its own name at 127.0.0.1.
func (k *Keeper) ours(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	host = strings.TrimSuffix(strings.Trim(host, "[]"), ".")
	return strings.EqualFold(host, k.host) || config.Loopback(host)
}
