package fhir

import "iter"

// Node is one value of a document, in the bytes where it stands. The zero value is no
// value: what is looked up in it is none either. It is immutable.
type Node struct {
	scan *scan
	at   int32
}

// enclosing is how deep a resource may lie in a document: the entry of a Bundle.
const enclosing = 3

// ReadDocument reads JSON strictly, such as a Bundle with resources in it: every name
// once in an object, valid UTF-8, no more levels than resources may have. The bytes are
// kept, not copied; the caller must not change them before Release. Errors are *ParseError.
func ReadDocument(b []byte) (Node, error) {
	room := rooms.Get().(*[]mark)
	s, ok := scanInto((*room)[:0], b, enclosing+maxDepth)
	if !ok {
		rooms.Put(room)
		return Node{}, &ParseError{"", "well-formed JSON in UTF-8, every name once in an object, at most 67 levels of nesting, no text with U+0000"}
	}
	s.room = room
	return Node{s, 0}, nil
}

// Kind is '{' for an object, '[' for a list, '"' for a text, '0' for a number, 't' and
// 'f' for true and false, 'n' for null; 0 for no value.
func (n Node) Kind() byte {
	if n.scan == nil {
		return 0
	}
	return n.scan.marks[n.at].kind
}

// Absent reports whether there is no value, or null.
func (n Node) Absent() bool { k := n.Kind(); return k == 0 || k == 'n' }

// Member is the member of an object; none when there is none, or n is no object.
func (n Node) Member(name string) Node {
	if n.Kind() != '{' {
		return Node{}
	}
	marks := n.scan.marks
	for i, end := n.at+1, marks[n.at].next; i < end; i = marks[i].next {
		m := &marks[i]
		if text := n.scan.text[m.nameStart:m.nameEnd]; string(text) == name && !m.nameEscaped || m.nameEscaped && string(unquoted(text, true)) == name {
			return Node{n.scan, i}
		}
	}
	return Node{}
}

// Values are the items of a list, or the values of an object, in their order.
func (n Node) Values() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		if k := n.Kind(); k != '[' && k != '{' {
			return
		}
		marks := n.scan.marks
		for i, end := n.at+1, marks[n.at].next; i < end; i = marks[i].next {
			if !yield(Node{n.scan, i}) {
				return
			}
		}
	}
}

// Len is the number of values of a list or an object.
func (n Node) Len() int {
	count := 0
	for range n.Values() {
		count++
	}
	return count
}

// Text is the meaning of a text; empty for anything else.
func (n Node) Text() string {
	if n.Kind() != '"' {
		return ""
	}
	m := &n.scan.marks[n.at]
	return string(unquoted(n.scan.text[m.start:m.end], m.escaped))
}

// resourceType is the type that a text names.
func (n Node) resourceType() (ResourceType, bool) {
	if n.Kind() != '"' {
		return "", false
	}
	m := &n.scan.marks[n.at]
	return ParseResourceType(string(unquoted(n.scan.text[m.start:m.end], m.escaped)))
}

// Is reports whether n is this text.
func (n Node) Is(text string) bool {
	if n.Kind() != '"' {
		return false
	}
	m := &n.scan.marks[n.at]
	return string(unquoted(n.scan.text[m.start:m.end], m.escaped)) == text
}

// Number is a number as it stands; empty for anything else.
func (n Node) Number() string {
	if n.Kind() != '0' {
		return ""
	}
	m := &n.scan.marks[n.at]
	return string(n.scan.text[m.start:m.end])
}

// Resource is the object as a resource, which keeps its part of the bytes. Errors are
// *ParseError.
func (n Node) Resource() (Resource, error) {
	if n.Kind() != '{' {
		return Resource{}, &ParseError{"", "one JSON object"}
	}
	return resourceOf(n)
}

// bytes are those that an object stands in.
func (n Node) bytes() []byte {
	m := &n.scan.marks[n.at]
	return n.scan.text[m.start:m.end:m.end]
}
