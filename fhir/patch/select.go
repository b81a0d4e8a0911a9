package patch

import (
	"encoding/json"

	"github.com/emberlatch/emberlatch/fhir/structure"
)

// from selects what a path leads to from the resource, whose type it may begin with.
func (p path) from(resource *node) []*node {
	if len(p) > 0 && p[0].kind == element && (p[0].name == resource.fhirType || p[0].name == "Resource" || p[0].name == "DomainResource") {
		p = p[1:]
	}
	return p.among([]*node{resource})
}

// among selects what a path leads to from some nodes.
func (p path) among(nodes []*node) []*node {
	for _, s := range p {
		nodes = s.among(nodes)
	}
	return nodes
}

func (s step) among(nodes []*node) []*node {
	var found []*node
	switch s.kind {
	case element:
		for _, n := range nodes {
			found = append(found, n.elements(s.name)...)
		}
	case index:
		return slice(nodes, s.index)
	case first:
		return slice(nodes, 0)
	case last:
		return slice(nodes, len(nodes)-1)
	case where:
		for _, n := range nodes {
			if s.holds(n) {
				found = append(found, n)
			}
		}
	case ofType:
		for _, n := range nodes {
			if n.is(s.name) {
				found = append(found, n)
			}
		}
	case extension:
		for _, n := range nodes {
			for _, e := range n.elements("extension") {
				if e.object()["url"] == s.name {
					found = append(found, e)
				}
			}
		}
	}
	return found
}

// slice is the node at a place; none: there is none.
func slice(nodes []*node, i int) []*node {
	if i < 0 || i >= len(nodes) {
		return nil
	}
	return nodes[i : i+1]
}

// is reports whether a node is of a type.
func (n *node) is(name string) bool {
	if n.fhirType == "Resource" {
		return n.object()["resourceType"] == name
	}
	return n.fhirType == name
}

// holds: each condition leads to its literal and nothing else (FHIRPath N1 §6.1).
func (s step) holds(n *node) bool {
	for _, c := range s.where {
		found := c.path.among([]*node{n})
		if len(found) != 1 || !same(found[0], c.equal) {
			return false
		}
	}
	return true
}

func same(n *node, literal any) bool {
	if !structure.Primitive(n.fhirType) {
		return false
	}
	switch value := n.plain.(type) {
	case string, bool, json.Number:
		return value == literal
	}
	return false
}
