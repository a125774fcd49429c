package instance

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/apache/pulsar-client-go/pulsar"
	"github.com/prometheus/client_golang/prometheus"
)

// AuthError says what is wrong with the authentication that the worker passes on. It never holds the parameters.
type AuthError struct {
	Plugin string // Java class name
	Text   string
	reason string
}

// Error names the plugin and what to do.
func (e *AuthError) Error() string {
	return fmt.Sprintf("clientAuthenticationPlugin %s: %s", e.Plugin, e.Text)
}

// Class is "halt": a setting of the functions worker must change.
func (*AuthError) Class() string { return "halt" }

// Reason is auth_unsupported or auth_parameters.
func (e *AuthError) Reason() string { return e.reason }

// connectTimeout is that of one TCP connection; the client tries again by itself.
const connectTimeout = 10 * time.Second

// ClientOptions is how the Pulsar client connects: the URL, whose scheme alone decides about TLS (contract §4.6), authentication, and a
// registry of the client's own, because the process-wide one would mix its series with those of every other function on the worker.
// A Logger is for the caller to set.
func (c *Conf) ClientOptions() (pulsar.ClientOptions, error) {
	scheme, _, _ := strings.Cut(c.ServiceURL, "://")
	switch scheme {
	case "pulsar", "pulsar+ssl", "http", "https":
	default:
		return pulsar.ClientOptions{}, fmt.Errorf("pulsarServiceURL %s: expected the scheme pulsar:// or pulsar+ssl://", redactURL(c.ServiceURL))
	}
	auth, err := c.Authentication()
	if err != nil {
		return pulsar.ClientOptions{}, err
	}
	return pulsar.ClientOptions{
		URL:                        c.ServiceURL,
		ConnectionTimeout:          connectTimeout,
		Authentication:             auth,
		TLSTrustCertsFilePath:      c.TLSTrustCertsFile,
		TLSAllowInsecureConnection: c.TLSAllowInsecure,
		TLSValidateHostname:        c.TLSVerifyHostname,
		MetricsRegisterer:          prometheus.NewRegistry(),
		Description:                "rowvec",
	}, nil
}

// Authentication translates the Java plugin and its parameters (contract §6.8). It is nil when the worker gives none. Errors are
// *AuthError. No network is used and no file is read: both happen when the client connects, again at each new connection, so that a
// rotated token is found.
func (c *Conf) Authentication() (pulsar.Authentication, error) {
	build, ok := authPlugins[strings.TrimPrefix(c.AuthPlugin, javaAuthPackage)]
	if !ok {
		return nil, &AuthError{
			Plugin: c.AuthPlugin, reason: "auth_unsupported",
			Text: "a Go function cannot use this plugin; use token, TLS, basic, OAuth2 or Athenz authentication for functions " +
				"(brokerClientAuthenticationPlugin of the functions worker)",
		}
	}
	if build == nil {
		return nil, nil //nolint:nilnil // the client takes nil for no authentication
	}
	auth, err := build(c.authParameters)
	if err != nil {
		return nil, &AuthError{Plugin: c.AuthPlugin, reason: "auth_parameters", Text: err.Error()}
	}
	return auth, nil
}

const javaAuthPackage = "org.apache.pulsar.client.impl.auth."

// authPlugins has the class names without their package, and the short names that Pulsar knows for them.
var authPlugins = map[string]func(params string) (pulsar.Authentication, error){
	"": nil, "AuthenticationDisabled": nil,
	"AuthenticationToken": tokenAuth, "token": tokenAuth,
	"AuthenticationTls": tlsAuth, "tls": tlsAuth,
	"AuthenticationBasic": basicAuth, "basic": basicAuth,
	"oauth2.AuthenticationOAuth2": oauth2Auth, "oauth2": oauth2Auth,
	"AuthenticationAthenz": athenzAuth, "athenz": athenzAuth,
}

func tokenAuth(params string) (pulsar.Authentication, error) {
	params = strings.TrimSpace(params)
	if token, ok := strings.CutPrefix(params, "token:"); ok {
		params = token
	} else if strings.HasPrefix(params, "file:") {
		return pulsar.NewAuthenticationTokenFromSupplier(tokenFile(params)), nil
	} else if strings.HasPrefix(params, "{") {
		fields, err := jsonParams(params)
		if err != nil {
			return nil, err
		}
		params = fields["token"]
	}
	if strings.TrimSpace(params) == "" {
		return nil, errors.New("the parameters hold no token; expected token:<jwt>, file:///path or {\"token\": ...}")
	}
	return pulsar.NewAuthenticationToken(params), nil
}

