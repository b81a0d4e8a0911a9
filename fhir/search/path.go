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
func (p path) walk(tree fhir.Object, found func(value any, fhirType string)) {
	p.into(tree, p.steps, found)
}

func (p path) into(at any, steps []step, found func(any, string)) {
	p.reach(at, steps, func(object fhir.Object) { p.values(object, found) })
}

// reach calls found for every object that the steps lead to.
func (p path) reach(at any, steps []step, found func(fhir.Object)) {
	if list, ok := at.([]any); ok {
		for _, item := range list {
			p.reach(item, steps, found)
		}
		return
	}
	object, ok := at.(fhir.Object)
	if !ok {
		return
	}
	if len(steps) == 0 {
		found(object)
		return
	}
	switch s := steps[0]; s.kind {
	case 'f':
		p.reach(object[s.name], steps[1:], found)
	case 'w':
		if object[s.name] == s.value {
			p.reach(object, steps[1:], found)
		}
	}
}

// values yields what the leaf properties of an object hold, item by item.
func (p path) values(object fhir.Object, found func(any, string)) {
	if len(p.after) == 1 && p.after[0].kind == 'x' {
		p.exists(object, found)
		return
	}
	for _, prop := range p.leaf {
		switch value := object[prop.name].(type) {
		case nil:
		case []any:
			for _, item := range value {
				p.keep(item, prop.fhirType, found)
			}
		default:
			p.keep(value, prop.fhirType, found)
		}
	}
}

func (p path) keep(value any, fhirType string, found func(any, string)) {
	for _, s := range p.after {
		object, _ := value.(fhir.Object)
		switch s.kind {
		case 'w':
			if object[s.name] != s.value {
				return
			}
		case 'r':
			if !pointsTo(object, s.name) {
				return
			}
		}
	}
	if value != nil {
		found(value, fhirType)
	}
}

// pointsTo decides `resolve() is T` from the reference itself: its text, or the
// type it states (FHIR R4 references §2.3.0).
func pointsTo(reference fhir.Object, t string) bool {
	text, _ := reference["reference"].(string)
	if text == "" {
		stated, _ := reference["type"].(string)
		return stated == t
	}
	segments := strings.Split(text, "/")
	for i := len(segments) - 2; i >= 0; i-- {
		if _, known := fhir.ParseResourceType(segments[i]); known {
			return segments[i] == t
		}
	}
	return false
}

// exists yields one boolean: present and not false (Patient.deceased).
func (p path) exists(object fhir.Object, found func(any, string)) {
	for _, prop := range p.leaf {
		if value, ok := object[prop.name]; ok && value != false && value != nil {
			found(true, "boolean")
			return
		}
	}
	found(false, "boolean")
}
