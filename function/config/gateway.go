package config

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Gateway is how `rowvec serve` listens and whom it answers. The function itself only checks it.
type Gateway struct {
	Listen             string        // host:port
	Tokens             []AccessToken // none: everybody, on a loopback address only
	Origins            []string      // of browsers' pages that may ask, exactly as a browser sends them
	TLS                TLSFiles      // unset: plain HTTP
	Timeout            time.Duration // per request
	MaxBody            int           // bytes of a request's body
	RequestsPerMinute  int           // of each token that has no limit of its own; 0: no limit
	MaxStreams         int           // event streams that are open at once
	MaxStreamsPerToken int           // of them, of one token
	Cache              QueryCache
}

// AccessToken is one bearer token and what it opens.
type AccessToken struct {
	Name              string // for logs and metrics
	Token             Secret
	Tables            []string // none but these, unless AllTables
	AllTables         bool     // the settings name none: every table, and what concerns the function as a whole
	RequestsPerMinute int      // 0: Gateway.RequestsPerMinute
}

// TLSFiles are paths of PEM files.
type TLSFiles struct {
	Cert string
	Key  string
}

// QueryCache bounds the query vectors that are kept.
type QueryCache struct {
	Entries int
	TTL     time.Duration
}

const (
	maxGatewayTokens = 1_000
	maxBodyBytes     = 16 << 20
	maxCacheEntries  = 1_000_000
	mostStreams      = 100_000
)

// MinToken is how many bytes a bearer token has at least: a shorter one can be guessed.
const MinToken = 16

// entityName keeps an entity usable as one segment of a path.
var entityName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

func defaultGateway() Gateway {
	return Gateway{
		Listen: "127.0.0.1:8090", Timeout: 10 * time.Second, MaxBody: 64 << 10, MaxStreams: 1_000, MaxStreamsPerToken: 100,
		Cache: QueryCache{Entries: 10_000, TTL: 10 * time.Minute},
	}
}

func parseGateway(s *section, g *Gateway) {
	s.text("listen", &g.Listen)
	s.tokens("tokens", &g.Tokens)
	s.texts("origins", &g.Origins)
	s.checkOrigins("origins", g.Origins)
	t := s.section("tls")
	t.text("cert", &g.TLS.Cert)
	t.text("key", &g.TLS.Key)
	t.finish()
	if (g.TLS.Cert == "") != (g.TLS.Key == "") {
		s.fail("tls", "expected both cert and key, found one of them")
	}
	s.duration("timeout", &g.Timeout, 100*time.Millisecond, 10*time.Minute)
	s.integer("maxBody", &g.MaxBody, 1<<10, maxBodyBytes)
	s.integer("requestsPerMinute", &g.RequestsPerMinute, 0, maxPerMinute)
	s.integer("maxStreams", &g.MaxStreams, 1, mostStreams)
	s.integer("maxStreamsPerToken", &g.MaxStreamsPerToken, 1, mostStreams)
	c := s.section("cache")
	c.integer("entries", &g.Cache.Entries, 0, maxCacheEntries)
	c.duration("ttl", &g.Cache.TTL, time.Second, 24*time.Hour)
	c.finish()
	s.checkListen("listen", g)
	s.finish()
}

// tokens reads a list of {name, token, tables, requestsPerMinute}.
func (s *section) tokens(key string, into *[]AccessToken) {
	v, ok := s.get(key)
	if !ok {
		return
	}
	list, ok := v.([]any)
	if !ok || len(list) > maxGatewayTokens {
		s.fail(key, "expected a list of 1 to %d {name, token, tables}", maxGatewayTokens) // what is there may be a token
		return
	}
	for i, e := range list {
		values, ok := e.(map[string]any)
		if !ok {
			s.fail(fmt.Sprintf("%s[%d]", key, i), "expected {name: shop, token: {secret: NAME}}") // it may be a token
			continue
		}
		sub := &section{path: s.at(fmt.Sprintf("%s[%d]", key, i)), values: values, errs: s.errs}
		t := sub.accessToken()
		if slices.ContainsFunc(*into, func(o AccessToken) bool { return o.Name == t.Name }) {
			sub.fail("name", "%q is taken by another token", t.Name)
		}
		*into = append(*into, t)
	}
}

