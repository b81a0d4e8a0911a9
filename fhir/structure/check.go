package structure

import (
	"slices"
	"strconv"
	"strings"

	"github.com/emberlatch/emberlatch/fhir"
)

// Finding is one place where a resource is not as its type is defined.
type Finding struct {
	Path     string // "Observation.component[0].code", a FHIRPath
	Expected string // what was expected there; it repeats no value
}

// maxFindings is after how many a resource is not looked at any further.
const maxFindings = 20

// Check looks at a resource with all that it contains. Nothing found means that it
// is built as R4 defines its type. A zero Resource has nothing to be found.
func Check(r fhir.Resource) []Finding {
	if r.IsZero() {
		return nil
	}
	w := &walk{}
	w.resource(string(r.Type()), r.Tree(), 0)
	return w.findings
}

// walk gathers findings.
type walk struct{ findings []Finding }

func (w *walk) expect(path, expected string) {
	if len(w.findings) < maxFindings {
		w.findings = append(w.findings, Finding{path, expected})
	}
}

func (w *walk) full() bool { return len(w.findings) >= maxFindings }

// resource checks one resource; depth counts the containers around it.
func (w *walk) resource(path string, object fhir.Object, depth int) {
	name, _ := object["resourceType"].(string)
	if _, known := fhir.ParseResourceType(name); !known {
		w.expect(path+".resourceType", "the name of an R4 resource type")
		return
	}
	if _, nested := object["contained"]; nested && depth > 0 {
		w.expect(path+".contained", "nothing: what is contained contains no resource itself")
		return
	}
	w.object(path, nodes()[name], object, depth)
}

// object checks the elements of a complex value.
func (w *walk) object(path string, n *node, object fhir.Object, depth int) {
	if len(object) == 0 {
		w.expect(path, "at least one element: objects are never empty")
		return
	}
	seen := make([]string, len(n.children))
	for _, key := range sortedKeys(object) {
		if w.full() {
			return
		}
		if key == "resourceType" && isResource(n) {
			continue
		}
		name := strings.TrimPrefix(key, "_")
		c, known := n.byKey[name]
		if !known || name != key && !primitive(c.fhirType) || n.children[c.at].never {
			w.expect(path+"."+safe(key), "no such element: "+n.path+" does not define it")
			continue
		}
		if seen[c.at] != "" && seen[c.at] != name {
			w.expect(path+"."+strings.TrimSuffix(n.children[c.at].name, "[x]"), "one type of the choice, not several")
		}
		seen[c.at] = name
		if name == key || object[name] == nil {
			w.member(path+"."+name, n.children[c.at], c.fhirType, object[name], object["_"+name], depth)
		}
	}
	for i, e := range n.children {
		if e.required && seen[i] == "" {
			w.expect(path+"."+strings.TrimSuffix(e.name, "[x]"), "this element: it is mandatory")
		}
	}
	if n.path == "Extension" && object["extension"] != nil && hasValue(object) {
		w.expect(path, "either a value or extensions, not both")
	}
}

func hasValue(extension fhir.Object) bool {
	for key := range extension {
		if strings.HasPrefix(strings.TrimPrefix(key, "_"), "value") {
			return true
		}
	}
	return false
}

func isResource(n *node) bool {
	_, resource := fhir.ParseResourceType(n.path)
	return resource
}

// member checks one property: its values, and their extensions if it is primitive.
func (w *walk) member(path string, e element, fhirType string, value, more any, depth int) {
	if !e.many {
		if _, list := value.([]any); list {
			w.expect(path, "one value, not a list")
			return
		}
		w.value(path, e, fhirType, value, more, depth)
		return
	}
	values, list := value.([]any)
	extensions, moreList := more.([]any)
	switch {
	case value != nil && !list || more != nil && !moreList:
		w.expect(path, "a list")
		return
	case list && len(values) == 0 || moreList && len(extensions) == 0:
		w.expect(path, "at least one value: lists are never empty")
		return
	case list && moreList && len(values) != len(extensions):
		w.expect(path, "as many values as extensions of values, with null between them")
		return
	}
	for i := range max(len(values), len(extensions)) {
		if w.full() {
			return
		}
		w.value(path+"["+strconv.Itoa(i)+"]", e, fhirType, at(values, i), at(extensions, i), depth)
	}
}

func at(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return nil
}

// value checks one value of a type with what extends it.
func (w *walk) value(path string, e element, fhirType string, value, more any, depth int) {
	if value == nil && more == nil {
		w.expect(path, "a value, not null")
		return
	}
	if primitive(fhirType) {
		w.primitive(path, e, fhirType, value, more, depth)
		return
	}
	object, ok := value.(fhir.Object)
	if !ok {
		w.expect(path, "an object of the type "+fhirType)
		return
	}
	if fhirType == "Resource" {
		if e.name == "contained" { // the others are carried, not contained
			depth++
		}
		w.resource(path, object, depth)
		return
	}
	w.object(path, nodes()[fhirType], object, depth)
	if e.set != "" && !inSet(e.set, object) {
		w.expect(path, "a coding of the required value set "+e.set)
	}
}

func (w *walk) primitive(path string, e element, fhirType string, value, more any, depth int) {
	if more != nil {
		object, ok := more.(fhir.Object)
		if !ok {
			w.expect(path, "an object with the extensions of the value")
			return
		}
		w.object(path, nodes()["Element"], object, depth)
	}
	if value == nil {
		return
	}
	if expected := format(fhirType, value); expected != "" {
		w.expect(path, expected)
		return
	}
	if text, ok := value.(string); ok && e.set != "" && len(sets()[e.set][text]) == 0 {
		w.expect(path, "a code of the required value set "+e.set)
	}
}

// inSet: some coding of a CodeableConcept is of the value set.
func inSet(set string, concept fhir.Object) bool {
	list, _ := concept["coding"].([]any)
	for _, item := range list {
		coding, _ := item.(fhir.Object)
		code, _ := coding["code"].(string)
		system, _ := coding["system"].(string)
		if slices.Contains(sets()[set][code], system) {
			return true
		}
	}
	return false
}

func sortedKeys(object fhir.Object) []string {
	keys := make([]string, 0, len(object))
	for key := range object {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// safe is a name that may stand in an answer: what is no name of FHIR is not
// repeated.
func safe(name string) string {
	if len(name) > 64 || strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_')
	}) {
		return "(a name that FHIR does not have)"
	}
	return name
}
