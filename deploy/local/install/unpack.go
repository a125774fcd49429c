package install

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/rowvec/rowvec/deploy/local/progress"
)

const megabyte = 1 << 20

// Unpack writes the files of a .tar.gz below dir, without the archive's single top folder. A name that leads out of dir is refused by os.Root.
func Unpack(ctx context.Context, archive, dir string, task *progress.Task) error {
	f, err := os.Open(archive)
	if err != nil {
		return fmt.Errorf("open the archive: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("open the archive: %w", err)
	}
	source := &metered{ctx: ctx, r: f, report: func(done int64) { task.Amount(done/megabyte, info.Size()/megabyte, "MB") }}
	zipped, err := gzip.NewReader(source)
	if err != nil {
		return fmt.Errorf("read the archive: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("open the folder to unpack to: %w", err)
	}
	defer func() { _ = root.Close() }() // nothing is written through it any more
	files := tar.NewReader(zipped)
	for {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read the archive: %w", err)
		}
		if err := extract(root, header, files); err != nil {
			return fmt.Errorf("unpack %s: %w", header.Name, err)
		}
	}
	// The last file is not the end: the checksum comes after it.
	if _, err := io.Copy(io.Discard, zipped); err != nil { //nolint:gosec // a pinned release, and nothing is kept
		return fmt.Errorf("read the archive: %w", err)
	}
	return nil
}

// extract writes one member: a folder, a file or a symbolic link. Distributions hold nothing else.
func extract(root *os.Root, h *tar.Header, content io.Reader) error {
	_, name, _ := strings.Cut(path.Clean(h.Name), "/")
	if name == "" {
		return nil // the top folder itself
	}
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return root.MkdirAll(name, 0o755)
	case tar.TypeSymlink:
		return root.Symlink(h.Linkname, name)
	case tar.TypeReg:
		return writeFile(root, name, h.FileInfo().Mode().Perm()|0o600, content)
	}
	return nil
}

func writeFile(root *os.Root, name string, mode os.FileMode, content io.Reader) error {
	f, err := root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	return errors.Join(err, f.Close())
}

// metered counts what is read, and stops when ctx has ended.
type metered struct {
	ctx    context.Context //nolint:containedctx // a reader has no other way to be interrupted
	r      io.Reader
	done   int64
	report func(done int64)
}

func (m *metered) Read(p []byte) (int, error) {
	if err := m.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := m.r.Read(p)
	m.done += int64(n)
	m.report(m.done)
	return n, err
}