func (s *section) accessToken() AccessToken {
	var t AccessToken
	s.text("name", &t.Name)
	if !entityName.MatchString(t.Name) {
		s.fail("name", "required: what logs and metrics call this token, up to 64 letters, digits, dashes or underscores; found %q", t.Name)
	}
	s.secret("token", &t.Token)
	switch {
	case !t.Token.Set():
		s.fail("token", "required: {secret: NAME} or {file: /path}")
	case t.Token.value != "" && len(t.Token.value) < MinToken:
		s.fail("token", "expected at least %d characters", MinToken)
	}
	s.scope("tables", &t)
	s.integer("requestsPerMinute", &t.RequestsPerMinute, 0, maxPerMinute)
	s.finish()
	return t
}

// scope reads which tables a token opens. A list that is there and names none is refused: whoever empties it may mean none of them as well
// as all.
func (s *section) scope(key string, t *AccessToken) {
	v, ok := s.get(key)
	list, isList := v.([]any)
	_, present := s.values[key]
	switch {
	case !present:
		t.AllTables = true
	case !ok || isList && len(list) == 0:
		s.fail(key, "expected at least one table; leave it out for all")
	default:
		s.texts(key, &t.Tables)
	}
}

// originForm is scheme://host[:port] as browsers send it (RFC 6454 §6.2): lower case, names of other scripts in their ASCII form.
var originForm = regexp.MustCompile(`^(https?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([1-9][0-9]{0,4}))?$`)

// checkOrigins accepts what a browser may send, since it is compared letter by letter. There are no wildcards.
func (s *section) checkOrigins(key string, origins []string) {
	for i, o := range origins {
		if !isOrigin(o) {
			s.fail(fmt.Sprintf("%s[%d]", key, i), "expected an origin such as https://shop.example, as a browser sends it: one site, in lower case, without a path, "+
				"the port left out where it is the scheme's own; found %s", describe(o))
		}
	}
}

func isOrigin(o string) bool {
	part := originForm.FindStringSubmatch(o)
	if part == nil {
		return false
	}
	scheme, host, port := part[1], part[2], part[3]
	if n, err := strconv.Atoi(port); port != "" && (err != nil || n > 65_535 || port == map[string]string{"http": "80", "https": "443"}[scheme]) {
		return false
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		ip, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		return err == nil && "["+ip.String()+"]" == host
	}
	return true
}

// checkListen refuses to show the rows to a whole network without a token.
func (s *section) checkListen(key string, g *Gateway) {
	host, port, err := net.SplitHostPort(g.Listen)
	if n, e := strconv.Atoi(port); err != nil || e != nil || n < 0 || n > 65_535 {
		s.fail(key, "expected host:port, for example 127.0.0.1:8090; found %s", describe(g.Listen))
		return
	}
	if len(g.Tokens) == 0 && !Loopback(host) {
		s.fail(key, "without %s only a loopback address such as 127.0.0.1 is taken, since everybody who reaches it may read the rows; found %s",
			s.at("tokens"), describe(g.Listen))
	}
}

// Loopback reports whether a host, as a name or an address, is this machine and no other.
func Loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// checkAccess finds names that stand in one place and are missing in another.
func (s *section) checkAccess(c *Config) {
	for i, t := range c.Gateway.Tokens {
		for j, name := range t.Tables {
			if _, ok := c.Tables[name]; !ok {
				s.fail(fmt.Sprintf("gateway.tokens[%d].tables[%d]", i, j), "%q is not among the tables", name)
			}
		}
	}
	taken := map[string]string{}
	for _, name := range c.TableNames() {
		entity := c.Tables[name].Entity
		if entity == "" {
			continue
		}
		if other, ok := taken[entity]; ok {
			s.fail("tables."+name+".entity", "%q is the entity of %s, too", entity, other)
		}
		taken[entity] = name
	}
}
