package function

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowvec/rowvec/function/config"
)

func TestTombstoneCollection(t *testing.T) {
	t.Parallel()
	require.Equal(t, "articles--tombstones", TombstoneCollection("articles"))
	longest := strings.Repeat("x", maxCollection-len(tombstoneSuffix))
	require.Equal(t, longest+tombstoneSuffix, TombstoneCollection(longest))
	one, other := TombstoneCollection(longest+"a"), TombstoneCollection(longest+"b")
	require.Len(t, one, maxCollection)
	require.NotEqual(t, one, other, "names that differ at the end only")
	require.Regexp(t, `^[a-zA-Z0-9][a-zA-Z0-9._-]{1,510}[a-zA-Z0-9]$`, one)
}

func TestPostgresIsOptional(t *testing.T) {
	t.Parallel()
	nothing := func(string) (string, bool) { return "", false }
	reader, err := NewPostgres(config.Postgres{}, nothing)
	require.NoError(t, err)
	require.Nil(t, reader)
	require.Nil(t, columnsOf(reader), "an interface that is nil")

	_, err = NewPostgres(config.Postgres{URL: config.Secret{Name: "DB"}}, nothing)
	require.ErrorContains(t, err, "userConfig.postgres.url: secret DB")
	_, err = NewPostgres(config.Postgres{URL: config.Secret{Name: "DB"}}, func(string) (string, bool) { return "postgres://u:s3cret@h:bad/x", true })
	require.ErrorContains(t, err, "userConfig.postgres.url: expected an address")
	require.NotContains(t, err.Error(), "s3cret")
	reader, err = NewPostgres(config.Postgres{URL: config.Secret{Name: "DB"}}, func(string) (string, bool) { return "postgres://u:p@127.0.0.1:1/x", true })
	require.NoError(t, err, "nothing is reached yet")
	require.NotNil(t, columnsOf(reader))
	reader.Close()
}
