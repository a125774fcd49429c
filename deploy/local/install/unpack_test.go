package install

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// archive writes a .tar.gz with the given members.
func archive(t *testing.T, members ...tar.Header) string {
	t.Helper()
	var raw bytes.Buffer
	zipped := gzip.NewWriter(&raw)
	files := tar.NewWriter(zipped)
	for _, h := range members {
		text := []byte("content of " + h.Name)
		if h.Typeflag == tar.TypeReg {
			h.Size = int64(len(text))
		}
		require.NoError(t, files.WriteHeader(&h))
		if h.Typeflag == tar.TypeReg {
			_, err := files.Write(text)
			require.NoError(t, err)
		}
	}
	require.NoError(t, files.Close())
	require.NoError(t, zipped.Close())
	path := filepath.Join(t.TempDir(), "archive.tar.gz")
	require.NoError(t, os.WriteFile(path, raw.Bytes(), 0o600))
	return path
}

func TestUnpack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := archive(t,
		tar.Header{Name: "top/", Typeflag: tar.TypeDir, Mode: 0o755},
		tar.Header{Name: "top/bin/run", Typeflag: tar.TypeReg, Mode: 0o755}, // its folder comes later, or never
		tar.Header{Name: "top/bin/", Typeflag: tar.TypeDir, Mode: 0o755},
		tar.Header{Name: "top/README", Typeflag: tar.TypeReg, Mode: 0o444},
		tar.Header{Name: "top/link", Typeflag: tar.TypeSymlink, Linkname: "README"},
		tar.Header{Name: "top/null", Typeflag: tar.TypeChar, Mode: 0o666},
	)
	require.NoError(t, Unpack(t.Context(), path, dir, nil))
	require.Equal(t, []string{"README", "bin", "link"}, content(t, dir))
	read, err := os.ReadFile(filepath.Join(dir, "link"))
	require.NoError(t, err)
	require.Equal(t, "content of top/README", string(read))
	info, err := os.Stat(filepath.Join(dir, "bin", "run"))
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&0o100, "a program must stay one")
}

func TestUnpackStaysInItsFolder(t *testing.T) {
	t.Parallel()
	for name, members := range map[string][]tar.Header{
		"parent":       {{Name: "top/../../evil", Typeflag: tar.TypeReg, Mode: 0o600}},
		"through link": {{Name: "top/out", Typeflag: tar.TypeSymlink, Linkname: "../.."}, {Name: "top/out/evil", Typeflag: tar.TypeReg, Mode: 0o600}},
	} {
		base := t.TempDir()
		dir := filepath.Join(base, "a", "b")
		require.NoError(t, os.MkdirAll(dir, 0o755))
		_ = Unpack(t.Context(), archive(t, members...), dir, nil) // refused or put inside: both will do
		require.NoFileExists(t, filepath.Join(base, "evil"), name)
		require.NoFileExists(t, filepath.Join(base, "a", "evil"), name)
	}
}

func TestUnpackRefusesWhatIsNotWhole(t *testing.T) {
	t.Parallel()
	path := archive(t, tar.Header{Name: "top/file", Typeflag: tar.TypeReg, Mode: 0o600})
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, size := range []int{0, 5, len(whole) / 2, len(whole) - 9} {
		require.NoError(t, os.WriteFile(path, whole[:size], 0o600))
		require.Error(t, Unpack(t.Context(), path, t.TempDir(), nil), "%d bytes of %d", size, len(whole))
	}
	require.ErrorIs(t, Unpack(t.Context(), path+".none", t.TempDir(), nil), os.ErrNotExist)
}

func TestUnpackStopsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	path := archive(t, tar.Header{Name: "top/file", Typeflag: tar.TypeReg, Mode: 0o600})
	require.ErrorIs(t, Unpack(ctx, path, t.TempDir(), nil), context.Canceled)
}
