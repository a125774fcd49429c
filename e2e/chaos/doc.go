// Package chaos runs rowvec on the real stack while a seeded schedule of faults goes over every part of it, and a steady stream of changes with planted
// poison rows goes through it. Run it with `make chaos`; it stands behind the build tag e2e. What needs no stack is in packages of its own: schedule draws
// the faults, proxy cuts the network, plant judges the dead letters, report writes the table and the picture.
package chaos
