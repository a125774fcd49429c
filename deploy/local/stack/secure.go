package stack

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strconv"

	"github.com/rowvec/rowvec/deploy/local/admin"
	"github.com/rowvec/rowvec/deploy/local/authority"
)

// The superusers of a secure Pulsar. Every other role can do what it was granted.
const (
	// AdminRole is who the stack's pulsar-admin is.
	AdminRole = "admin"
	// brokerRole is who the broker and its functions worker are, and all that the worker starts, unless that has a token of its own.
	brokerRole = "broker"
)

// authorityName is the folder, in the stack's, with certificates and tokens.
const authorityName = "authority"

const tokenPlugin = "org.apache.pulsar.client.impl.auth.AuthenticationToken" //nolint:gosec // a name

// security is what a secure Pulsar is made of: who signs, and the files that were signed.
type security struct {
	authority                *authority.Authority
	cert, key, broker, admin string
}

// secure makes the files. They lie beside the parts' folders.
func (s *Stack) secure() (*security, error) {
	a, err := authority.Open(filepath.Join(s.opts.Dir, authorityName))
	if err != nil {
		return nil, err
	}
	s.Authority = a
	out := &security{authority: a}
	if out.cert, out.key, err = a.Certificate("pulsar"); err != nil {
		return nil, err
	}
	if out.broker, err = a.Token(brokerRole); err != nil {
		return nil, err
	}
	out.admin, err = a.Token(AdminRole)
	return out, err
}

// configureSecurely makes the ports such with TLS. A plain one of the web service has to be beside: without it the worker in the broker has no port, and ends the
// broker when it schedules (Pulsar 4.0.8). All that the worker starts gets the path of a token's file: a token
// itself would stand on the command line (contract §4.6).
func (p *pulsar) configureSecurely() error {
	superusers, provider := AdminRole+","+brokerRole, "org.apache.pulsar.broker.authentication.AuthenticationProviderToken"
	both := map[string]string{
		"authenticationEnabled": "true", "authorizationEnabled": "true",
		"tlsCertificateFilePath": p.security.cert, "tlsKeyFilePath": p.security.key, "tlsTrustCertsFilePath": p.security.authority.CertFile(),
		"brokerClientTrustCertsFilePath": p.security.authority.CertFile(), "brokerClientAuthenticationPlugin": tokenPlugin,
		"brokerClientAuthenticationParameters": "file://" + p.security.broker,
	}
	broker := map[string]string{
		"brokerServicePort": "", "brokerServicePortTls": strconv.Itoa(p.ports[brokerPort]),
		"webServicePort": strconv.Itoa(p.ports[plainWebPort]), "webServicePortTls": strconv.Itoa(p.ports[webPort]),
		"brokerClientTlsEnabled": "true", "authenticationProviders": provider, "superUserRoles": superusers,
		"tokenSecretKey": "file://" + p.security.authority.TokenKeyFile(),
	}
	worker := map[string]string{
		"useTls": "true", "tlsEnableHostnameVerification": "true", "authenticationProviders": "[" + provider + "]", "superUserRoles": "[" + superusers + "]",
	}
	maps.Copy(broker, both)
	maps.Copy(worker, both)
	if err := edit(filepath.Join(p.dir, "conf", "standalone.conf"), "=", broker); err != nil {
		return err
	}
	return edit(filepath.Join(p.dir, "conf", "functions_worker.yml"), ": ", worker)
}

// client asks Pulsar's admin interface, as its administrator where it wants to know.
func (p *pulsar) client() (*http.Client, error) {
	if p.security == nil {
		return probeClient(), nil
	}
	ca, err := os.ReadFile(p.security.authority.CertFile())
	if err != nil {
		return nil, fmt.Errorf("read the authority's certificate: %w", err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	token, err := os.ReadFile(p.security.admin)
	if err != nil {
		return nil, fmt.Errorf("read the administrator's token: %w", err)
	}
	return &http.Client{Transport: &bearer{
		token:     string(token),
		Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}},
	}}, nil
}

// bearer sends a token with every request.
type bearer struct {
	*http.Transport

	token string
}

// RoundTrip implements http.RoundTripper.
func (b *bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.Transport.RoundTrip(r)
}

// Admin is how to administrate the stack's Pulsar.
func (s *Stack) Admin() admin.Pulsar {
	out := admin.Pulsar{Program: filepath.Join(s.opts.Dir, adminName)}
	if p, ok := s.Pulsar.service.(*pulsar); ok {
		out.URL = p.adminURL()
		out.Client, _ = p.client() // without the files there is nothing to administrate
	}
	return out
}

// adminFlags are how pulsar-admin gets in; another token's file can be named in PULSAR_TOKEN_FILE.
func (p *pulsar) adminFlags() string {
	if p.security == nil {
		return ""
	}
	return " --tls-trust-cert-path " + quote(p.security.authority.CertFile()) + " --auth-plugin " + tokenPlugin +
		` --auth-params "file://${PULSAR_TOKEN_FILE:-` + p.security.admin + `}"`
}
