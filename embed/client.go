package embed

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"github.com/rowvec/rowvec/credential"
)

// Client speaks to one endpoint and model. It is safe for use by several goroutines at once.
type Client struct {
	api  *openai.Client
	http *http.Client
	own  bool // the transport is the client's own

	endpoint  string // scheme, host and path, as shown
	model     string
	maxTexts  int
	maxTokens int
	timeout   time.Duration
	observe   func(Observation)
	count     func(string) int // nil: estimate

	passage, query *role
	limits         limits
	scrub          *scrubber
	encoding       encoding
	dimension      dimension
}

// New checks the settings and makes a client; it does not use the network. Its errors name the setting.
func New(cfg Config) (*Client, error) {
	cfg.APIKey = strings.TrimSpace(cfg.APIKey) // secrets from files end in a line break
	base, err := cfg.validate()
	if err != nil {
		return nil, err
	}
	passage, err := newRole(cfg.Model, cfg.Prefix, cfg.Extra)
	if err != nil {
		return nil, err
	}
	query, err := newRole(cfg.Model, cfg.QueryPrefix, cfg.QueryExtra)
	if err != nil {
		return nil, err
	}
	c := &Client{
		own:       cfg.Transport == nil,
		endpoint:  strings.TrimRight(showURL(cfg.BaseURL), "/") + "/embeddings",
		model:     cfg.Model,
		maxTexts:  cfg.MaxTexts,
		maxTokens: cfg.MaxTokens,
		timeout:   cfg.Timeout,
		observe:   cfg.Observe,
		count:     cfg.CountTokens,
		passage:   passage,
		query:     query,
		limits:    newLimits(cfg.RequestsPerMinute, cfg.TokensPerMinute, cfg.Instances),
		scrub:     newScrubber(cfg.APIKey, base),
		dimension: dimension(cfg.Dimensions),
	}
	if c.timeout == 0 {
		c.timeout = DefaultTimeout
	}
	c.http = newHTTPClient(cfg, base, newKey(cfg, base, c.scrub))
	settings := openai.DefaultConfig("") // the carrier adds the key
	settings.BaseURL = (&url.URL{Scheme: base.Scheme, Host: base.Host, Path: base.Path, RawPath: base.RawPath}).String()
	settings.HTTPClient = c.http
	c.api = openai.NewClientWithConfig(settings)
	return c, nil
}

