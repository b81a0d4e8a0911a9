package fhir

import (
	"math"
	"unicode/utf8"
)

// scan is a JSON document that was read once and found strict: well-formed, in UTF-8,
// no name twice in an object, no text with U+0000, not too deep. One mark stands for
// each value, in the order of the document, so that a value is found without building
// a tree. What it refuses and what parseTree refuses is the same.
type scan struct {
	text  []byte
	marks []mark
}

// mark is where a value stands.
type mark struct {
	start, end         int32 // of a text: without its quotes
	next               int32 // the mark behind the value and everything in it
	nameStart, nameEnd int32 // of a member: without its quotes
	kind               byte  // as of Node.Kind
	escaped            bool  // a text with escapes
	nameEscaped        bool
}

// scanner reads a document.
type scanner struct {
	text    []byte
	at      int
	marks   []mark
	deepest int
}

// scanDocument reads one JSON value and nothing else. false: it is not strict.
func scanDocument(raw []byte, deepest int) (*scan, bool) {
	if len(raw) > math.MaxInt32 || !utf8.Valid(raw) {
		return nil, false
	}
	s := scanner{text: raw, deepest: deepest, marks: make([]mark, 0, len(raw)/12+8)}
	s.blanks()
	if !s.value(0, mark{}) {
		return nil, false
	}
	s.blanks()
	return &scan{s.text, s.marks}, s.at == len(s.text)
}

// peek is the next byte, 0 at the end.
func (s *scanner) peek() byte {
	if s.at < len(s.text) {
		return s.text[s.at]
	}
	return 0
}

func (s *scanner) blanks() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

// value reads a value, whose name m has.
func (s *scanner) value(depth int, m mark) bool {
	if depth > s.deepest {
		return false
	}
	place := len(s.marks)
	m.start = int32(s.at)
	s.marks = append(s.marks, m)
	ok := false
	switch m.kind = s.peek(); m.kind {
	case '{':
		ok = s.object(depth)
	case '[':
		ok = s.array(depth)
	case '"':
		var null bool
		m.escaped, null, ok = s.quoted()
		m.start++
		m.end = int32(s.at) - 1
		ok = ok && !null // R4 datatypes, string: never below U+0009
	case 't':
		ok = s.word("true")
	case 'f':
		ok = s.word("false")
	case 'n':
		ok = s.word("null")
	default:
		m.kind, ok = '0', s.number()
	}
	if m.kind != '"' {
		m.end = int32(s.at)
	}
	m.next = int32(len(s.marks))
	s.marks[place] = m
	return ok
}

func (s *scanner) word(w string) bool {
	ok := len(s.text)-s.at >= len(w) && string(s.text[s.at:s.at+len(w)]) == w
	s.at += len(w)
	return ok
}

// number follows RFC 8259 §6.
func (s *scanner) number() bool {
	if s.peek() == '-' {
		s.at++
	}
	if s.peek() == '0' {
		s.at++
	} else if !s.digits() {
		return false
	}
	if s.peek() == '.' {
		s.at++
		if !s.digits() {
			return false
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.at++
		if c := s.peek(); c == '+' || c == '-' {
			s.at++
		}
		return s.digits()
	}
	return true
}

func (s *scanner) digits() bool {
	start := s.at
	for s.at < len(s.text) && s.text[s.at]-'0' <= 9 {
		s.at++
	}
	return s.at > start
}

func (s *scanner) array(depth int) bool {
	s.at++
	if s.blanks(); s.peek() == ']' {
		s.at++
		return true
	}
	for {
		if s.blanks(); !s.value(depth+1, mark{}) {
			return false
		}
		s.blanks()
		c := s.peek()
		s.at++
		if c != ',' {
			return c == ']'
		}
	}
}

func (s *scanner) object(depth int) bool {
	var seen names
	members := len(s.marks)
	s.at++
	if s.blanks(); s.peek() == '}' {
		s.at++
		return true
	}
	for {
		s.blanks()
		if s.peek() != '"' {
			return false
		}
		start := s.at + 1
		escaped, _, ok := s.quoted()
		m := mark{nameStart: int32(start), nameEnd: int32(s.at) - 1, nameEscaped: escaped}
		if !ok || !seen.add(s, members, m) {
			return false
		}
		if s.blanks(); s.peek() != ':' {
			return false
		}
		s.at++
		if s.blanks(); !s.value(depth+1, m) {
			return false
		}
		s.blanks()
		c := s.peek()
		s.at++
		if c != ',' {
			return c == '}'
		}
	}
}
