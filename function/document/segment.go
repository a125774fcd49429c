package document

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// level is how good a place to cut is.
type level uint8

const (
	inCluster level = iota // inside a user-perceived character: only when that alone is over the limit
	cluster                // between user-perceived characters (UAX #29): only inside a word that is over the limit
	word                   // where a line may break (UAX #14): never before a comma, between ideographs
	sentence               // after a sentence or a line (UAX #29)
	paragraph              // after a blank line
)

// piece is the text between two places to cut.
type piece struct {
	end    int // byte offset, one past the last
	tokens int // counted alone; the sum over pieces is at least about the count of their text
	level  level
}

// segment cuts text into pieces of at most limit tokens each, at words where it can.
func segment(text string, limit int, tok Tokenizer) []piece {
	s := segmenter{text: text, limit: limit, tok: tok, pieces: make([]piece, 0, len(text)/5+1)}
	state, rest, pos := -1, text, 0
	var bounds int
	for rest != "" {
		var c string
		c, rest, bounds, state = uniseg.StepString(rest, state)
		pos += len(c)
		s.blankLines(c)
		if at := s.levelAt(bounds, rest); at >= word {
			s.add(pos, at)
		}
	}
	return s.pieces
}

type segmenter struct {
	text   string
	limit  int
	tok    Tokenizer
	pieces []piece
	start  int // of the next piece
	breaks int // line breaks in the white space just passed
}

// blankLines counts line breaks in a run of white space.
func (s *segmenter) blankLines(c string) {
	switch {
	case c == "\u2029": // paragraph separator
		s.breaks += 2
	case strings.ContainsAny(c, "\n\r\v\f\u0085\u2028"):
		s.breaks++
	case strings.TrimSpace(c) != "":
		s.breaks = 0
	}
}

// levelAt rates the boundary before rest. White space belongs to the piece before it.
func (s *segmenter) levelAt(bounds int, rest string) level {
	if rest == "" {
		return paragraph
	}
	if r, _ := utf8.DecodeRuneInString(rest); unicode.IsSpace(r) {
		return cluster
	}
	switch {
	case s.breaks >= 2:
		return paragraph
	case s.breaks == 1 || bounds&uniseg.MaskSentence != 0:
		return sentence
	case bounds&uniseg.MaskLine != uniseg.LineDontBreak:
		return word
	default:
		return cluster
	}
}

// add ends a piece, in smaller pieces if it is over the limit.
func (s *segmenter) add(end int, at level) {
	whole := s.text[s.start:end]
	if n := s.count(s.start, end); n <= s.limit {
		s.pieces = append(s.pieces, piece{end: end, tokens: n, level: at})
	} else {
		s.addClusters(whole)
		s.pieces[len(s.pieces)-1].level = at
	}
	s.start = end
}

// count counts a piece alone, but with the blank before it instead of the one behind it: vocabularies have words with the blank before
// them, and the sum over the pieces comes out near the count of their text. To Estimate it makes no difference.
func (s *segmenter) count(start, end int) int {
	from, to := start, end
	if from > 0 && s.text[from-1] == ' ' {
		from--
	}
	if before, _ := utf8.DecodeLastRuneInString(s.text[start : end-1]); s.text[end-1] == ' ' && !unicode.IsSpace(before) {
		to--
	}
	n := s.tok.Count(s.text[from:to])
	if end-start > s.limit { // else it cannot have more than that, whatever is beside it
		n = max(n, s.tok.Count(s.text[start:end]))
	}
	return n
}

func (s *segmenter) addClusters(whole string) {
	pos, state := s.start, -1
	var c string
	for whole != "" {
		c, whole, _, state = uniseg.FirstGraphemeClusterInString(whole, state)
		if n := s.tok.Count(c); n <= s.limit {
			pos += len(c)
			s.pieces = append(s.pieces, piece{end: pos, tokens: n, level: cluster})
			continue
		}
		for c != "" {
			_, size := utf8.DecodeRuneInString(c)
			pos += size
			s.pieces = append(s.pieces, piece{end: pos, tokens: s.tok.Count(c[:size]), level: inCluster})
			c = c[size:]
		}
		s.pieces[len(s.pieces)-1].level = cluster
	}
}
