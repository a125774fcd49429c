package verify

import (
	"hash/maphash"
	"slices"
)

// maxListed is how many ids of the pages that were listed last are remembered, in 8 bytes each.
const maxListed = 8_000_000

// listed remembers pages of ids, so that what is listed again is counted once. A record only ever moves to the front, when others before it
// are removed: one that stands at a place now can be on those earlier pages only that reached beyond that place.
type listed struct {
	seed  maphash.Seed
	pages []listedPage
	n     int
	limit int
}

// listedPage is a page as it is remembered.
type listedPage struct {
	end    int      // the place behind its last id
	hashes []uint64 // sorted
}

func newListed(limit int) *listed { return &listed{seed: maphash.MakeSeed(), limit: limit} }

// add remembers a page, and returns those of its ids that were on none before.
func (l *listed) add(offset int, ids []string) (first []string) {
	hashes := make([]uint64, len(ids))
	for i, id := range ids {
		if hashes[i] = maphash.String(l.seed, id); !l.has(offset+i, hashes[i]) {
			first = append(first, id)
		}
	}
	slices.Sort(hashes)
	l.pages, l.n = append(l.pages, listedPage{offset + len(ids), hashes}), l.n+len(ids)
	for l.n > l.limit && len(l.pages) > 1 {
		l.n -= len(l.pages[0].hashes)
		l.pages[0] = listedPage{}
		l.pages = l.pages[1:]
	}
	return first
}

func (l *listed) has(place int, hash uint64) bool {
	for _, p := range slices.Backward(l.pages) {
		if p.end <= place {
			continue
		}
		if _, has := slices.BinarySearch(p.hashes, hash); has {
			return true
		}
	}
	return false
}
