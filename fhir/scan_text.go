package fhir

import (
	"bytes"
	"unicode/utf16"

	"github.com/go-json-experiment/json/jsontext"
)

// plain are the bytes that stand for themselves in a JSON text.
var plain = func() (is [256]bool) {
	for c := ' '; c < 256; c++ {
		is[c] = c != '"' && c != '\\'
	}
	return is
}()

// quoted reads a text with its quotes (RFC 8259 §7). null: it holds U+0000.
func (s *scanner) quoted() (escaped, null, ok bool) {
	text, at := s.text, s.at+1
	for {
		for at < len(text) && plain[text[at]] {
			at++
		}
		if at == len(text) || text[at] < ' ' {
			return false, false, false
		}
		if text[at] == '"' {
			s.at = at + 1
			return escaped, null, true
		}
		escaped = true
		width, zero := escape(text[at:])
		if width == 0 {
			return false, false, false
		}
		null = null || zero
		at += width
	}
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
	bits  uint64 // of what was seen, by a coarse hash
	count int
	many  map[string]struct{} // of large objects
}

// manyNames is from where on names are kept in a map: comparing each with each takes
// too long.
const manyNames = 48

// add adds a name to those of the members that begin at a mark. false: it is among them.
func (n *names) add(s *scanner, members int, m mark) bool {
	name := unquoted(s.text[m.nameStart:m.nameEnd], m.nameEscaped)
	n.count++
	if n.count > manyNames {
		return n.addToMany(s, members, name)
	}
	var hash uint
	if len(name) > 0 {
		hash = uint(len(name))*7 + uint(name[0]) + uint(name[len(name)-1])*5 + uint(name[len(name)/2])*3
	}
	bit := uint64(1) << (hash & 63)
	if n.bits&bit == 0 {
		n.bits |= bit
		return true
	}
	for i := members; i < len(s.marks); i = int(s.marks[i].next) {
		if other := &s.marks[i]; bytes.Equal(s.name(other), name) {
			return false
		}
	}
	return true
}

func (n *names) addToMany(s *scanner, members int, name []byte) bool {
	if n.many == nil {
		n.many = map[string]struct{}{}
		for i := members; i < len(s.marks); i = int(s.marks[i].next) {
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
