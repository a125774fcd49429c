// Package wire turns values as Postgres prints them into what package connector decodes of the source's records, and back. The source can
// be set to write some types in several ways: a Form is one combination. Send finds it out of a change, for values that stand in for what
// the change left out; Forms are all of them, for rowvec verify, which finds out which one an index was filled with.
package wire
