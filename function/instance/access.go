package instance

import (
	"fmt"
	"strings"

	"github.com/apache/pulsar-client-go/pulsar"
)

// Access is how the function reaches Pulsar where it is not the worker's way: a role of its own, which else would be the worker's, and a token that is neither on the
// command line nor in the worker's log (contract §1.1, §4.6).
type Access struct {
	// Token is asked at each new connection, so that a rotated one is found; nil: the authentication that the worker passes on.
	Token func() (string, error)
	// TokenFrom names it for the status, never its value.
	TokenFrom string
	// TrustCertsFile has the authorities to trust, PEM; empty: the file that the worker names, else the system's.
	TrustCertsFile string
}

// options are ClientOptions with this access.
func (a Access) options(c *Conf) (pulsar.ClientOptions, error) {
	if a.Token != nil {
		own := *c
		own.AuthPlugin, own.authParameters = "", "" // which may be some that no Go client has
		c = &own
	}
	options, err := c.ClientOptions()
	if err != nil {
		return options, err
	}
	if a.Token != nil {
		options.Authentication = pulsar.NewAuthenticationTokenFromSupplier(a.Token)
	}
	if a.TrustCertsFile != "" {
		options.TLSTrustCertsFilePath, options.TLSAllowInsecureConnection = a.TrustCertsFile, false
	}
	return options, nil
}

// server is the broker as the status names it, with what decides whether it lets the function in.
func (a Access) server(c *Conf) string {
	var with []string
	switch {
	case a.Token != nil:
		with = append(with, "token: "+a.TokenFrom)
	case c.AuthPlugin != "":
		with = append(with, "authentication: the functions worker's "+strings.TrimPrefix(c.AuthPlugin, javaAuthPackage))
	}
	if file := first(a.TrustCertsFile, c.TLSTrustCertsFile); file != "" {
		with = append(with, "trusted certificates: "+file)
	}
	if len(with) == 0 {
		return redactURL(c.ServiceURL)
	}
	return fmt.Sprintf("%s (%s)", redactURL(c.ServiceURL), strings.Join(with, "; "))
}