func newHTTPClient(cfg Config, base *url.URL, key *credential.Credential) *http.Client {
	transport := cfg.Transport
	if transport == nil {
		transport = newTransport(cfg.RootCAs)
	}
	return &http.Client{
		Transport: &carrier{next: transport, key: key, user: base.User, query: base.RawQuery},
		// A redirected POST becomes a GET, or carries the texts to a host that nobody configured.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Close ends the idle connections of the client's own transport. Requests in flight are not disturbed; the client may be used again.
func (c *Client) Close() {
	if c.own {
		c.http.CloseIdleConnections()
	}
}

// String names endpoint and model, so that %v does not show the fields.
func (c *Client) String() string { return "embed.Client{" + c.endpoint + " " + c.model + "}" }

// GoString is String for %#v.
func (c *Client) GoString() string { return c.String() }

// Embed returns one vector for each text, in order, all finite and of one dimension: Config.Dimensions, or where that is 0 whatever the
// endpoint gives today. No texts, no request. Errors: *Error, or ctx's own, which pass through without a class.
func (c *Client) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	return c.embed(ctx, c.passage, texts)
}

// EmbedQuery returns the vector of a text that is searched for, with Config.QueryPrefix and QueryExtra. Errors as in Embed.
func (c *Client) EmbedQuery(ctx context.Context, text string) ([]float32, error) {
	found, err := c.embed(ctx, c.query, []string{text})
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// embed makes sure that a text is called poison only by an endpoint that takes others. Of several texts it need not, unless none got a
// good vector: the caller halves such a request until one is left.
func (c *Client) embed(ctx context.Context, r *role, texts []string) ([][]float32, error) {
	found, err := c.attempt(ctx, r, texts)
	var failure *Error
	if !errors.As(err, &failure) || failure.class != ClassPoison || !failure.doubtful(r, len(texts)) {
		return found, err
	}
	if err := c.confirm(ctx, r, failure); err != nil {
		return nil, err
	}
	if failure.reason == ReasonBadVector && len(texts) == 1 {
		return c.attempt(ctx, r, texts) // what went wrong in arithmetic may be gone, or be the fault of one server of several
	}
	return nil, failure
}

// doubtful says whether a poison error may be the endpoint's own fault. Bad vectors are what a model gives that has just broken down, so an
// earlier success does not vouch for the endpoint then, as it does for its settings.
func (e *Error) doubtful(r *role, texts int) bool {
	if e.reason == ReasonBadVector {
		return e.noneGood
	}
	return texts == 1 && !r.proven()
}

// probe is a text that no endpoint refuses for its own sake.
const probe = "word"

// confirm sends the probe. Its error is what went wrong in truth, none when the text is at fault: an endpoint that gives bad vectors for the
// probe as well is broken, and when it refuses the probe as well, a setting is wrong. No record may be dead-lettered for either.
func (c *Client) confirm(ctx context.Context, r *role, failed *Error) error {
	_, err := c.attempt(ctx, r, []string{probe})
	var failure *Error
	if !errors.As(err, &failure) || failure.class != ClassPoison {
		return err
	}
	if failed.reason == ReasonBadVector || failure.reason == ReasonBadVector {
		return c.fail(verdict{ClassRetry, ReasonMalformedAnswer}, failure.status, failed.said+"; and for a plain word: "+failure.said)
	}
	return c.fail(verdict{ClassHalt, ReasonSettingsRefused}, failure.status, failure.said)
}

// attempt is one request, and a second one when the endpoint turns out not to give base64.
func (c *Client) attempt(ctx context.Context, r *role, texts []string) ([][]float32, error) {
	format := c.encoding.format()
	found, err := c.request(ctx, r, texts, format)
	var failure *Error
	if errors.As(err, &failure) && c.encoding.refused(format, failure) {
		return c.request(ctx, r, texts, openai.EmbeddingEncodingFormatFloat)
	}
	return found, err
}

// request is one request.
func (c *Client) request(ctx context.Context, r *role, texts []string, format openai.EmbeddingEncodingFormat) ([][]float32, error) {
	inputs, tokens := r.inputs(texts)
	if c.count != nil && c.limits.tokens != nil {
		tokens = c.counted(inputs)
	}
	if err := c.limits.wait(ctx, tokens); err != nil {
		return nil, fmt.Errorf("wait for the embedding endpoint's rate limit: %w", err)
	}
	x := &exchange{limit: c.dimension.answerLimit(len(texts))}
	limited, cancel := context.WithTimeout(withExchange(ctx, x), c.timeout)
	defer cancel()
	start := time.Now()
	answer, err := c.api.CreateEmbeddings(limited, openai.EmbeddingRequestStrings{
		Input:          inputs,
		Model:          openai.EmbeddingModel(c.model),
		EncodingFormat: format,
		Dimensions:     int(c.dimension),
		ExtraBody:      r.extra,
	})
	c.limits.learn(x.header)
	outcome := outcome{exchange: x, err: err, callerErr: ctx.Err(), timedOut: limited.Err() != nil, base64: format == openai.EmbeddingEncodingFormatBase64}
	c.report(outcome, Observation{Texts: len(texts), Tokens: tokens, Duration: time.Since(start)}, answer.Usage)
	found, err := c.judge(outcome, answer.Data, len(texts))
	if err != nil {
		return nil, err
	}
	r.succeeded()
	c.encoding.worked(format)
	return found, nil
}

// report tells the observer of a request.
func (c *Client) report(o outcome, observation Observation, usage openai.Usage) {
	if c.observe == nil {
		return
	}
	observation.Code = o.code()
	if counted := max(usage.TotalTokens, usage.PromptTokens); counted > 0 {
		observation.Tokens = counted
	}
	c.observe(observation)
}
