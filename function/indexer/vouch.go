package indexer

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// Before a text is held to stall the endpoint has to take another right before it, or before nothing but 429s: half of one of the tables' own that it took not long ago, of the
// longest among some, or, while there is none, a plain one. That proves little, an endpoint out of memory may still have room for a word, so texts
// are set aside for it only now and then.
const (
	vouchFor   = 10 * time.Minute // how long a text that was taken may vouch
	vouchBytes = 16 << 10         // of a text that is remembered
	vouchPlain = 8                // texts that may be set aside for a plain one, and one more each vouchMore
	vouchMore  = time.Minute
	// vouchSearch is how long others leave the endpoint to the request that is searched after its last attempt before one that works, and
	// vouchAsk to an attempt that is under way, where embedding.timeout is longer.
	vouchSearch = 10 * time.Second
	vouchAsk    = 10 * time.Minute
	// vouchLimit is how long a text that was taken vouches for the attempts after one that met a limit, which may have no room for two at once.
	vouchLimit = 2 * time.Minute
)

// voucher knows what to ask an endpoint that fails on texts. Its methods are safe for concurrent use.
type voucher struct {
	mu     sync.Mutex
	sample string    // a text that was taken
	at     time.Time // when
	spent  int       // texts that were set aside for a plain one since
	more   time.Time // when spent gets less
	heals  int       // how often a text was taken after nothing but a plain one had been for so long
	search time.Time // until when others leave the endpoint to a request that is searched
	number int       // searches that have ended
}

// took notes texts that the endpoint took.
func (v *voucher) took(texts []string) {
	longest := ""
	for _, text := range texts {
		if len(text) > len(longest) && len(text) <= vouchBytes {
			longest = text
		}
	}
	now := time.Now()
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.spent > 0 {
		v.spent = 0
		v.heals++
	}
	if len(longest) > len(v.sample) || len(longest) > 0 && now.Sub(v.at) > vouchFor/2 {
		v.sample, v.at = strings.Clone(longest), now
	}
}

// text returns what is to be asked for, which no cache on the way knows; false: nothing would prove anything just now.
func (v *voucher) text() (text string, ok bool) {
	nonce := fmt.Sprintf(" %d", rand.Uint32()) //nolint:gosec // no secret, only new
	v.mu.Lock()
	defer v.mu.Unlock()
	if now := time.Now(); now.Sub(v.at) > vouchFor {
		v.sample = ""
		if v.spent > 0 && now.After(v.more) {
			v.spent, v.more = v.spent-1, now.Add(vouchMore)
		}
	}
	if v.sample == "" {
		return plainText + nonce, v.spent < vouchPlain
	}
	// The longest may be just what the endpoint takes.
	return strings.ToValidUTF8(v.sample[:len(v.sample)/2], "") + nonce, true
}

// refused drops a text that the endpoint does not take so.
func (v *voucher) refused() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sample = ""
}

// blame notes a text that was set aside.
func (v *voucher) blame() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.sample != "" {
		return
	}
	if v.spent++; v.spent == 1 {
		v.more = time.Now().Add(vouchMore)
	}
}

// during runs ask, of a request that is searched if so says, after another text was taken.
func (v *voucher) during(so bool, ask func() error) error {
	if !so {
		return ask()
	}
	v.until(time.Now().Add(vouchAsk))
	defer func() { v.until(time.Now().Add(vouchSearch)) }()
	return ask()
}

func (v *voucher) until(at time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.search = at
}

// searches reports whether a request is being searched, before an endpoint that works, and its number. Others that failed had better leave it alone
// meanwhile, as it is the gate that they would shut.
func (v *voucher) searches() (number int, is bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.number, time.Now().Before(v.search)
}

// ended notes that the search is over.
func (v *voucher) ended() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.search = time.Time{}
	v.number++
}

// healed counts the ends of outages in which texts were set aside.
func (v *voucher) healed() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.heals
}
