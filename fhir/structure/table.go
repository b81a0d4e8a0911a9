package structure

import (
	"strings"
	"sync"
)

// element is one child of a type or backbone element.
type element struct {
	name     string // with "[x]" for a choice
	required bool
	many     bool
	never    bool
	types    []string // "@": defined below the element's own path; "#path": as there
	set      string   // of a required binding
}

// node is a type or a backbone element.
type node struct {
	path     string
	children []element
	byKey    map[string]child // JSON property, choices written out
}

// child is what one JSON property of a node is.
type child struct {
	at       int    // in children
	fhirType string // one of the element's types
}

// nodes are read from the table when the first resource is checked.
var nodes = sync.OnceValue(func() map[string]*node {
	bases, own := map[string]string{}, map[string][]element{}
	for line := range strings.Lines(nodeTable) {
		path, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "|")
		base, words, _ := strings.Cut(rest, "|")
		bases[path] = base
		for word := range strings.SplitSeq(words, ";") {
			if word != "" {
				own[path] = append(own[path], readElement(word))
			}
		}
	}
	all := make(map[string]*node, len(bases))
	for path := range bases {
		n := &node{path: path, byKey: map[string]child{}}
		for at, ok := path, true; ok && at != ""; at, ok = bases[at], bases[at] != "" {
			n.children = append(n.children, own[at]...)
		}
		for i, e := range n.children {
			n.addKeys(i, e)
		}
		all[path] = n
	}
	return all
})

func readElement(word string) element {
	parts := strings.SplitN(word, ":", 4)
	e := element{name: parts[0], types: strings.Split(parts[2], ",")}
	e.required = parts[1] == "1" || parts[1] == "+"
	e.many = parts[1] == "*" || parts[1] == "+"
	e.never = parts[1] == "0"
	if len(parts) > 3 {
		e.set = parts[3]
	}
	return e
}

func (n *node) addKeys(at int, e element) {
	name, choice := strings.CutSuffix(e.name, "[x]")
	for _, t := range e.types {
		key := name
		if choice {
			key += strings.ToUpper(t[:1]) + t[1:]
		}
		switch {
		case t == "@":
			t = n.path + "." + name // no base type has children of its own making
		case strings.HasPrefix(t, "#"):
			t = t[1:]
		}
		n.byKey[key] = child{at, t}
	}
}

// sets are the required value sets: name → code → systems that have it.
var sets = sync.OnceValue(func() map[string]map[string][]string {
	all := map[string]map[string][]string{}
	for line := range strings.Lines(setTable) {
		name, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "|")
		all[name] = map[string][]string{}
		for part := range strings.SplitSeq(rest, "|") {
			words := strings.Split(part, " ")
			for _, code := range words[1:] {
				all[name][code] = append(all[name][code], words[0])
			}
		}
	}
	return all
})
