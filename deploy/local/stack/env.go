package stack

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
)

const (
	// envName is the file, in the stack's folder, that a shell can source.
	envName = "stack.env"
	// adminName is the program, in the stack's folder, that is this stack's pulsar-admin.
	adminName = "pulsar-admin"
	// EmbeddingModel is the model behind the embedding endpoint; its vectors have EmbeddingDimensions numbers.
	EmbeddingModel = "multilingual-e5-small"
	// EmbeddingDimensions is the length of the endpoint's vectors.
	EmbeddingDimensions = 384
)

// Env is how to reach the stack.
type Env struct {
	PulsarURL      string // PULSAR_URL: pulsar://host:port
	PulsarAdminURL string // PULSAR_ADMIN_URL: http://host:port
	PulsarAdmin    string // PULSAR_ADMIN: path of a pulsar-admin that talks to this stack. Like the original it changes its folder: give it absolute paths
	PostgresURL    string // POSTGRES_URL: superuser, with its password
	ChromaURL      string // CHROMA_URL: http://host:port
	EmbeddingURL   string // EMBEDDING_URL: an OpenAI base URL, ending in /v1
	EmbeddingModel string // EMBEDDING_MODEL
	GatewayURL     string // GATEWAY_URL: http://host:port; empty, and not in the file, while no gateway runs
}

// Env tells how to reach the stack.
func (s *Stack) Env() Env {
	e := Env{
		PulsarURL:      s.Pulsar.URL(),
		PulsarAdminURL: s.Admin().URL,
		PulsarAdmin:    filepath.Join(s.opts.Dir, adminName),
		PostgresURL:    s.Postgres.URL(),
		ChromaURL:      s.Chroma.URL(),
		EmbeddingURL:   s.Embedding.URL(),
		EmbeddingModel: EmbeddingModel,
	}
	if s.Gateway.PID() > 0 {
		e.GatewayURL = s.Gateway.URL()
	}
	return e
}

// Pairs lists the variables as KEY=value, in the order of the file.
func (e Env) Pairs() []string {
	pairs := []string{
		"PULSAR_URL=" + e.PulsarURL,
		"PULSAR_ADMIN_URL=" + e.PulsarAdminURL,
		"PULSAR_ADMIN=" + e.PulsarAdmin,
		"POSTGRES_URL=" + e.PostgresURL,
		"CHROMA_URL=" + e.ChromaURL,
		"EMBEDDING_URL=" + e.EmbeddingURL,
		"EMBEDDING_MODEL=" + e.EmbeddingModel,
	}
	if e.GatewayURL != "" {
		pairs = append(pairs, "GATEWAY_URL="+e.GatewayURL)
	}
	return pairs
}

// String is the content of stack.env: lines that a shell, and most readers of such files, understand.
func (e Env) String() string {
	var text strings.Builder
	for _, pair := range e.Pairs() {
		key, value, _ := strings.Cut(pair, "=")
		_, _ = fmt.Fprintf(&text, "%s=%s\n", key, quote(value)) // a strings.Builder takes everything
	}
	return text.String()
}

// quote makes a word for the shell: as it is when that is safe, else in single quotes.
func quote(value string) string {
	if strings.IndexFunc(value, special) < 0 {
		return value
	}
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}

func special(r rune) bool {
	return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/@._-+,%=", r)
}

// shown is a URL without its password, for messages.
func shown(address string) string {
	parsed, err := url.Parse(address)
	if err != nil { // never for the URLs that are made here
		return "(unreadable)"
	}
	return parsed.Redacted()
}

// writeEnv leaves, in the stack's folder, what other programs need.
func (s *Stack) writeEnv() error {
	return writeFile(filepath.Join(s.opts.Dir, envName), s.Env().String(), 0o600) // it holds a password
}
