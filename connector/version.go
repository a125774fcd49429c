package connector

import (
	"cmp"
	"time"
)

// Version places a change in its row's history by three clocks, because each of them goes wrong at another occasion.
type Version struct {
	// LSN is the change's position in the write-ahead log. Row locks serialise a row's writers, so on one server it is the order of
	// commits. After a fail-over or a restore to another server positions may start lower.
	LSN uint64
	// CommitTime is source.ts_ms: the commit's time on the server's clock, in milliseconds; of a row that a snapshot read, the time of
	// reading, which may be later than that of changes that the snapshot does not have yet. It goes wrong when a clock is set back.
	CommitTime time.Time
	// Emitted is ts_ms of the event: when the source's connector handled the change, in milliseconds. It goes wrong when a connector
	// that was restarted sends changes again. Zero: not known, and CommitTime stands in.
	Emitted time.Time
}

// Compare tells which of two versions of one row is older (-1), by the majority of the three clocks:
//
//	occasion                                       LSN    commit  emitted
//	fail-over to a server with lower positions     wrong  right   right
//	clock set back; snapshot row read late         right  wrong   right
//	connector restarted, changes sent again        right  right   wrong
//
// So as long as two versions differ in no more than one of these ways, the answer is the order of history, and as history is one
// order, so is the answer: total, and the same whichever comes first. A clock that shows the same for both (changes of one
// transaction commit at one time, rows of one snapshot share a position) does not vote. When votes are even the position decides:
// a fail-over takes longer than the millisecond that would be needed for a tie. Where Emitted is not known only the commit time is
// left against the position, and it decides: silently dropping all that comes after a fail-over would be the worse fault.
//
// Versions that are equal by all clocks are of the same change; so are those that differ in Emitted alone (see SameChange).
func (v Version) Compare(other Version) int {
	lsn := cmp.Compare(v.LSN, other.LSN)
	votes := lsn + cmp.Compare(v.CommitTime.UnixMilli(), other.CommitTime.UnixMilli()) + cmp.Compare(v.emitted(), other.emitted())
	if votes == 0 {
		return lsn
	}
	return cmp.Compare(votes, 0)
}

// StaleAgainst reports whether v is older than stored (see Compare).
func (v Version) StaleAgainst(stored Version) bool { return v.Compare(stored) < 0 }

// SameChange reports whether both are of one change, which may have been emitted twice.
func (v Version) SameChange(other Version) bool {
	return v.LSN == other.LSN && v.CommitTime.UnixMilli() == other.CommitTime.UnixMilli()
}

func (v Version) emitted() int64 {
	if v.Emitted.IsZero() {
		return v.CommitTime.UnixMilli()
	}
	return v.Emitted.UnixMilli()
}
