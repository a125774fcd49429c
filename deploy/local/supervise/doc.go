// Package supervise starts long-running programs, keeps hold of everything that they start in turn, and ends all of it: by request, by force, or
// when this program itself dies. It reads /proc and so is for Linux.
package supervise
