// Package brokerlog finds out why Pulsar's client does not connect. Its errors say "connection error" whatever is wrong: a certificate, a token, a name; the reason
// is in its log alone (pulsar-client-go v0.19).
package brokerlog

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// Reason remembers the last complaint in a client's log. The zero value is ready; it is safe for concurrent use.
type Reason struct {
	mu   sync.Mutex
	text string
	at   time.Time
}

// Handler hands everything on to next, and remembers what is a warning or worse, whether next wants it or not.
func (r *Reason) Handler(next slog.Handler) slog.Handler { return handler{Handler: next, reason: r} }

// Explain puts the complaint beside an error of a call that began at the given time, unless the client has not complained since; nil stays nil.
func (r *Reason) Explain(err error, began time.Time) error {
	if err == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.text == "" || r.at.Before(began) {
		return err
	}
	return fmt.Errorf("%w: %s", err, r.text)
}

func (r *Reason) note(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.text, r.at = strings.ReplaceAll(text, "\n", ": "), time.Now()
}

// handler overhears. cause is the error that the client has put into its attributes.
type handler struct {
	slog.Handler

	reason *Reason
	cause  string
}

// Enabled implements slog.Handler.
func (h handler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn || h.Handler.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h handler) Handle(ctx context.Context, record slog.Record) error {
	if record.Level >= slog.LevelWarn {
		text := strings.TrimRight(record.Message, ". ")
		if h.cause != "" {
			text += ": " + h.cause
		}
		h.reason.note(text)
	}
	if !h.Handler.Enabled(ctx, record.Level) {
		return nil
	}
	return h.Handler.Handle(ctx, record)
}

// WithAttrs implements slog.Handler.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	for _, a := range attrs {
		if a.Key == "error" {
			h.cause = a.Value.String()
		}
	}
	h.Handler = h.Handler.WithAttrs(attrs)
	return h
}

// WithGroup implements slog.Handler.
func (h handler) WithGroup(name string) slog.Handler {
	h.Handler = h.Handler.WithGroup(name)
	return h
}
