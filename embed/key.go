package embed

import (
	"errors"
	"net/url"
	"strings"

	"github.com/rowvec/rowvec/credential"
)

// newKey is the endpoint's key, which the scrubber learns of before it is sent.
func newKey(cfg Config, base *url.URL, scrub *scrubber) *credential.Credential {
	source := cfg.KeySource
	if source != nil {
		source = func() (string, error) {
			key, err := cfg.KeySource()
			return strings.TrimSpace(key), err
		}
	}
	return credential.New(cfg.APIKey, source, func(key string, earlier []string) error {
		if key == "" {
			return errors.New("embedding.apiKey: is blank; check the secret's value")
		}
		if err := checkKey(key); err != nil {
			return err
		}
		scrub.learn(base, append(earlier, key))
		return nil
	})
}
