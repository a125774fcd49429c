// Package footprint finds the processes of one stack, and reads what they use, from /proc.
package footprint

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Instance is what a running instance of the function has in its command line.
const Instance = "rowvec-function\x00-instance-conf"

// Find returns the processes that have all of holding in their command lines, where the arguments are separated by zero bytes. Finding none is an error.
func Find(holding ...string) ([]int, error) {
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return nil, err
	}
	var found []int
	for _, path := range lines {
		args, err := os.ReadFile(path)
		if err != nil || !holdsAll(args, holding) {
			continue // it may just have ended
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			return nil, err
		}
		found = append(found, pid)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no process of %s", strings.ReplaceAll(strings.Join(holding, ", "), "\x00", " "))
	}
	return found, nil
}

func holdsAll(args []byte, parts []string) bool {
	for _, part := range parts {
		if !bytes.Contains(args, []byte(part)) {
			return false
		}
	}
	return true
}

// Use is what a process uses.
type Use struct {
	Resident int64 // bytes of memory
	Threads  int
}

// Of reads what a process uses just now.
func Of(pid int) (use Use, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return Use{}, err
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		number, _, _ := strings.Cut(strings.TrimSpace(value), " ")
		switch name {
		case "VmRSS":
			kilobytes, failed := strconv.ParseInt(number, 10, 64)
			use.Resident, err = kilobytes<<10, errors.Join(err, failed)
		case "Threads":
			count, failed := strconv.Atoi(number)
			use.Threads, err = count, errors.Join(err, failed)
		}
	}
	return use, err
}
