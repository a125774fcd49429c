package credential_test

import (
	"errors"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/credential"
)

// vault is a source that a test writes.
type vault struct {
	value string
	err   error
}

func (v *vault) read() (string, error) { return v.value, v.err }

func refuseBad(value string, _ []string) error {
	if value == "bad" {
		return errors.New("holds a blank")
	}
	return nil
}

func TestWithoutASourceItNeverChanges(t *testing.T) {
	t.Parallel()
	value, err := credential.New("first", nil, nil).Current()
	require.NoError(t, err)
	require.Equal(t, "first", value)
}

func TestTheNewestValueThatCanBeUsed(t *testing.T) {
	t.Parallel()
	v := &vault{value: "first"}
	c := credential.New("first", v.read, refuseBad)
	gone := errors.New("no such file")
	for _, step := range []struct {
		now  vault
		want string
		says string
	}{
		{vault{value: "first"}, "first", ""},
		{vault{value: "second"}, "second", ""},
		{vault{err: gone}, "second", "the last one read is used: no such file"},
		{vault{value: "bad"}, "second", "the last one read is used: holds a blank"},
		{vault{value: "second"}, "second", ""},
		{vault{value: "third"}, "third", ""},
	} {
		*v = step.now
		value, err := c.Current()
		require.Equal(t, step.want, value)
		if step.says == "" {
			require.NoError(t, err)
			continue
		}
		require.EqualError(t, err, step.says)
		if step.now.err != nil {
			require.ErrorIs(t, err, gone)
		}
	}
}

// Whoever clears texts of secrets knows a value before it is used, and those that answers on their way may still cite.
func TestAValueIsToldBeforeItIsUsed(t *testing.T) {
	t.Parallel()
	v := &vault{value: "0"}
	var told string
	var known []string
	c := credential.New("0", v.read, func(value string, earlier []string) error {
		told, known = value, earlier
		return nil
	})
	_, err := c.Current()
	require.NoError(t, err)
	require.Empty(t, told, "nothing new")
	for i := 1; i <= 12; i++ {
		v.value = strconv.Itoa(i)
		_, err := c.Current()
		require.NoError(t, err)
		require.Equal(t, v.value, told)
	}
	require.Equal(t, []string{"4", "5", "6", "7", "8", "9", "10", "11"}, known)
	v.value = "9"
	_, err = c.Current()
	require.NoError(t, err)
	require.Equal(t, []string{"4", "5", "6", "7", "8", "10", "11", "12"}, known, "one that comes back is told once")
}

func TestManyUsersSeeEachValueAcceptedOnce(t *testing.T) {
	t.Parallel()
	times := 0
	c := credential.New("old", func() (string, error) { return "new", nil }, func(string, []string) error { times++; return nil })
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			value, err := c.Current()
			if err != nil || value != "new" {
				t.Errorf("got %q, %v", value, err)
			}
		})
	}
	all.Wait()
	require.Equal(t, 1, times)
}
