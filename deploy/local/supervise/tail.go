package supervise

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// tailBytes bounds what is read from the end of a log.
const tailBytes = 16 << 10

// Tail is the last lines of a file, for an error message; what stands in its way is said in place of them.
func Tail(path string, lines int) string {
	text, err := tail(path, lines)
	switch {
	case errors.Is(err, os.ErrNotExist), err == nil && len(text) == 0:
		return "(the log is empty)"
	case err != nil:
		return fmt.Sprintf("(the log cannot be read: %v)", err)
	}
	return string(text)
}

func tail(path string, lines int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	start := max(0, info.Size()-tailBytes)
	text, err := io.ReadAll(io.NewSectionReader(f, start, info.Size()-start))
	if err != nil {
		return nil, err
	}
	text = bytes.TrimRight(text, "\n")
	split := bytes.Split(text, []byte("\n"))
	return bytes.Join(split[max(0, len(split)-lines):], []byte("\n")), nil
}
