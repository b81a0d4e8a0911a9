package patch

import (
	"strconv"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/structure"
)

// node is one value in the tree of a resource, with where it stands.
type node struct {
	parent   *node // nil: the resource
	name     string
	property structure.Property // as what the parent has it
	at       int                // its place in a list; no meaning where property is none
	fhirType string
	plain    any // nil: there are only extensions
	more     any // what extends a primitive value
}

// root is a resource as a node.
func root(r fhir.Resource) *node {
	return &node{fhirType: string(r.Type()), plain: r.Tree()}
}

// object is where the elements of a node stand: those of a primitive value in what
// extends it.
func (n *node) object() fhir.Object {
	from := n.plain
	if structure.Primitive(n.fhirType) {
		from = n.more
	}
	object, _ := from.(fhir.Object)
	return object
}

// definition is what the elements of a node are.
func (n *node) definition() structure.Type {
	name := n.fhirType
	switch {
	case structure.Primitive(name):
		name = "Element"
	case name == "Resource":
		name, _ = n.object()["resourceType"].(string)
	}
	t, _ := structure.TypeOf(name)
	return t
}

// elements are the values of an element of a node, in their order.
func (n *node) elements(name string) []*node {
	var found []*node
	for _, p := range n.definition().Properties(name) {
		held := n.held(p)
		for i := range held.len() {
			if plain, more := at(held.plains, i), at(held.mores, i); plain != nil || more != nil {
				found = append(found, &node{n, name, p, i, p.Type, plain, more})
			}
		}
	}
	return found
}

// held is what an object has of one property: a list and the list of what extends its
// values, or of one value, which is taken for a list of one.
type held struct{ plains, mores []any }

func (n *node) held(p structure.Property) held {
	object := n.object()
	plain, more := object[p.Key], object["_"+p.Key]
	if !structure.Primitive(p.Type) {
		more = nil
	}
	if p.Many {
		plains, _ := plain.([]any)
		mores, _ := more.([]any)
		return held{plains, mores}
	}
	var h held
	if plain != nil {
		h.plains = []any{plain}
	}
	if more != nil {
		h.mores = []any{more}
	}
	return h
}

func (h held) len() int { return max(len(h.plains), len(h.mores)) }

func at(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return nil
}

// pointer is where the value stands (RFC 6901); for the resource it is empty.
func (n *node) pointer() string { return n.placed("") }

// morePointer is where what extends a primitive value stands.
func (n *node) morePointer() string { return n.placed("_") }

func (n *node) placed(prefix string) string {
	if n.parent == nil {
		return ""
	}
	pointer := n.parent.objectPointer() + "/" + prefix + n.property.Key
	if n.property.Many {
		pointer += "/" + strconv.Itoa(n.at)
	}
	return pointer
}

// objectPointer is where the elements of a node stand.
func (n *node) objectPointer() string {
	if structure.Primitive(n.fhirType) {
		return n.morePointer()
	}
	return n.pointer()
}
