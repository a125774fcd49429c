package chroma

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	v2 "github.com/amikos-tech/chroma-go/pkg/api/v2"
)

const (
	// DefaultTimeout bounds one HTTP request when Config.Timeout is zero.
	DefaultTimeout = 30 * time.Second
	// DefaultTenant always exists on a Chroma server.
	DefaultTenant = "default_tenant"
	// DefaultDatabase always exists in the default tenant.
	DefaultDatabase = "default_database"
)

// Config says which server to talk to. It is read by New.
type Config struct {
	// URL is the server's address, with or without /api/v2. A user and password in it become basic authentication.
	URL string
	// Tenant and Database must exist; empty means Chroma's default ones. The environment is not asked.
	Tenant, Database string
	// Token is sent as X-Chroma-Token, and as a bearer token unless URL has a user and password.
	Token string
	// TokenSource is asked for the token before each request; nil: it stays Token. Where it fails, or gives what is no token, the last good
	// one is sent, and an error of a token that is refused says so. Its own errors must not cite the token.
	TokenSource func() (string, error)
	// Timeout bounds each HTTP request, body included; 0 means DefaultTimeout.
	Timeout time.Duration
	// Observe is told of every HTTP request after it ended; it may be called from several goroutines and must not block.
	Observe func(Observation)
	// RootCAs are trusted by the client's own transport; nil means the system's.
	RootCAs *x509.CertPool
	// Transport carries the requests; nil means a clone of http.DefaultTransport.
	Transport http.RoundTripper
}

// Observation is one HTTP request that ended.
type Observation struct {
	// Op is heartbeat, preflight, collection, get, upsert, update, delete, query, count or annotate.
	Op string
	// Err is nil, an *Error, or the caller's context error.
	Err error
	// Code is the answer's HTTP status, or timeout, network, canceled, or bad_response for a 200 that is not Chroma's.
	Code     string
	Duration time.Duration
	// Records is how many records the request wrote, deleted or asked for by id.
	Records int
}

// Client talks to one database of one Chroma server. It is safe for use by several goroutines.
type Client struct {
	api      v2.Client
	database v2.Database
	timeout  time.Duration
	observe  func(Observation)
	secrets  *secrets
	limits   *limits

	mu      sync.Mutex
	handles map[string]*Collection // by name
}

// New makes a client; it does not touch the network. Its error names the setting that does not fit.
func New(cfg Config) (*Client, error) {
	base, user, err := address(cfg.URL)
	if err != nil {
		return nil, err
	}
	secrets, err := newSecrets(cfg, user)
	if err != nil {
		return nil, err
	}
	tenant, database := orDefault(cfg.Tenant, DefaultTenant), orDefault(cfg.Database, DefaultDatabase)
	for setting, name := range map[string]string{"chroma.tenant": tenant, "chroma.database": database} {
		if strings.ContainsAny(name, "/%?# ") || strings.Contains(name, "..") {
			return nil, fmt.Errorf("%s: %q cannot be part of a URL: use letters, digits, '_', '-' and '.'", setting, cut(name, 64))
		}
	}
	api, err := v2.NewHTTPClient(
		v2.WithBaseURL(base),
		v2.WithDatabaseAndTenant(database, tenant),
		v2.WithDefaultHeaders(map[string]string{"User-Agent": "rowvec"}),
		v2.WithHTTPClient(&http.Client{Transport: &transport{base: orTransport(cfg), secrets: secrets}}),
	)
	if err != nil {
		return nil, fmt.Errorf("chroma.url: %w", err)
	}
	timeout := cfg.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	return &Client{
		api: api, database: v2.NewDatabase(database, v2.NewTenant(tenant)), timeout: timeout, observe: cfg.Observe,
		secrets: secrets, limits: newLimits(), handles: map[string]*Collection{},
	}, nil
}

// Ping asks the server for its limits, once: after a first success it answers nil without a request. A failure is
// classified like any other and asked again by the next call.
func (c *Client) Ping(ctx context.Context) error {
	_, err := c.preflight(ctx)
	return err
}

// Heartbeat asks the server for a sign of life: one small request that touches no collection.
func (c *Client) Heartbeat(ctx context.Context) error {
	return c.do(ctx, &exchange{op: opHeartbeat}, c.api.Heartbeat, func(body []byte) error {
		if !beats(body) {
			return answerError("it has no heartbeat")
		}
		return nil
	})
}

// Close drops idle connections.
func (c *Client) Close() error {
	if err := c.api.Close(); err != nil {
		return fmt.Errorf("close the Chroma client: %w", err)
	}
	return nil
}

// address takes the credentials out of the URL, so that no later error can show them.
func address(text string) (base string, user *url.Userinfo, err error) {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		// The parse error quotes the URL, which may hold a password.
		return "", nil, fmt.Errorf("chroma.url: expected http://host:port or https://host:port")
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return "", nil, fmt.Errorf("chroma.url: expected no query and no fragment after the path")
	}
	user, u.User = u.User, nil
	u.Path, u.RawPath = strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/api/v2"), ""
	return u.String(), user, nil
}

func orDefault(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}

func orTransport(cfg Config) http.RoundTripper {
	if cfg.Transport != nil {
		return cfg.Transport
	}
	if t, ok := http.DefaultTransport.(*http.Transport); ok {
		own := t.Clone()
		own.TLSClientConfig = &tls.Config{RootCAs: cfg.RootCAs, MinVersion: tls.VersionTLS12}
		return own
	}
	return http.DefaultTransport
}
