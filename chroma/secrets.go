package chroma

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/rowvec/rowvec/credential"
)

// secrets are what lets the client in. They are added below chroma-go, so that it has nothing to show.
type secrets struct {
	token *credential.Credential
	basic string // of the URL's user and password; "": there are none
	known atomic.Pointer[[]string]
}

// newSecrets takes the token and the URL's user. Its error names the setting.
func newSecrets(cfg Config, user *url.Userinfo) (*secrets, error) {
	// Secrets read from files often end in a newline.
	token := strings.TrimSpace(cfg.Token)
	if err := checkToken(token); err != nil {
		return nil, err
	}
	s := &secrets{}
	var always []string
	if user != nil {
		password, _ := user.Password()
		s.basic = basicAuth(user.Username(), password)
		always = []string{password, s.basic}
	}
	learn := func(tokens ...string) {
		all := slices.Concat(always, tokens)
		s.known.Store(&all)
	}
	learn(token)
	source := cfg.TokenSource
	if source != nil {
		source = func() (string, error) {
			token, err := cfg.TokenSource()
			return strings.TrimSpace(token), err
		}
	}
	s.token = credential.New(token, source, func(token string, earlier []string) error {
		if token == "" {
			return errors.New("chroma.token: is blank; check the secret's value")
		}
		if err := checkToken(token); err != nil {
			return err
		}
		learn(append(earlier, token)...)
		return nil
	})
	return s, nil
}

func checkToken(token string) error {
	if strings.ContainsFunc(token, func(r rune) bool { return r < ' ' || r > '~' }) {
		return errors.New("chroma.token: contains a character that cannot be sent in a header")
	}
	return nil
}

// sign adds them to a request. The error says that the token is not what its source has now.
func (s *secrets) sign(header http.Header) error {
	token, err := s.token.Current()
	if token != "" {
		header.Set("X-Chroma-Token", token)
		header.Set("Authorization", "Bearer "+token)
	}
	if s.basic != "" {
		header.Set("Authorization", "Basic "+s.basic)
	}
	return err
}

// in says whether a text cites one of them.
func (s *secrets) in(text string) bool {
	return slices.ContainsFunc(*s.known.Load(), func(secret string) bool { return secret != "" && strings.Contains(text, secret) })
}
