package patch

import (
	"fmt"
	"strings"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/structure"
)

// maxParts bounds how deep parts lie in parts.
const maxParts = 16

// value is what an operation brings: of a data type, a resource, or made of parts for
// an element without a type of its own.
type value struct {
	fhirType string // empty: made of parts
	plain    any    // nil: there are only extensions
	more     any    // what extends a primitive value ("_value")
	parts    []part
}

// part is an element of a value that is made of parts.
type part struct {
	name  string
	value value
}

// readValue reads a value[x], a resource or the parts of a parameter.
func readValue(p place, depth int) (value, error) {
	if inner, ok := p.part["part"].([]any); ok {
		return readParted(p.at, inner, depth)
	}
	if r, ok := p.part["resource"].(fhir.Object); ok {
		return value{fhirType: "Resource", plain: r}, nil
	}
	parameter, _ := structure.TypeOf("Parameters.parameter")
	for _, property := range parameter.Properties("value") {
		plain, more := p.part[property.Key], p.part["_"+property.Key]
		if plain != nil || more != nil {
			return value{fhirType: property.Type, plain: plain, more: more}, nil
		}
	}
	return value{}, &fhir.ParseError{Path: p.at, Expected: "a value, a resource, or parts"}
}

func readParted(at string, list []any, depth int) (value, error) {
	if depth == maxParts {
		return value{}, &fhir.ParseError{Path: at, Expected: fmt.Sprintf("at most %d levels of parts", maxParts)}
	}
	var v value
	for i, item := range list {
		object, _ := item.(fhir.Object)
		p := place{fmt.Sprintf("%s.part[%d]", at, i), object}
		name, _ := object["name"].(string)
		if err := p.alone(); err != nil {
			return value{}, err
		}
		inner, err := readValue(p, depth+1)
		if err != nil {
			return value{}, err
		}
		v.parts = append(v.parts, part{name, inner})
	}
	return v, nil
}

// fit finds the property of an element that takes the value.
func (v value) fit(element string, properties []structure.Property) (structure.Property, error) {
	var types []string
	for _, p := range properties {
		switch parted := v.fhirType == ""; {
		case parted && !structure.Primitive(p.Type) && len(properties) == 1,
			!parted && v.fhirType == p.Type,
			v.fhirType == "string" && p.Type == "xhtml",                   // which no value[x] is
			v.fhirType == "uri" && element == "url" && p.Type == "string": // Extension.url, of FHIRPath's type
			return p, nil
		}
		types = append(types, p.Type)
	}
	if len(types) == 0 {
		return structure.Property{}, failed("there is no element %q here", safe(element))
	}
	return structure.Property{}, failed("the element %s takes a value of the type %s", element, strings.Join(types, " or "))
}

// as is the value as JSON has it in a property: itself, and what extends it.
func (v value) as(p structure.Property) (plain, more any, err error) {
	if v.fhirType != "" {
		return v.plain, v.more, nil
	}
	of, _ := structure.TypeOf(p.Type)
	object := fhir.Object{}
	for _, inner := range v.parts {
		property, err := inner.value.fit(inner.name, of.Properties(inner.name))
		if err != nil {
			return nil, nil, err
		}
		plain, more, err := inner.value.as(property)
		if err != nil {
			return nil, nil, err
		}
		if !put(object, property, plain, more) {
			return nil, nil, failed("the element %s is given twice", inner.name)
		}
	}
	return object, nil, nil
}

// put puts a value with what extends it into an object that is being made; it is
// not ok if the one place is taken.
func put(object fhir.Object, p structure.Property, plain, more any) bool {
	if !p.Many {
		if object[p.Key] != nil || object["_"+p.Key] != nil {
			return false
		}
		if plain != nil {
			object[p.Key] = plain
		}
		if more != nil {
			object["_"+p.Key] = more
		}
		return true
	}
	plains, _ := object[p.Key].([]any)
	mores, _ := object["_"+p.Key].([]any)
	n := max(len(plains), len(mores))
	if plain != nil || plains != nil {
		object[p.Key] = append(padded(plains, n), plain)
	}
	if more != nil || mores != nil {
		object["_"+p.Key] = append(padded(mores, n), more)
	}
	return true
}

// padded is a list with null up to a length: JSON has a value and what extends it at
// the same place of two lists (FHIR R4 json §2.6.2.3).
func padded(list []any, n int) []any {
	for len(list) < n {
		list = append(list, nil)
	}
	return list
}
