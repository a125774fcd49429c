package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// validity is that of all certificates. A stack lives for hours.
const validity = 30 * 24 * time.Hour

// Authority signs. Its methods may be called from several goroutines, but not for the same name at once.
type Authority struct {
	dir  string
	root tls.Certificate
	key  []byte // of tokens
}

// Open makes the authority of a folder, or reads back the one that was made there.
func Open(dir string) (*Authority, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the authority's folder: %w", err)
	}
	a := &Authority{dir: dir}
	if _, err := os.Stat(a.path("ca.key")); errors.Is(err, os.ErrNotExist) {
		if err := a.found(); err != nil {
			return nil, err
		}
	}
	var err error
	if a.root, err = tls.LoadX509KeyPair(a.CertFile(), a.path("ca.key")); err != nil {
		return nil, fmt.Errorf("read the authority's certificate: %w", err)
	}
	if a.key, err = tokenKey(a.TokenKeyFile()); err != nil {
		return nil, err
	}
	return a, nil
}

// CertFile is the path of the certificate, PEM, that its clients have to trust.
func (a *Authority) CertFile() string { return a.path("ca.pem") }

// Certificate makes a server's certificate and key, PEM, for the loopback addresses, and returns their paths. One that was made is kept.
func (a *Authority) Certificate(name string) (certFile, keyFile string, err error) {
	certFile, keyFile = a.path(name+".pem"), a.path(name+".key")
	if _, err := os.Stat(certFile); err == nil {
		return certFile, keyFile, nil
	}
	return certFile, keyFile, a.sign(name, &x509.Certificate{
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, a.root.Leaf, a.root.PrivateKey)
}

// found makes the root.
func (a *Authority) found() error {
	return a.sign("ca", &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil, nil)
}

// sign writes a new key and a certificate for it; without a signer it signs itself. The certificate comes last: where it is, the key is, too.
func (a *Authority) sign(name string, cert, parent *x509.Certificate, signer any) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make the key of %s: %w", name, err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return fmt.Errorf("number the certificate of %s: %w", name, err)
	}
	cert.SerialNumber, cert.Subject = serial, pkix.Name{CommonName: "rowvec local stack: " + name}
	cert.NotBefore, cert.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(validity)
	if signer == nil {
		parent, signer = cert, key
	}
	signed, err := x509.CreateCertificate(rand.Reader, cert, parent, key.Public(), signer)
	if err != nil {
		return fmt.Errorf("sign the certificate of %s: %w", name, err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key) // the form that Pulsar reads
	if err != nil {
		return fmt.Errorf("write the key of %s: %w", name, err)
	}
	return errors.Join(a.write(name+".key", "PRIVATE KEY", private), a.write(name+".pem", "CERTIFICATE", signed))
}

func (a *Authority) write(name, kind string, der []byte) error {
	if err := os.WriteFile(a.path(name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

func (a *Authority) path(name string) string { return filepath.Join(a.dir, name) }
