package main

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/deploy/local/stack"
)

func try(t *testing.T, args ...string) (out, progress string, err error) {
	t.Helper()
	var o, p bytes.Buffer
	err = run(t.Context(), append([]string{"--cache", t.TempDir()}, args...), &o, &p)
	return o.String(), p.String(), err
}

func TestUnknownCommandShowsUsage(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"upp"}, {"--dir"}, {"--what"}} {
		_, progress, err := try(t, args...)
		require.Error(t, err, args)
		require.Contains(t, progress, "usage:", args)
	}
	_, progress, err := try(t, "--help")
	require.NoError(t, err)
	require.Contains(t, progress, "down      end it")
}

func TestWithoutAStack(t *testing.T) {
	t.Parallel()
	none := filepath.Join(t.TempDir(), "none")
	for _, command := range []string{"status", "env", "logs"} {
		_, _, err := try(t, "--dir", none, command)
		require.ErrorIs(t, err, stack.ErrNotUp)
		require.ErrorContains(t, err, "go run ./deploy/local up")
	}
	out, _, err := try(t, "--dir", none, "down")
	require.NoError(t, err)
	require.Equal(t, "The stack is not up.\n", out)
	require.NoDirExists(t, none, "looking must not make anything")
	_, _, err = try(t, "--dir", none, "down", "--wype")
	require.Error(t, err)
}

func TestInterruptedUpStartsNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	err := run(ctx, []string{"--cache", t.TempDir(), "--dir", t.TempDir(), "up"}, &out, &out)
	require.Error(t, err)
	require.NotContains(t, out.String(), "The stack is up")
}
