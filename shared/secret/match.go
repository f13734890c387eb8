package secret

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// pattern is a text to redact: a secret, or one that contains it.
type pattern struct {
	text       string
	word       bool // it is replaced only where it is a whole word
	atLeast    int  // bytes of its beginning that are replaced at the end of a cut text
	partly     int  // bytes of its beginning that are replaced everywhere: somebody may have cut it
	head, tail bool // of base64: the letter before or after it has bits of the secret, too
	padded     bool // = signs may follow
}

// matcher finds patterns in texts, however their characters are encoded. It does not change.
type matcher struct {
	patterns []pattern
	starts   [256][]int     // the patterns by their first byte
	pairs    [256][4]uint64 // the first two bytes of all patterns, as bits
}

func newMatcher(patterns []pattern) *matcher {
	m := &matcher{patterns: patterns}
	for n, p := range patterns {
		b := p.text[0]
		m.starts[b] = append(m.starts[b], n)
		if len(p.text) == 1 {
			m.pairs[b] = [4]uint64{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)}
			continue
		}
		m.pairs[b][p.text[1]/64] |= 1 << (p.text[1] % 64)
	}
	return m
}

// span is a part of a text: from is its first byte, end the one after it.
type span struct{ from, end int }

// search is the search of one text.
type search struct {
	*matcher
	decoder
	cut      bool // the text is the beginning of a longer one
	tries    int  // left for one pattern at one position
	spent    int  // of all positions
	farthest int  // of one pattern at one position: where the search was
}

