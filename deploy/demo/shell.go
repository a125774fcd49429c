package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// shellLine is a command as a shell takes it.
func shellLine(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = shellWord(w)
	}
	return strings.Join(quoted, " ")
}

// shellWord quotes a word where a shell would take it apart. Words in double quotes read better, where nothing in them is special.
func shellWord(word string) string {
	switch {
	case word != "" && !strings.ContainsFunc(word, special):
		return word
	case !strings.ContainsAny(word, "\"$`\\!\n"):
		return `"` + word + `"`
	default:
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
}

func special(r rune) bool {
	return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/@._-+,%=", r)
}

// admin shows a pulsar-admin command, runs it and returns what it printed.
func (d *demo) admin(ctx context.Context, args ...string) (string, error) {
	d.screen.command(shellLine(append([]string{stackDir + "/pulsar-admin"}, args...)...))
	return d.pulsar.Command(ctx, args...)
}

// pulsarAdmin shows a pulsar-admin command, runs it and shows what it printed.
func (d *demo) pulsarAdmin(ctx context.Context, args ...string) error {
	printed, err := d.admin(ctx, args...)
	if err != nil {
		return err
	}
	d.screen.output(printed)
	return nil
}

// program shows a command, runs it and returns what it printed. shown is the command line as it should be read.
func (d *demo) program(ctx context.Context, shown, name string, args ...string) (string, error) {
	d.screen.command(shown)
	return output(ctx, name, args...)
}

// output runs a program; its error holds what the program complained of.
func output(ctx context.Context, name string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, name, args...)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Run(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}
