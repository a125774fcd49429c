package main

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPlainScreen(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s := newScreen(&out)
	s.section(2, "Größe")
	s.line("%d rows", 3)
	s.command("ls")
	s.output("\na \n\n  b\n\n")
	s.output("")
	s.table([][]string{{"one", "1"}, {"three", "3"}})
	require.Equal(t, "\n2. Größe\n--------\n3 rows\n\n$ ls\n  a\n\n    b\n  one    1\n  three  3\n", out.String())
}

func TestTerminalScreen(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s := &screen{out: &out}
	s.command("ls")
	require.Equal(t, "\n\x1b[36m$ ls\x1b[0m\n", out.String())
}

func TestShellLine(t *testing.T) {
	t.Parallel()
	require.Equal(t, `search -f a/b.yaml "two words"`, shellLine("search", "-f", "a/b.yaml", "two words"))
	require.Equal(t, `'say "hi"' '$HOME' 'it'\''s $1' "it's"`, shellLine(`say "hi"`, "$HOME", "it's $1", "it's"))
	require.Equal(t, `""`, shellLine(""))
}

func TestRound(t *testing.T) {
	t.Parallel()
	require.Equal(t, "0.1 s", round(60*time.Millisecond))
	require.Equal(t, "59.9 s", round(59900*time.Millisecond))
	require.Equal(t, "2 min 5 s", round(125900*time.Millisecond))
}

func TestExplain(t *testing.T) {
	t.Parallel()
	require.NoError(t, advise(nil, "nothing"))
	cause := errors.New("refused")
	err := fmt.Errorf("reach Postgres: %w", advise(cause, "start it with: %s", "make up"))
	require.ErrorIs(t, err, cause)
	var out bytes.Buffer
	explain(&out, "in step 2", err)
	require.Equal(t, "\nThe demo failed in step 2:\n  reach Postgres: refused\nWhat to do:\n  start it with: make up\n", out.String())
	out.Reset()
	explain(&out, "in step 2", cause)
	require.Equal(t, "\nThe demo failed in step 2:\n  refused\n", out.String())
}
