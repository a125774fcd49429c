package install

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/rowvec/rowvec/deploy/local/progress"
)

// mavenCopy is the goal that fetches an artifact, with whatever mirrors and proxies the user's settings name, and copies it to a folder. The version of
// the plugin is pinned: without it Maven asks for the newest one each time.
const mavenCopy = "org.apache.maven.plugins:maven-dependency-plugin:3.6.0:copy"

// transfer matches what Maven prints while it downloads one file. Small files come as kB and are not worth a bar.
var transfer = regexp.MustCompile(`^Progress \(1\): ([0-9.]+)/([0-9.]+) MB`)

// Artifact fetches group:artifact:version[:type[:classifier]] into dir and returns the path of its file. In Maven's local repository it stays as well.
func Artifact(ctx context.Context, coordinates, dir string, task *progress.Task) (string, error) {
	before, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return "", err
	}
	see := func(line string) {
		if m := transfer.FindStringSubmatch(line); m != nil {
			task.Amount(whole(m[1]), whole(m[2]), "MB")
		}
	}
	// Not in batch mode, which would not print how far a download is.
	if err := run(ctx, dir, nil, see, "mvn", mavenCopy, "-Dartifact="+coordinates, "-DoutputDirectory="+dir, "-Dstyle.color=never"); err != nil {
		return "", fmt.Errorf("fetch %s: %w", coordinates, err)
	}
	after, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return "", err
	}
	if len(after) != len(before)+1 {
		return "", fmt.Errorf("fetch %s: expected one more file in %s, found %d after %d", coordinates, dir, len(after), len(before))
	}
	return newcomer(before, after), nil
}

func newcomer(before, after []string) string {
	known := map[string]bool{}
	for _, name := range before {
		known[name] = true
	}
	for _, name := range after {
		if !known[name] {
			return name
		}
	}
	return ""
}

func whole(number string) int64 {
	value, err := strconv.ParseFloat(number, 64)
	if err != nil { // the pattern lets through nothing else
		return 0
	}
	return int64(value)
}
