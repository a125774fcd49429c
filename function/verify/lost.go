package verify

const (
	// lostShare and lostRows: of an index that lacks more than one row in so many, and more than so many, more is lost than some late inserts.
	lostShare = 10
	lostRows  = 100
)

// hasty reports whether a repair fills the index before it waits for changes that may be on their way: in its first round, when much is lost of
// what was read so far. Rows that are missing are added then, unless the function brings them first (Repair.Absent), and others that differ are
// left to the next round.
func (c *comparison) hasty() bool {
	return c.Applier != nil && c.round == 0 && c.missing > lostRows && c.missing*lostShare > c.report.Rows
}

// partial reports whether this round has left rows to the next, so that its word is not the last.
func (c *comparison) partial() bool {
	return c.left && c.round == 0
}
