package search

import (
	"strings"

	"github.com/emberlatch/emberlatch/fhir"
)

// path is one compiled expression: steps into the tree, then the properties
// that hold the values and their FHIR types.
type path struct {
	steps []step
	leaf  []property
	after []step // filters on the values
}

type property struct{ name, fhirType string }

type step struct {
	kind  byte   // 'f' go into, 'w' where, 'r' reference to type, 'x' exists and is not false
	name  string // property
	value string // literal of where, type of r
}

func parsePath(text string) path {
	var p path
	for _, word := range strings.Fields(text) {
		kind, rest, _ := strings.Cut(word, ":")
		switch kind {
		case "l":
			for _, prop := range strings.Split(rest, ",") {
				name, fhirType, _ := strings.Cut(prop, "=")
				p.leaf = append(p.leaf, property{name, fhirType})
			}
		default:
			s := step{kind: kind[0], name: rest}
			if kind == "w" {
				s.name, s.value, _ = strings.Cut(rest, "=")
			}
			if p.leaf == nil {
				p.steps = append(p.steps, s)
			} else {
				p.after = append(p.after, s)
			}
		}
	}
	return p
}

// walk calls found for every value of the path with its FHIR type.
func (p *path) walk(root fhir.Node, found func(value fhir.Node, fhirType string)) {
	p.into(root, p.steps, found)
}

func (p *path) into(at fhir.Node, steps []step, found func(fhir.Node, string)) {
	p.reach(at, steps, func(object fhir.Node) { p.values(object, found) })
}

// reach calls found for every object that the steps lead to.
func (p *path) reach(at fhir.Node, steps []step, found func(fhir.Node)) {
	switch at.Kind() {
	case '[':
		for item := range at.Values() {
			p.reach(item, steps, found)
		}
		return
	case '{':
	default:
		return
	}
	if len(steps) == 0 {
		found(at)
		return
	}
	switch s := &steps[0]; s.kind {
	case 'f':
		p.reach(at.Member(s.name), steps[1:], found)
	case 'w':
		if at.Member(s.name).Is(s.value) {
			p.reach(at, steps[1:], found)
		}
	}
}

// values yields what the leaf properties of an object hold, item by item.
func (p *path) values(object fhir.Node, found func(fhir.Node, string)) {
	if len(p.after) == 1 && p.after[0].kind == 'x' {
		found(p.exists(object), "boolean")
		return
	}
	for i := range p.leaf {
		prop := &p.leaf[i]
		value := object.Member(prop.name)
		if value.Kind() != '[' {
			p.keep(value, prop.fhirType, found)
			continue
		}
		for item := range value.Values() {
			p.keep(item, prop.fhirType, found)
		}
	}
}

func (p *path) keep(value fhir.Node, fhirType string, found func(fhir.Node, string)) {
	for i := range p.after {
		switch s := &p.after[i]; s.kind {
		case 'w':
			if !value.Member(s.name).Is(s.value) {
				return
			}
		case 'r':
			if !pointsTo(value, s.name) {
				return
			}
		}
	}
	if !value.Absent() {
		found(value, fhirType)
	}
}

// pointsTo decides `resolve() is T` from the reference itself: its text, or the
// type it states (FHIR R4 references §2.3.0).
func pointsTo(reference fhir.Node, t string) bool {
	text := reference.Member("reference").Text()
	if text == "" {
		return reference.Member("type").Is(t)
	}
	segments := strings.Split(text, "/")
	for i := len(segments) - 2; i >= 0; i-- {
		if _, known := fhir.ParseResourceType(segments[i]); known {
			return segments[i] == t
		}
	}
	return false
}

// exists is one boolean: present and not false (Patient.deceased).
func (p *path) exists(object fhir.Node) fhir.Node {
	for i := range p.leaf {
		if value := object.Member(p.leaf[i].name); !value.Absent() && value.Kind() != 'f' {
			return yes
		}
	}
	return no
}

var yes, no = literal("true"), literal("false")

func literal(text string) fhir.Node {
	n, _ := fhir.ReadDocument([]byte(text))
	return n
}
