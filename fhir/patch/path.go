package patch

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds of a path: its bytes, and how deep conditions lie in conditions.
const (
	maxPath    = 1000
	maxNesting = 8
)

// path is a FHIRPath that names places in a resource.
type path []step

// step is one part of a path. The first names an element or the type of the resource.
type step struct {
	kind  stepKind
	name  string // of an element, of a type; the URL of an extension
	index int
	where []condition
}

type stepKind int

const (
	element stepKind = iota + 1
	index
	first
	last
	where
	ofType
	extension
)

// condition holds where a path leads to this one literal.
type condition struct {
	path  path
	equal any // string, bool or json.Number
}

// pathReader reads a path from the left; what is expected is told when it is not there.
type pathReader struct {
	rest     string
	expected string
}

// parsePath reads a path as doc.go says (FHIRPath N1 §3, §5). What was expected where
// it is none is told; empty: it was read.
func parsePath(text string) (path, string) {
	if len(text) > maxPath {
		return nil, "a path of at most " + strconv.Itoa(maxPath) + " bytes"
	}
	r := &pathReader{rest: text}
	p := r.path(0)
	if r.blank(); r.rest != "" {
		r.fail("an element, an index or one of the functions first(), last(), where(), ofType() and extension()")
	}
	return p, r.expected
}

func (r *pathReader) fail(expected string) {
	if r.expected == "" {
		r.expected = "a FHIRPath, and at " + strconv.Quote(clip(r.rest)) + " " + expected
	}
	r.rest = ""
}

// clip is the beginning of a text, for a message.
func clip(text string) string {
	const most = 40
	if len(text) <= most {
		return text
	}
	cut := most
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut]
}

func (r *pathReader) blank() { r.rest = strings.TrimLeft(r.rest, " \t\r\n") }

// take takes a word if it is next.
func (r *pathReader) take(word string) bool {
	r.blank()
	rest, ok := strings.CutPrefix(r.rest, word)
	if ok {
		r.rest = rest
	}
	return ok
}

func (r *pathReader) want(word string) {
	if !r.take(word) {
		r.fail("the sign " + word)
	}
}

func (r *pathReader) path(nesting int) path {
	p := path{r.step(nesting)}
	for r.expected == "" {
		switch {
		case r.take("."):
			p = append(p, r.step(nesting))
		case r.take("["):
			p = append(p, step{kind: index, index: r.whole()})
			r.want("]")
		default:
			return p
		}
	}
	return p
}

// step reads an element or a function.
func (r *pathReader) step(nesting int) step {
	quoted := r.take("`")
	name := r.word()
	if quoted {
		r.want("`")
	}
	if quoted || !r.take("(") {
		return step{kind: element, name: name}
	}
	s := step{name: name}
	switch name {
	case "first":
		s.kind = first
	case "last":
		s.kind = last
	case "where":
		s.kind, s.where = where, r.conditions(nesting)
	case "ofType":
		r.blank()
		s.kind, s.name = ofType, strings.TrimPrefix(r.typeName(), "FHIR.")
	case "extension":
		s.kind, s.name = extension, r.text()
	default:
		r.fail("one of the functions first(), last(), where(), ofType() and extension()")
	}
	r.want(")")
	return s
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// word reads a name.
func (r *pathReader) word() string {
	r.blank()
	n := 0
	for n < len(r.rest) && (isLetter(r.rest[n]) || n > 0 && isDigit(r.rest[n])) {
		n++
	}
	if n == 0 {
		r.fail("the name of an element")
	}
	word := r.rest[:n]
	r.rest = r.rest[n:]
	return word
}

// typeName reads the name of a type, which may stand in its namespace.
func (r *pathReader) typeName() string {
	name := r.word()
	if name == "FHIR" && r.take(".") {
		return r.word()
	}
	return name
}

// whole reads a whole number, 0 or more.
func (r *pathReader) whole() int {
	digits := r.digits()
	n, err := strconv.Atoi(digits)
	if err != nil {
		r.fail("a whole number")
	}
	return n
}

func (r *pathReader) digits() string {
	r.blank()
	n := 0
	for n < len(r.rest) && isDigit(r.rest[n]) {
		n++
	}
	digits := r.rest[:n]
	r.rest = r.rest[n:]
	return digits
}
