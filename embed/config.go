package embed

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// DefaultTimeout bounds a request whose Config has no Timeout.
const DefaultTimeout = 30 * time.Second

// Config describes an endpoint, its model and what it takes. BaseURL and Model are required.
type Config struct {
	// BaseURL is what comes before "/embeddings", e.g. "https://api.openai.com/v1". A user and password in it are sent as basic
	// authentication (unless there is an APIKey), a query is sent with every request; neither is ever shown.
	BaseURL string
	Model   string
	APIKey  string // sent as bearer token; empty: no Authorization header
	// KeySource is asked for the key before each request; nil: it stays APIKey. Where it fails, or gives what is no key, the last good one is
	// sent, and an error of reason auth says so. Its own errors must not cite the key.
	KeySource func() (string, error)

	Dimensions  int            // 0: the model's own. Else sent, and every answer must have it
	Prefix      string         // put before every text of Embed
	QueryPrefix string         // put before the text of EmbedQuery
	Extra       map[string]any // further fields of the request body of Embed, e.g. input_type: passage
	QueryExtra  map[string]any // the same for EmbedQuery

	MaxTexts  int           // texts per request; 0: no limit of that kind
	MaxTokens int           // tokens per request; 0: no limit of that kind
	Timeout   time.Duration // of one request, headers and body; 0: DefaultTimeout

	RequestsPerMinute int // requests wait for their turn; 0: no limit
	TokensPerMinute   int // the same for tokens; 0: no limit
	Instances         int // clients like this one, in other processes, that share these limits; 0: this one alone

	// CountTokens counts the tokens of a text, prefix included, as the endpoint does, and never more than its bytes; nil: they are
	// estimated (see Split).
	CountTokens func(text string) int

	RootCAs *x509.CertPool // trusted by the client's own transport; nil: the system's

	Observe   func(Observation) // called once per request, from the caller's goroutine; nil: nobody
	Transport http.RoundTripper // nil: a transport of the client's own, with connections kept for reuse
}

// Observation is one request as it went. A request that was given up before it was sent (waiting for a rate limit) is none.
type Observation struct {
	Code     string        // the HTTP status as text, or "timeout", "network", "canceled"
	Texts    int           // texts in the request
	Tokens   int           // as the endpoint counted them, else the estimate
	Duration time.Duration // from sending to the last byte of the answer, without the wait for a rate limit
}

// reserved are the fields of the request that the client sets itself.
func reserved() []string { return []string{"input", "model", "encoding_format", "dimensions"} }

// validate checks what can be checked without the network and returns the parsed base URL. It never quotes the URL or the key.
func (c *Config) validate() (*url.URL, error) {
	base, err := parseBaseURL(c.BaseURL)
	errs := []error{err}
	if c.Model == "" {
		errs = append(errs, errors.New("embedding.model: is empty; name the endpoint's model"))
	}
	errs = append(errs, checkKey(c.APIKey))
	for _, n := range []struct {
		key   string
		value int
	}{
		{"dimensions", c.Dimensions},
		{"maxTexts", c.MaxTexts},
		{"maxTokens", c.MaxTokens},
		{"requestsPerMinute", c.RequestsPerMinute},
		{"tokensPerMinute", c.TokensPerMinute},
		{"instances", c.Instances},
		{"timeout", int(c.Timeout)},
	} {
		if n.value < 0 {
			errs = append(errs, fmt.Errorf("embedding.%s: is negative; give 0 or more", n.key))
		}
	}
	errs = append(errs, checkExtra("extra", c.Extra), checkExtra("queryExtra", c.QueryExtra))
	return base, errors.Join(errs...)
}

func checkKey(key string) error {
	if strings.ContainsFunc(key, func(r rune) bool { return r < 0x21 || r == 0x7f }) {
		return errors.New("embedding.apiKey: holds a blank or a control character; check the secret's value")
	}
	return nil
}

func parseBaseURL(text string) (*url.URL, error) {
	base, err := url.Parse(text)
	switch {
	case text == "":
		return nil, errors.New("embedding.baseURL: is empty; give the endpoint's address, e.g. http://127.0.0.1:8001/v1")
	case err != nil: // its text quotes the URL, which may hold a password
		return nil, errors.New("embedding.baseURL: is not a URL; give e.g. http://127.0.0.1:8001/v1")
	case base.Scheme != "http" && base.Scheme != "https", base.Host == "":
		return nil, errors.New("embedding.baseURL: must begin with http:// or https:// and a host")
	case base.Fragment != "":
		return nil, errors.New("embedding.baseURL: must not have a fragment (#...)")
	case strings.HasSuffix(strings.TrimRight(base.Path, "/"), "/embeddings"):
		return nil, errors.New("embedding.baseURL: must not end in /embeddings; the client adds it")
	}
	return base, nil
}

func checkExtra(key string, extra map[string]any) error {
	for field := range extra {
		if slices.Contains(reserved(), field) {
			return fmt.Errorf("embedding.%s.%s: the client sets this field itself; remove it", key, field)
		}
	}
	if _, err := json.Marshal(extra); err != nil {
		return fmt.Errorf("embedding.%s: is not JSON: %w", key, err)
	}
	return nil
}

// LogValue shows the settings without their secrets.
func (c Config) LogValue() slog.Value {
	key := "unset"
	if c.APIKey != "" {
		key = redacted
	}
	return slog.GroupValue(
		slog.String("base_url", showURL(c.BaseURL)),
		slog.String("model", c.Model),
		slog.String("api_key", key),
		slog.Int("dimensions", c.Dimensions),
		slog.Int("max_texts", c.MaxTexts),
		slog.Int("max_tokens", c.MaxTokens),
		slog.Duration("timeout", c.Timeout),
		slog.Int("requests_per_minute", c.RequestsPerMinute),
		slog.Int("tokens_per_minute", c.TokensPerMinute),
	)
}

// String shows what LogValue shows, so that %v and %+v do not leak.
func (c Config) String() string { return c.LogValue().String() }

// GoString is String for %#v.
func (c Config) GoString() string { return "embed.Config{" + c.String() + "}" }

// showURL is scheme, host and path: what may be shown of a URL.
func showURL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return redacted
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}