// tokenFile reads the file at each use: the platform rotates it.
func tokenFile(uri string) func() (string, error) {
	path := filePath(uri)
	return func() (string, error) {
		data, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("read the authentication token: %w", err)
		}
		token := strings.TrimSpace(string(data))
		if token == "" {
			return "", fmt.Errorf("read the authentication token: %s is empty", path)
		}
		return token, nil
	}
}

func tlsAuth(params string) (pulsar.Authentication, error) {
	fields, err := anyParams(params)
	if err != nil {
		return nil, err
	}
	if err := requireKeys(fields, "tlsCertFile", "tlsKeyFile"); err != nil {
		return nil, err
	}
	return pulsar.NewAuthenticationTLS(fields["tlsCertFile"], fields["tlsKeyFile"]), nil
}

func basicAuth(params string) (pulsar.Authentication, error) {
	fields, err := jsonParams(params)
	if err != nil {
		return nil, err
	}
	if fields["userId"] == "" {
		fields["userId"] = fields["username"]
	}
	if err := requireKeys(fields, "userId", "password"); err != nil {
		return nil, err
	}
	return pulsar.NewAuthenticationBasic(fields["userId"], fields["password"])
}

func oauth2Auth(params string) (pulsar.Authentication, error) {
	fields, err := jsonParams(params)
	if err != nil {
		return nil, err
	}
	const only = "client_credentials"
	if fields["type"] == "" {
		fields["type"] = only // Java's default; the Go client insists on it
	}
	if fields["type"] != only {
		return nil, fmt.Errorf("the parameter type must be %s", only)
	}
	if err := requireKeys(fields, "issuerUrl", "privateKey"); err != nil {
		return nil, err
	}
	if strings.HasPrefix(fields["privateKey"], "file:") {
		fields["privateKey"] = filePath(fields["privateKey"])
	}
	// The constructor that is meant for this swallows its error and returns nil, which the client takes for no authentication.
	text, err := json.Marshal(fields)
	if err != nil {
		return nil, errors.New("the parameters cannot be written as JSON")
	}
	return pulsar.NewAuthentication("oauth2", string(text))
}

func athenzAuth(params string) (pulsar.Authentication, error) {
	fields, err := jsonParams(params)
	if err != nil {
		return nil, err
	}
	if err := requireKeys(fields, "providerDomain", "privateKey", "ztsUrl"); err != nil {
		return nil, err
	}
	return pulsar.NewAuthenticationAthenz(fields), nil
}

// anyParams reads the two notations that Java knows: a JSON object, and key:value pairs parted by commas.
func anyParams(params string) (map[string]string, error) {
	if strings.HasPrefix(strings.TrimSpace(params), "{") {
		return jsonParams(params)
	}
	fields := map[string]string{}
	for pair := range strings.SplitSeq(params, ",") {
		key, value, ok := strings.Cut(pair, ":")
		if !ok {
			return nil, errors.New("the parameters are neither JSON nor key:value pairs parted by commas")
		}
		fields[strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	return fields, nil
}

// jsonParams reads a JSON object of scalars. No part of it appears in the error.
func jsonParams(params string) (map[string]string, error) {
	var values map[string]any
	if err := decodeMap("parameters", params, &values); err != nil || values == nil {
		return nil, errors.New("the parameters are not a JSON object")
	}
	fields := make(map[string]string, len(values))
	for key, value := range values {
		switch value := value.(type) {
		case nil:
		case string:
			fields[key] = value
		case json.Number, bool:
			fields[key] = fmt.Sprint(value)
		default:
			return nil, fmt.Errorf("the parameter %s is not a text", key)
		}
	}
	return fields, nil
}

func requireKeys(fields map[string]string, keys ...string) error {
	for _, key := range keys {
		if fields[key] == "" {
			return fmt.Errorf("the parameter %s is missing", key)
		}
	}
	return nil
}

// filePath turns file:///path, file:/path and file:path into a path.
func filePath(uri string) string {
	if u, err := url.Parse(uri); err == nil && u.Path != "" {
		return u.Path
	}
	return strings.TrimPrefix(strings.TrimPrefix(uri, "file:"), "//")
}
