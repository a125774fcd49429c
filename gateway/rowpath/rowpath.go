// Package rowpath names rows as paths take them. That of a row whose id is a dot or two cannot stand in one: a browser takes these,
// encoded or not, for a way through folders. A key's own % is always encoded, so that these names are no other row's.
package rowpath

// Of returns the name of the row with this id.
func Of(id string) string {
	switch id {
	case ".":
		return "%2E"
	case "..":
		return "%2E%2E"
	}
	return id
}

// ID returns the id of the row with this name.
func ID(name string) string {
	switch name {
	case "%2E":
		return "."
	case "%2E%2E":
		return ".."
	}
	return name
}
