package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/rowvec/rowvec/deploy/local/supervise"
)

// stateName is the file, in the stack's folder, that lets another program find the parts.
const stateName = "stack.json"

// record is what is remembered of one part.
type record struct {
	supervise.ID
	Ports []int `json:"ports"`
	// Clean is set from an orderly stop to the next start. A part that ended otherwise, or nobody knows how, may need repair before it starts again.
	Clean bool `json:"clean"`
}

// stateFile keeps the records on disk. It is written after every change, so that a program which is killed leaves a true one.
type stateFile struct {
	path string

	mu      sync.Mutex
	records map[string]record
}

func openState(dir string) (*stateFile, error) {
	f := &stateFile{path: filepath.Join(dir, stateName)}
	var err error
	f.records, err = f.load()
	return f, err
}

// load reads what is on disk, which another program may have changed; nothing when there is no file.
func (f *stateFile) load() (map[string]record, error) {
	records := map[string]record{}
	raw, err := os.ReadFile(f.path)
	if errors.Is(err, os.ErrNotExist) {
		return records, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the stack's state: %w", err)
	}
	if err := json.Unmarshal(raw, &records); err != nil {
		return nil, fmt.Errorf("read the stack's state from %s (remove the file to start anew): %w", f.path, err)
	}
	return records, nil
}

// refresh takes over what other programs have written since.
func (f *stateFile) refresh() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	records, err := f.load()
	if err != nil {
		return err
	}
	for name, r := range records {
		f.records[name] = r
	}
	return nil
}

// of is what is known of a part; the zero record when nothing is.
func (f *stateFile) of(name string) record {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.records[name]
}

// ports are the part's own, drawn at its first start and kept for good: its clients have them in their configuration.
func (f *stateFile) ports(name string, n int) ([]int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.records[name]
	if len(r.Ports) == n {
		return r.Ports, nil
	}
	drawn, err := supervise.Ports(context.Background(), n)
	if err != nil {
		return nil, err
	}
	r.Ports = drawn
	f.records[name] = r
	return drawn, nil
}

func (f *stateFile) started(name string, id supervise.ID) error {
	return f.change(name, func(r *record) { r.ID, r.Clean = id, false })
}

// ended forgets the process. clean: it ended by itself when it was asked to.
func (f *stateFile) ended(name string, clean bool) error {
	return f.change(name, func(r *record) { r.ID, r.Clean = supervise.ID{}, clean })
}

func (f *stateFile) change(name string, edit func(*record)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	records, err := f.load()
	if err != nil {
		return err
	}
	r := f.records[name]
	edit(&r)
	f.records[name], records[name] = r, r // of the other parts, what is on disk may be newer
	raw, err := json.MarshalIndent(records, "", "  ")
	if err != nil {
		return fmt.Errorf("write the stack's state: %w", err)
	}
	return writeFile(f.path, string(raw)+"\n", 0o600)
}

// writeFile replaces a file as a whole: a reader sees the old content or the new.
func writeFile(path, content string, mode os.FileMode) error {
	temporary := path + ".new"
	if err := os.WriteFile(temporary, []byte(content), mode); err != nil { //nolint:gosec // the path is the stack's own
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Chmod(temporary, mode); err != nil { // whatever the umask is
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
