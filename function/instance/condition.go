package instance

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
)

// conditions are what keeps the instance from working as it should, by source. Each change is logged once.
type conditions struct {
	log *slog.Logger

	mu    sync.Mutex
	texts map[string]string
}

func newConditions(log *slog.Logger) *conditions {
	return &conditions{log: log, texts: map[string]string{}}
}

// set puts a text in place of the source's last one; an empty one takes it away.
func (c *conditions) set(source, text string) {
	text = clip(text, exceptionBytes)
	c.mu.Lock()
	before := c.texts[source]
	if text == "" {
		delete(c.texts, source)
	} else {
		c.texts[source] = text
	}
	c.mu.Unlock()
	switch text {
	case before:
	case "":
		c.log.LogAttrs(context.Background(), slog.LevelInfo, "condition cleared", slog.String("source", source), slog.String("was", before))
	default:
		c.log.LogAttrs(context.Background(), slog.LevelWarn, "condition", slog.String("source", source), slog.String("text", text))
	}
}

func (c *conditions) all() map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.texts)
}

// join is the text of the status: one part per source, in the order of the sources' names.
func (c *conditions) join() string {
	texts := c.all()
	parts := make([]string, 0, len(texts))
	for _, source := range slices.Sorted(maps.Keys(texts)) {
		parts = append(parts, source+": "+texts[source])
	}
	return strings.Join(parts, "; ")
}
