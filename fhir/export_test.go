package fhir

import "iter"

// Scan is the reader of bytes, for the test that compares it with that of trees.
func Scan(b []byte) (Node, bool) {
	s, ok := scanDocument(b, maxDepth)
	if !ok || s.marks[0].kind != '{' {
		return Node{}, false
	}
	return Node{s, 0}, true
}

// ParseTree is the reader of trees.
func ParseTree(b []byte) (Object, error) { return parseTree(b) }

// Named are the members of an object with their names.
func Named(n Node) iter.Seq2[string, Node] {
	return func(yield func(string, Node) bool) {
		for v := range n.Values() {
			m := &n.scan.marks[v.at]
			if !yield(string(unquoted(n.scan.text[m.nameStart:m.nameEnd], m.nameEscaped)), v) {
				return
			}
		}
	}
}
