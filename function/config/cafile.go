package config

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// CAFile is the path of a PEM file with the certificates of authorities that are trusted in place of the system's; empty: the system's.
type CAFile string

// Pool reads the file; nil, which is the system's pool, without one.
func (f CAFile) Pool() (*x509.CertPool, error) {
	if f == "" {
		return nil, nil //nolint:nilnil // what crypto/tls takes for the system's
	}
	data, err := os.ReadFile(string(f))
	if err != nil {
		return nil, &FileError{Path: string(f), err: fmt.Errorf("read the certificates of the authorities to trust: %w", withoutPath(err))}
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, &FileError{Path: string(f), err: errors.New("expected one or more certificates in PEM form (-----BEGIN CERTIFICATE-----), found none")}
	}
	return pool, nil
}
