package structure

import (
	"slices"
	"strings"
)

// Type is a complex type, a resource type or a backbone element of R4, to be asked
// what it is made of. The zero value is made of nothing.
type Type struct{ node *node }

// TypeOf finds a type by its name, a backbone element by its path ("Patient.contact").
// It is not ok for a primitive type or a name that R4 does not have.
func TypeOf(name string) (Type, bool) {
	n, ok := nodes()[name]
	return Type{n}, ok
}

// Property is how JSON writes an element of one type.
type Property struct {
	Key  string // "valueQuantity"
	Type string // "Quantity", or the path of a backbone element; "Resource" for any
	Many bool   // a list
}

// Properties are the ways to write an element, by its name without "[x]": one, or one
// for each type of a choice, in alphabetical order. None: the type has no such element.
func (t Type) Properties(name string) []Property {
	if t.node == nil {
		return nil
	}
	var list []Property
	for key, c := range t.node.byKey {
		if e := t.node.children[c.at]; strings.TrimSuffix(e.name, "[x]") == name && !e.never {
			list = append(list, Property{key, c.fhirType, e.many})
		}
	}
	slices.SortFunc(list, func(a, b Property) int { return strings.Compare(a.Key, b.Key) })
	return list
}

// Primitive reports whether a name is that of a primitive type, whose values JSON
// writes without an object (FHIR R4 json §2.6.2.3).
func Primitive(name string) bool { return primitive(name) }
