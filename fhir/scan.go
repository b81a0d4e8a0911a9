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
	room  *[]mark // where the marks stand, of a document that is to be released; nil: nowhere
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

// scanner reads a document. Its readers take the place where something begins and give
// the one behind it; failed: it is not there. Speed counts here: every byte of every
// resource passes.
type scanner struct {
	text    []byte
	marks   []mark
	deepest int
	wide    bool // a text has bytes that are not ASCII
}

// failed is no place.
const failed = -1

// scanDocument reads one JSON value and nothing else. false: it is not strict.
func scanDocument(raw []byte, deepest int) (*scan, bool) {
	return scanInto(make([]mark, 0, len(raw)/12+8), raw, deepest)
}

// scanInto does so with room for the marks.
func scanInto(room []mark, raw []byte, deepest int) (*scan, bool) {
	if len(raw) > math.MaxInt32 {
		return nil, false
	}
	s := scanner{text: raw, deepest: deepest, marks: room}
	end := s.value(skip(raw, 0), 0, s.next())
	if end == failed || skip(raw, end) != len(raw) {
		return nil, false
	}
	return &scan{text: raw, marks: s.marks}, !s.wide || utf8.Valid(raw)
}

// peek is the byte at a place, 0 behind the end.
func peek(text []byte, at int) byte {
	if at < len(text) {
		return text[at]
	}
	return 0
}

// skip passes blanks (RFC 8259 §2).
func skip(text []byte, at int) int {
	if at < len(text) && text[at] > ' ' {
		return at
	}
	return blanks(text, at)
}

func blanks(text []byte, at int) int {
	for at < len(text) && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r') {
		at++
	}
	return at
}

// next is a new mark at the end. It is good until the one after it.
func (s *scanner) next() *mark {
	s.marks = append(s.marks, mark{})
	return &s.marks[len(s.marks)-1]
}

// value reads a value, whose mark is the last and has its name.
func (s *scanner) value(at, depth int, m *mark) int {
	m.start, m.kind = int32(at), peek(s.text, at)
	switch m.kind {
	case '"':
		end, escaped, null := s.quoted(at)
		if null { // R4 datatypes, string: never below U+0009
			return failed
		}
		m.start, m.escaped = int32(at+1), escaped
		m.end, m.next = int32(end-1), int32(len(s.marks))
		return end
	case '{', '[':
		return s.container(at, depth, m.kind)
	case 't':
		return s.word(at, "true", m)
	case 'f':
		return s.word(at, "false", m)
	case 'n':
		return s.word(at, "null", m)
	}
	m.kind = '0'
	end := number(s.text, at)
	m.end, m.next = int32(end), int32(len(s.marks))
	return end
}

func (s *scanner) word(at int, w string, m *mark) int {
	end := at + len(w)
	if end > len(s.text) || string(s.text[at:end]) != w {
		return failed
	}
	m.end, m.next = int32(end), int32(len(s.marks))
	return end
}

// container reads an object or a list.
func (s *scanner) container(at, depth int, kind byte) int {
	place := len(s.marks) - 1
	at = skip(s.text, at+1)
	switch {
	case peek(s.text, at) == kind+2: // } and ] stand two behind { and [
		at++
	case depth == s.deepest:
		return failed
	case kind == '{':
		at = s.members(at, depth+1)
	default:
		at = s.items(at, depth+1)
	}
	if at == failed {
		return failed
	}
	s.marks[place].end, s.marks[place].next = int32(at), int32(len(s.marks))
	return at
}

// items reads what stands in a list, and its end.
func (s *scanner) items(at, depth int) int {
	for {
		if at = s.value(at, depth, s.next()); at == failed {
			return failed
		}
		at = skip(s.text, at)
		switch peek(s.text, at) {
		case ',':
			at = skip(s.text, at+1)
		case ']':
			return at + 1
		default:
			return failed
		}
	}
}

// members reads what stands in an object, and its end.
func (s *scanner) members(at, depth int) int {
	seen := names{first: len(s.marks)}
	for {
		if peek(s.text, at) != '"' {
			return failed
		}
		end, escaped, _ := s.quoted(at)
		if end == failed {
			return failed
		}
		if !seen.add(s, unquoted(s.text[at+1:end-1], escaped)) {
			return failed
		}
		m := s.next()
		m.nameStart, m.nameEnd, m.nameEscaped = int32(at+1), int32(end-1), escaped
		if at = skip(s.text, end); peek(s.text, at) != ':' {
			return failed
		}
		if at = s.value(skip(s.text, at+1), depth, m); at == failed {
			return failed
		}
		at = skip(s.text, at)
		switch peek(s.text, at) {
		case ',':
			at = skip(s.text, at+1)
		case '}':
			return at + 1
		default:
			return failed
		}
	}
}

// number reads a number (RFC 8259 §6).
func number(text []byte, at int) int {
	if peek(text, at) == '-' {
		at++
	}
	if peek(text, at) == '0' {
		at++
	} else if at = digits(text, at); at == failed {
		return failed
	}
	if peek(text, at) == '.' {
		if at = digits(text, at+1); at == failed {
			return failed
		}
	}
	if c := peek(text, at); c == 'e' || c == 'E' {
		at++
		if c := peek(text, at); c == '+' || c == '-' {
			at++
		}
		return digits(text, at)
	}
	return at
}

// digits reads one or more.
func digits(text []byte, at int) int {
	start := at
	for at < len(text) && text[at]-'0' <= 9 {
		at++
	}
	if at == start {
		return failed
	}
	return at
}
