package fhir

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// quoted reads a text with its quotes (RFC 8259 §7) and gives the place behind it. null:
// it holds U+0000.
func (s *scanner) quoted(at int) (end int, escaped, null bool) {
	for at++; ; {
		if at = s.plain(at); at == len(s.text) || s.text[at] < ' ' {
			return failed, false, false
		}
		if s.text[at] == '"' {
			return at + 1, escaped, null
		}
		escaped = true
		width, zero := escape(s.text[at:])
		if width == 0 {
			return failed, false, false
		}
		null = null || zero
		at += width
	}
}

// Eight bytes at once: ones has a 1 in each of them, tops the highest bit.
const (
	ones = 0x0101010101010101
	tops = 0x8080808080808080
)

// plain passes the bytes that stand for themselves in a text, up to a quote, a
// backslash, a control character, or the end.
func (s *scanner) plain(at int) int {
	text := s.text
	for ; at+8 <= len(text); at += 8 {
		word := binary.LittleEndian.Uint64(text[at:])
		if word&tops != 0 {
			s.wide = true
		}
		// The highest bit of each byte that ends a run; the lowest of them is exact, since
		// only a byte that is marked takes from the one above it.
		quote, backslash := word^ones*'"', word^ones*'\\'
		if stop := ((quote-ones)&^quote | (backslash-ones)&^backslash | (word-ones*' ')&^word) & tops; stop != 0 {
			return at + bits.TrailingZeros64(stop)/8
		}
	}
	for ; at < len(text) && text[at] >= ' ' && text[at] != '"' && text[at] != '\\'; at++ {
		s.wide = s.wide || text[at] >= utf8.RuneSelf
	}
	return at
}

// escape is how long the escape is that a text begins with; 0: it is none. A surrogate
// needs its other half.
func escape(text []byte) (width int, null bool) {
	if len(text) < 2 {
		return 0, false
	}
	switch text[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2, false
	}
	first, ok := unit(text)
	if !ok || !utf16.IsSurrogate(first) {
		if !ok {
			return 0, false
		}
		return 6, first == 0
	}
	second, ok := unit(text[6:])
	if !ok || utf16.DecodeRune(first, second) == '\uFFFD' {
		return 0, false
	}
	return 12, false
}

// unit is the UTF-16 code unit of \uXXXX.
func unit(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range text[2:6] {
		switch {
		case c-'0' <= 9:
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// unquoted is the meaning of a text between its quotes.
func unquoted(text []byte, escaped bool) []byte {
	if !escaped {
		return text
	}
	quoted := append(append([]byte{'"'}, text...), '"')
	meaning, _ := jsontext.AppendUnquote(nil, quoted) // a text that was read
	return meaning
}

// names finds names that come twice in an object.
type names struct {
	first int       // mark of the object's members
	bits  [4]uint64 // of what was seen, by a coarse hash
	count int
	many  map[string]struct{} // of large objects
}

// manyNames is from where on names are kept in a map: comparing each with each takes
// too long.
const manyNames = 48

// add adds a name to those that have marks. false: it is among them.
func (n *names) add(s *scanner, name []byte) bool {
	n.count++
	if n.count > manyNames {
		return n.addToMany(s, name)
	}
	hash := len(name) * 7
	if len(name) > 0 {
		hash += int(name[0]) + int(name[len(name)-1])*5 + int(name[len(name)/2])*3
	}
	word, bit := &n.bits[hash>>6&3], uint64(1)<<(hash&63)
	if *word&bit == 0 {
		*word |= bit
		return true
	}
	for i := n.first; i < len(s.marks); i = int(s.marks[i].next) {
		if bytes.Equal(s.name(&s.marks[i]), name) {
			return false
		}
	}
	return true
}

func (n *names) addToMany(s *scanner, name []byte) bool {
	if n.many == nil {
		n.many = map[string]struct{}{}
		for i := n.first; i < len(s.marks); i = int(s.marks[i].next) {
			n.many[string(s.name(&s.marks[i]))] = struct{}{}
		}
	}
	_, twice := n.many[string(name)]
	n.many[string(name)] = struct{}{}
	return !twice
}

func (s *scanner) name(m *mark) []byte {
	return unquoted(s.text[m.nameStart:m.nameEnd], m.nameEscaped)
}
