package authority

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"github.com/golang-jwt/jwt/v5"
)

// keyBytes are what HS256 wants.
const keyBytes = 32

// TokenKeyFile is the path of the secret key, raw, that verifies tokens: Pulsar's tokenSecretKey.
func (a *Authority) TokenKeyFile() string { return a.path("token.key") }

// Token makes a token for a role, which is its subject, and returns the path of the file that holds it alone. It does not expire; the same role gets the same token.
func (a *Authority) Token(role string) (string, error) {
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{Subject: role}).SignedString(a.key)
	if err != nil {
		return "", fmt.Errorf("sign a token for %s: %w", role, err)
	}
	path := a.path(role + ".jwt")
	if err := os.WriteFile(path, []byte(token), 0o600); err != nil {
		return "", fmt.Errorf("write the token of %s: %w", role, err)
	}
	return path, nil
}

// tokenKey reads the key, or draws it.
func tokenKey(path string) ([]byte, error) {
	key, err := os.ReadFile(path)
	if err == nil {
		return key, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read the key of tokens: %w", err)
	}
	key = make([]byte, keyBytes)
	_, _ = rand.Read(key) // never fails
	if err := os.WriteFile(path, key, 0o600); err != nil {
		return nil, fmt.Errorf("write the key of tokens: %w", err)
	}
	return key, nil
}
