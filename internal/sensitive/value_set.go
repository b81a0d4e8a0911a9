package sensitive

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// ReadValueSet reads the codes of a FHIR R4 ValueSet: those of its expansion, or, without
// one, those that its compose lists. What would take a terminology server is refused.
// Errors begin with the line.
func ReadValueSet(raw []byte) ([]Code, error) {
	root, err := readLines(raw)
	if err != nil {
		return nil, err
	}
	if kind := root.member("resourceType"); kind == nil || kind.text != "ValueSet" {
		return nil, root.wrong("this is not a ValueSet")
	}
	var list []Code
	if expansion := root.member("expansion"); expansion != nil {
		list, err = expanded(nil, expansion)
	} else if compose := root.member("compose"); compose != nil {
		list, err = composed(compose)
	}
	if err == nil && len(list) == 0 {
		err = root.wrong("the ValueSet has no codes")
	}
	return list, err
}

// expanded are the codes of an expansion, and of what is nested in it.
func expanded(list []Code, in *line) ([]Code, error) {
	for _, item := range in.member("contains").list() {
		if item.textOf("abstract") != "true" {
			c, err := item.code(item.textOf("system"))
			if err != nil {
				return nil, err
			}
			list = append(list, c)
		}
		var err error
		if list, err = expanded(list, item); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// composed are the codes that are listed, and whole systems.
func composed(compose *line) ([]Code, error) {
	var list []Code
	if exclude := compose.member("exclude"); exclude != nil {
		return nil, exclude.wrong("exclude is not worked out here; use an expanded ValueSet")
	}
	for _, include := range compose.member("include").list() {
		for _, name := range []string{"filter", "valueSet"} {
			if part := include.member(name); part != nil {
				return nil, part.wrong(name + " is not worked out here; use an expanded ValueSet")
			}
		}
		system := include.textOf("system")
		if system == "" {
			return nil, include.wrong("there is no system")
		}
		concepts := include.member("concept")
		if concepts == nil {
			whole, err := ParseCode(system + "|*")
			if err != nil {
				return nil, include.wrong("the system cannot be compared")
			}
			list = append(list, whole)
			continue
		}
		for _, concept := range concepts.list() {
			c, err := concept.code(system)
			if err != nil {
				return nil, err
			}
			list = append(list, c)
		}
	}
	return list, nil
}

// line is a value of a document with the line where it begins.
type line struct {
	at      int
	kind    byte
	text    string
	members map[string]*line
	items   []*line
}

func (l *line) wrong(what string) error { return fmt.Errorf("line %d: %s", l.at, what) }

func (l *line) member(name string) *line {
	if l == nil {
		return nil
	}
	return l.members[name]
}

// list are the items; none of what is no list.
func (l *line) list() []*line {
	if l == nil {
		return nil
	}
	return l.items
}

// textOf is the text of a member; empty: there is none.
func (l *line) textOf(name string) string {
	if m := l.member(name); m != nil {
		return m.text
	}
	return ""
}

// code is the code of a concept; one that ends in * would mean more than it says.
func (l *line) code(system string) (Code, error) {
	c, err := ParseLabel(system + "|" + l.textOf("code"))
	if err != nil {
		return Code{}, l.wrong("a concept has no system or no code that can be compared")
	}
	return c, nil
}

// maxNesting of a ValueSet.
const maxNesting = 100

// lineReader reads values, and counts lines on the way.
type lineReader struct {
	*jsontext.Decoder
	raw      []byte
	at, line int // lines before at
}

func readLines(raw []byte) (*line, error) {
	r := &lineReader{Decoder: jsontext.NewDecoder(bytes.NewReader(raw)), raw: raw, line: 1}
	root, err := r.value(0)
	if err == nil && root.kind != '{' {
		return nil, root.wrong("this is not a ValueSet")
	}
	if err == nil {
		if _, err = r.ReadToken(); errors.Is(err, io.EOF) {
			return root, nil
		}
	}
	return nil, fmt.Errorf("line %d: this is not one JSON object: %w", r.now(), err)
}

// now is the line where the decoder stands.
func (r *lineReader) now() int {
	to := min(int(r.InputOffset()), len(r.raw))
	r.line += bytes.Count(r.raw[r.at:to], []byte("\n"))
	r.at = to
	return r.line
}

// value reads the next value.
func (r *lineReader) value(depth int) (*line, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("it is nested more than %d levels", maxNesting)
	}
	token, err := r.ReadToken()
	if err != nil {
		return nil, err
	}
	l := &line{kind: byte(token.Kind())}
	switch l.kind {
	case '{':
		l.at, l.members = r.now(), map[string]*line{}
		for err == nil && r.PeekKind() != '}' {
			var name jsontext.Token
			if name, err = r.ReadToken(); err == nil {
				key := name.String()
				l.members[key], err = r.value(depth + 1)
			}
		}
	case '[':
		l.at = r.now()
		for err == nil && r.PeekKind() != ']' {
			var item *line
			item, err = r.value(depth + 1)
			l.items = append(l.items, item)
		}
	default:
		l.text = token.String()
		l.at = r.now()
		return l, nil
	}
	if err == nil {
		_, err = r.ReadToken() // the end of it
	}
	return l, err
}
