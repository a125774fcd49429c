package supervise

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// MarkKey is the environment variable that tells which stack, and which part of it, a process belongs to.
const MarkKey = "ROWVEC_STACK"

// entry is one process as /proc shows it.
type entry struct {
	pid, parent, group int
	started            uint64
	zombie             bool
}

func (e entry) id() ID { return ID{PID: e.pid, Started: e.started} }

// lookup reads one process; false when there is none.
func lookup(pid int) (entry, bool) {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return entry{}, false
	}
	return parseStat(pid, string(raw))
}

// Find names the process that has this number now; false when there is none.
func Find(pid int) (ID, bool) {
	e, ok := lookup(pid)
	return e.id(), ok && !e.zombie
}

// parseStat takes what is needed from proc(5)'s stat. The second field is the command in parentheses and may hold anything, so the fields are counted from
// the last closing one.
func parseStat(pid int, raw string) (entry, bool) {
	end := strings.LastIndexByte(raw, ')')
	if end < 0 {
		return entry{}, false
	}
	fields := strings.Fields(raw[end+1:]) // fields[0] is field 3
	if len(fields) < 20 {
		return entry{}, false
	}
	e := entry{pid: pid, zombie: fields[0] == "Z" || fields[0] == "X"}
	var errs [3]error
	e.parent, errs[0] = strconv.Atoi(fields[1])
	e.group, errs[1] = strconv.Atoi(fields[2])
	e.started, errs[2] = strconv.ParseUint(fields[19], 10, 64)
	return e, errs == [3]error{}
}

// processes lists what runs on the machine, as far as this user may see it.
func processes() []entry {
	names, err := filepath.Glob("/proc/[0-9]*")
	if err != nil { // only for a malformed pattern
		return nil
	}
	found := make([]entry, 0, len(names))
	for _, name := range names {
		pid, err := strconv.Atoi(filepath.Base(name))
		if err != nil {
			continue
		}
		if e, ok := lookup(pid); ok && !e.zombie {
			found = append(found, e)
		}
	}
	return found
}

// alive reports whether this very process runs; a zombie does not.
func (id ID) alive() bool {
	e, ok := lookup(id.PID)
	return ok && !e.zombie && e.started == id.Started
}

func noneAlive(ids map[ID]bool) bool {
	for id := range ids {
		if id.alive() {
			return false
		}
	}
	return true
}

// family adds to known: the process, its group, the descendants of all that are known, and whatever carries the mark.
func family(root ID, mark string, known map[ID]bool) map[ID]bool {
	if known == nil {
		known = map[ID]bool{}
	}
	all := processes()
	if root.alive() {
		known[root] = true
	}
	for _, e := range all {
		if inGroup(e, root) || (mark != "" && marked(e.pid, mark)) {
			known[e.id()] = true
		}
	}
	for grown := true; grown; { // children of children, whatever the order of the pids
		grown = addChildren(all, known)
	}
	return known
}

// inGroup reports whether the process is in the group that the root leads. While a group has members its number is not given to a new
// process, so a process of that number that started at another time means that the group is somebody else's.
func inGroup(e entry, root ID) bool {
	if root.PID <= 1 || e.group != root.PID {
		return false
	}
	leader, ok := lookup(root.PID)
	return !ok || leader.started == root.Started
}

func addChildren(all []entry, known map[ID]bool) bool {
	parents := make(map[int]bool, len(known))
	for id := range known {
		if id.alive() {
			parents[id.PID] = true
		}
	}
	grown := false
	for _, e := range all {
		if parents[e.parent] && !known[e.id()] {
			known[e.id()], grown = true, true
		}
	}
	return grown
}

// marked reports whether the process inherited the mark. Of other users' processes only root sees the environment.
func marked(pid int, mark string) bool {
	env, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return false
	}
	want := []byte(MarkKey + "=" + mark)
	for variable := range bytes.SplitSeq(env, []byte{0}) {
		if bytes.Equal(variable, want) {
			return true
		}
	}
	return false
}
