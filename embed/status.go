package embed

import (
	"net/http"
	"strings"
)

// verdict is what a failure means.
type verdict struct{ class, reason string }

// judgeStatus is the whole table from HTTP status to verdict. Statuses below 200 or from 300 on come here, never 2xx.
//
// A 403 halts although a firewall may give it for one text: guessing wrong would dead-letter everything behind a revoked key.
// A 429 is always retried, also OpenAI's insufficient_quota: it ends when the account is topped up, without a restart.
// A 424 is how text-embeddings-inference reports a failed backend, 499 and 520-530 come from proxies, 529 means overloaded.
func judgeStatus(status int) verdict {
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return verdict{ClassPoison, ReasonBadRequest} // 400, 422
	case http.StatusRequestEntityTooLarge:
		return verdict{ClassPoison, ReasonTooLarge} // 413
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		return verdict{ClassHalt, ReasonAuth} // 401, 403, 407
	case http.StatusPaymentRequired:
		return verdict{ClassHalt, ReasonBilling} // 402
	case http.StatusNotFound, http.StatusGone:
		return verdict{ClassHalt, ReasonNotFound} // 404, 410
	case http.StatusRequestTimeout, http.StatusGatewayTimeout:
		return verdict{ClassRetry, ReasonTimeout} // 408, 504
	case http.StatusTooManyRequests:
		return verdict{ClassRetry, ReasonRateLimited} // 429
	case http.StatusConflict, http.StatusMisdirectedRequest, http.StatusLocked, http.StatusFailedDependency, http.StatusTooEarly, 499:
		return verdict{ClassRetry, ReasonServerError} // 409, 421, 423, 424, 425, 499
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported, http.StatusVariantAlsoNegotiates, http.StatusNotExtended:
		return verdict{ClassHalt, ReasonUnsupported} // 501, 505, 506, 510
	}
	return judgeRange(status)
}

// judgeRange is the table for the statuses that have no line of their own.
func judgeRange(status int) verdict {
	switch {
	case status >= 300 && status < 400:
		return verdict{ClassHalt, ReasonRedirect}
	case status >= 500 && status < 600:
		return verdict{ClassRetry, ReasonServerError}
	case status >= 600:
		return verdict{ClassRetry, ReasonMalformedAnswer}
	default: // 1xx, and 4xx that speak of the request's form: 405, 406, 411, 412, 414, 415, 416, 417, 426, 428, 431, 451 and unassigned ones
		return verdict{ClassHalt, ReasonUnsupported}
	}
}

// judgeCode corrects the verdict on a 4xx whose error code speaks of the model or the key: endpoints give 400 for those, too, and a
// setting must never dead-letter records (design §1, decision 7).
func judgeCode(v verdict, status int, codes []string) verdict {
	if status < 400 || status >= 500 || v.class != ClassPoison {
		return v
	}
	for _, code := range codes {
		switch strings.ToLower(code) {
		case "model_not_found", "model_not_supported", "invalid_model", "unknown_model", "unsupported_model", "deploymentnotfound", "notfounderror":
			return verdict{ClassHalt, ReasonNotFound}
		case "invalid_api_key", "api_key_invalid", "missing_api_key", "invalid_authentication", "authentication_error", "unauthorized",
			"permission_denied", "permission_error", "account_deactivated", "organization_deactivated":
			return verdict{ClassHalt, ReasonAuth}
		case "billing_hard_limit_reached", "billing_not_active":
			return verdict{ClassHalt, ReasonBilling}
		}
	}
	return v
}

// advice names the setting to look at.
func advice(reason string) string {
	switch reason {
	case ReasonAuth:
		return "check embedding.apiKey"
	case ReasonBilling:
		return "check the account that embedding.apiKey belongs to"
	case ReasonNotFound:
		return "check embedding.model and embedding.baseURL"
	case ReasonRedirect, ReasonUnsupported:
		return "check embedding.baseURL"
	case ReasonCertificate:
		return "its certificate is not trusted: check embedding.caFile and the host in embedding.baseURL"
	case ReasonSettingsRefused:
		return "check embedding.dimensions, extra, queryExtra and the prefixes: a plain word is refused as well"
	default:
		return ""
	}
}
