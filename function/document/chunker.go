package document

import "sort"

// Span is a chunk's place in the text: byte offsets, the end one past the last byte.
type Span struct{ Start, End int }

// Chunker cuts texts into chunks of a bounded number of tokens. Equal texts give equal chunks. It is safe for concurrent use.
type Chunker struct {
	limit, overlap int
	tok            Tokenizer
	refined        bool // bounds are looked for in finer steps than Estimate's, whose chunks stay as they are: others would be embedded again
}

// NewChunker returns a Chunker; a nil tokenizer is Estimate.
func NewChunker(spec ChunkSpec, tok Tokenizer) *Chunker {
	if tok == nil {
		tok = Estimate{}
	}
	_, estimate := tok.(Estimate)
	return &Chunker{limit: max(spec.Tokens, 1), overlap: max(spec.Overlap, 0), tok: tok, refined: !estimate}
}

// Split cuts valid UTF-8 text. Every chunk has at most the wanted tokens, provided that every single character has. It ends after a
// paragraph if one ends in the chunk's second half, else after a sentence there, else after a word; a word over the limit is cut
// between user-perceived characters. Without overlap the chunks follow each other without gap; with overlap a chunk begins up to
// that many tokens before the end of the one before it, at a sentence if one begins there, else at a word. The empty text is one
// empty chunk.
func (c *Chunker) Split(text string) []Span {
	if len(text) <= c.limit || c.tok.Count(text) <= c.limit {
		return []Span{{End: len(text)}}
	}
	r := run{Chunker: c, text: text, pieces: segment(text, c.limit, c.tok)}
	return r.split()
}

// run is one text being cut. Chunks are ranges of pieces.
type run struct {
	*Chunker
	text   string
	pieces []piece
}

func (r *run) split() []Span {
	var spans []Span
	from, done := 0, 0 // pieces[:done] are in chunks
	for done < len(r.pieces) {
		to := r.end(from, done)
		if to <= done { // the overlap leaves no room for anything new
			from = r.later(from, done)
			continue
		}
		spans = append(spans, Span{Start: r.offset(from), End: r.offset(to)})
		from, done = r.next(from, to), to
	}
	return spans
}

// offset is where piece i starts.
func (r *run) offset(i int) int {
	if i == 0 {
		return 0
	}
	return r.pieces[i-1].end
}

func (r *run) count(from, to int) int { return r.tok.Count(r.text[r.offset(from):r.offset(to)]) }

// end chooses the end of the chunk that starts at piece from, past piece done if anything past it fits.
func (r *run) end(from, done int) int {
	most := r.fill(from)
	if most == len(r.pieces) || most <= done {
		return most
	}
	half := r.offset(from) + (r.offset(most)-r.offset(from)+1)/2
	low := max(done+1, sort.Search(len(r.pieces), func(i int) bool { return r.pieces[i].end >= half })+1)
	best, at := most, r.pieces[most-1].level
	for to := most - 1; to >= low; to-- {
		if l := r.pieces[to-1].level; l > at {
			best, at = to, l
		}
	}
	if best != most && r.count(from, best) > r.limit { // a tokenizer that counts more for a part than for the whole
		return most
	}
	return best
}

// fill returns the furthest end that keeps the chunk within the limit, and at least one piece. Counting pieces alone overestimates,
// so it goes on from the true count until nothing more fits.
func (r *run) fill(from int) int {
	to, count := from+1, r.pieces[from].tokens
	sum := count // over the pieces
	for to < len(r.pieces) {
		next := r.extend(to, r.room(count, sum))
		if next == to {
			break
		}
		n := r.count(from, next)
		for n > r.limit && next > to+1 { // a tokenizer that counts more for the whole than for its parts
			next = to + (next-to)/2
			n = r.count(from, next)
		}
		if n > r.limit {
			break
		}
		for ; to < next; to++ {
			sum += r.pieces[to].tokens
		}
		count = n
	}
	return to
}

// room is how many tokens, by the pieces' own counts, may still fit. The letters of a long word, one by one, have many times the
// tokens of the word: then most of what the ratio so far allows is tried.
func (r *run) room(count, sum int) int {
	room := r.limit - count
	if r.refined && sum > count && count > 0 {
		room = max(room, room*sum/count*7/8)
	}
	return room
}

// extend adds pieces from to on, as long as their own counts fit in room.
func (r *run) extend(to, room int) int {
	for to < len(r.pieces) && r.pieces[to].tokens <= room {
		room -= r.pieces[to].tokens
		to++
	}
	return to
}

// next chooses where the chunk after [from, to) starts.
func (r *run) next(from, to int) int {
	first, room := to, r.overlap
	for room > 0 && first > from+1 && r.pieces[first-1].tokens <= room {
		first--
		room -= r.pieces[first].tokens
	}
	for first < to {
		best := r.bestStart(first, to)
		if r.count(best, to) <= r.overlap {
			return best
		}
		if first = best + 1; !r.refined { // a tokenizer that counts more for the whole than for its parts
			return to
		}
	}
	return to
}

// bestStart returns the first of the best starts from piece first on, before piece to.
func (r *run) bestStart(first, to int) int {
	best := first
	for i := first; i < to; i++ {
		if r.startsAt(i) > r.startsAt(best) {
			best = i
		}
	}
	return best
}

// later gives up some of the overlap: it returns the next start that is not inside a word.
func (r *run) later(from, done int) int {
	for from++; from < done && r.startsAt(from) < word; from++ {
		continue
	}
	return from
}

// startsAt rates the start of piece i as the start of an overlap, where a paragraph is worth no more than a sentence.
func (r *run) startsAt(i int) level { return min(r.pieces[i-1].level, sentence) }