// redact returns text with redacted in place of everything that matches. If cut, text is the
// beginning of a longer one, and at its end the beginning of a pattern matches, too.
func (m *matcher) redact(text string, cut bool) string {
	spans := m.find(text, cut)
	if len(spans) == 0 {
		return text
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	var out strings.Builder
	done := 0 // the text up to here is written
	for i := 0; i < len(spans); {
		s := spans[i]
		for i++; i < len(spans) && spans[i].from < s.end; i++ { // overlapping secrets are replaced together
			s.end = max(s.end, spans[i].end)
		}
		out.WriteString(text[done:s.from] + redacted)
		done = s.end
	}
	return out.String() + text[done:]
}

// find returns the parts of text that match.
func (m *matcher) find(text string, cut bool) (spans []span) {
	s := &search{matcher: m, cut: cut}
	s.text = text
	for i := 0; i < len(text); i++ {
		if n := len(spans); n > 0 && s.spent > manyTries {
			if i = max(i, spans[n-1].end); i >= len(text) {
				break
			}
		}
		b := text[i]
		if !plain[b] {
			spans = s.escaped(spans, i)
			continue
		}
		if i+1 < len(text) {
			if next := text[i+1]; plain[next] && m.pairs[b][next/64]&(1<<(next%64)) == 0 {
				continue
			}
		}
		spans = s.begin(spans, i, m.starts[b])
	}
	return spans
}

// escaped adds the spans at i, where an escape sequence may begin.
func (s *search) escaped(spans []span, i int) []span {
	var firsts []byte // of the patterns that may begin here
	add := func(b byte) {
		if len(s.starts[b]) > 0 && !slices.Contains(firsts, b) {
			firsts = append(firsts, b)
		}
	}
	last := char{-1, 0}
	for times := range levels + 1 {
		c := s.char(int32(i), times)
		if c == last {
			continue
		}
		last = c
		if c.r < 0x100 {
			add(byte(c.r))
		}
		if c.r >= 0x80 && c.r != utf8.RuneError {
			add(string(c.r)[0])
		}
		for b := 0x80; b < 0x100 && c.r == utf8.RuneError; b++ {
			add(byte(b))
		}
	}
	for _, b := range firsts {
		spans = s.begin(spans, i, s.starts[b])
	}
	return spans
}

// begin adds the spans of those of the patterns that match at i.
func (s *search) begin(spans []span, i int, patterns []int) []span {
	for _, n := range patterns {
		p := &s.patterns[n]
		if s.tries, s.farthest = maxTries, i; s.spent > manyTries {
			s.tries = fewTries
		}
		end := s.from(p, i, 0)
		if end < 0 || p.word && !(s.beginsWord(i, p.text) && s.endsWord(p.text, end)) {
			continue
		}
		found := span{i, end}
		if p.head && i > 0 && inBase64(rune(s.text[i-1])) {
			found.from--
		}
		if p.tail {
			found.end = s.skip(end, inBase64)
		}
		for range 2 {
			if p.padded {
				found.end = s.skip(found.end, func(r rune) bool { return r == '=' })
			}
		}
		spans = append(spans, found)
	}
	return spans
}

// from returns where p, of which j bytes have matched before i, ends in the text: at the
// last possible position; or -1.
func (s *search) from(p *pattern, i, j int) int {
	for j < len(p.text) {
		if i >= len(s.text) {
			return s.stopped(p, i, j)
		}
		if b := s.text[i]; plain[b] {
			if b != p.text[j] {
				return s.stopped(p, i, j)
			}
			i, j = i+1, j+1
			continue
		}
		ways := s.ways(p.text[j:], i)
		if len(ways) != 1 || s.cut && len(s.text)-i <= maxEscape {
			return s.last(p, i, j, ways)
		}
		i, j = int(ways[0].end), j+int(ways[0].r)
	}
	return i
}

// stopped is from where only j bytes of p have matched before i.
func (s *search) stopped(p *pattern, i, j int) int {
	switch {
	case s.cut && j >= p.atLeast && i >= len(s.text), j >= p.partly:
		return i
	}
	return -1
}

const maxEscape = 12 // bytes of an escape sequence that is cut

// maxTries is how often the search may go on in several ways. A secret with some backslashes
// beside each other and a text of many would take forever. Then the text is replaced as far
// as the search came, in case that it is a secret. So that a long text of this kind does not
// take minutes, there are only fewTries at a position after manyTries in all, and none in what
// is replaced already.
const (
	maxTries  = 1000
	manyTries = 200_000
	fewTries  = 10
)

// last is from for several ways to go on, or none, or near the end of a cut text.
func (s *search) last(p *pattern, i, j int, ways []char) int {
	end := -1
	for _, w := range ways {
		s.farthest = max(s.farthest, int(w.end))
		s.spent++
		if s.tries--; s.tries < 0 {
			return s.farthest
		}
		end = max(end, s.from(p, int(w.end), j+int(w.r)))
	}
	if s.cut && len(s.text)-i <= maxEscape { // the rest may be the beginning of an escape sequence
		i = len(s.text)
	}
	return max(end, s.stopped(p, i, j))
}

// ways returns the characters at i that match the beginning of rest. Their r is the number
// of bytes of rest that match.
func (s *search) ways(rest string, i int) (out []char) {
	last := char{-1, 0}
	for times := range levels + 1 {
		c := s.char(int32(i), times)
		if c == last {
			continue
		}
		last = c
		if c.r < 0x100 && (byte(c.r) == rest[0] || c.r == '+' && rest[0] == ' ') { // in a form, + is a space
			out = append(out, char{1, c.end})
		}
		if c.r < 0x80 {
			continue
		}
		r, n := utf8.DecodeRuneInString(rest)
		if n > 1 && (c.r == r || c.r == utf8.RuneError) {
			out = append(out, char{rune(n), c.end})
		}
		if c.r == utf8.RuneError && rest[0] >= 0x80 {
			out = append(out, char{1, c.end})
		}
	}
	return out
}

// skip returns the position after the character at i if it is ok, else i.
func (s *search) skip(i int, ok func(rune) bool) int {
	for times := range levels + 1 {
		if c := s.char(int32(i), times); ok(c.r) {
			return int(c.end)
		}
	}
	return i
}

func inBase64(r rune) bool {
	return 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r > 0 && strings.ContainsRune("+/-_", r)
}

const farthest = 40 // bytes of an escape sequence before a word

// beginsWord reports whether form begins a word at i of the text. The last letter of an escape
// sequence, such as the n of \n, does not belong to the word.
func (s *search) beginsWord(i int, form string) bool {
	last, _ := utf8.DecodeLastRuneInString(s.text[:i])
	first, _ := utf8.DecodeRuneInString(form)
	if !inWord(last) || !inWord(first) {
		return true
	}
	for from := i - 1; from >= max(0, i-farthest); from-- {
		if plain[s.text[from]] {
			continue
		}
		for times := 1; times <= levels; times++ {
			if c := s.char(int32(from), times); int(c.end) == i && i > from+1 && !inWord(c.r) {
				return true
			}
		}
	}
	return false
}

// endsWord reports whether form ends a word at end of the text.
func (s *search) endsWord(form string, end int) bool {
	last, _ := utf8.DecodeLastRuneInString(form)
	next, _ := utf8.DecodeRuneInString(s.text[end:])
	return !inWord(last) || !inWord(next)
}

func inWord(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }
