package embed

import (
	"crypto/tls"
	"errors"
	"net/http"
)

// judgeNetwork is the table from an error without an answer to verdict. Waiting cures most of them, a name that nobody knows, too: a service
// that is made anew has none for a while. A certificate that does not pass (unknown authority, expired, another name), and HTTP where TLS
// was asked for, stay as they are until somebody acts.
func judgeNetwork(err error) verdict {
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.As(err, &untrusted):
		return verdict{ClassHalt, ReasonCertificate}
	case errors.Is(err, http.ErrSchemeMismatch):
		return verdict{ClassHalt, ReasonUnsupported}
	default:
		return verdict{ClassRetry, ReasonNetwork}
	}
}
