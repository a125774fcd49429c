// Package admin asks Pulsar's admin interface: one attempt each, with the token, along the redirects by which a broker names the one
// that has to answer.
package admin

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// defaultTimeout bounds one question.
const defaultTimeout = 10 * time.Second

// Config says where the interface is.
type Config struct {
	URL       string                 // http://host:8080
	Token     string                 // bearer token; empty: none
	TokenFrom func() (string, error) // in place of Token: asked for each question, so that a rotated one is found
	Timeout   time.Duration          // of one question; 0: 10 s
	RootCAs   *x509.CertPool         // trusted by the client's own transport; nil: the system's
	Transport http.RoundTripper      // nil: one of its own
}

// Client asks. It is safe for concurrent use.
type Client struct {
	base   *url.URL
	token  func() (string, error)
	client *http.Client
	close  func()
}

// New checks the settings; nothing is reached yet. Call Close in the end.
func New(c Config) (*Client, error) {
	base, err := url.Parse(c.URL)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, fmt.Errorf("admin URL %q: expected http://host:8080", redacted(c.URL))
	}
	client := &Client{base: base, token: c.TokenFrom, close: func() {}}
	if client.token == nil {
		client.token = func() (string, error) { return c.Token, nil }
	}
	transport := c.Transport
	if transport == nil {
		own := &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConns: 2, IdleConnTimeout: time.Minute, TLSClientConfig: &tls.Config{RootCAs: c.RootCAs, MinVersion: tls.VersionTLS12}}
		transport, client.close = own, own.CloseIdleConnections
	}
	timeout := c.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	client.client = &http.Client{Transport: transport, Timeout: timeout, CheckRedirect: client.follow}
	return client, nil
}

// Close gives back the connections.
func (c *Client) Close() { c.close() }

// Server is the interface's scheme and host, without what may be a secret.
func (c *Client) Server() string { return c.base.Scheme + "://" + c.base.Host }

// Get asks for what lies under the path; its segments are escaped. The caller closes the answer's body. Errors are as http.Client's, and
// may name the URL.
func (c *Client) Get(ctx context.Context, segments ...string) (*http.Response, error) {
	path := make([]string, len(segments))
	for i, s := range segments {
		path[i] = url.PathEscape(s)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base.JoinPath(path...).String(), nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	if err := c.authorize(request); err != nil {
		return nil, err
	}
	return c.client.Do(request)
}

// follow goes where a broker sends a question that another one has to answer, and takes the token along, which the standard library
// would leave behind. Never from https to http.
func (c *Client) follow(request *http.Request, via []*http.Request) error {
	if len(via) >= 5 {
		return errors.New("more than 5 redirects")
	}
	if via[0].URL.Scheme == "https" && request.URL.Scheme != "https" {
		return errors.New("a redirect from https to http")
	}
	return c.authorize(request)
}

func (c *Client) authorize(request *http.Request) error {
	token, err := c.token()
	if err == nil && token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return err
}

// redacted is a URL without what may be a secret.
func redacted(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "(unreadable)"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}
