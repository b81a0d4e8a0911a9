package patch

import (
	"fmt"
	"strconv"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/structure"
)

// Step is one operation of a JSON Patch (RFC 6902 §4).
type Step struct {
	Op    string `json:"op"` // add, remove, replace or move
	From  string `json:"from,omitempty"`
	Path  string `json:"path"`
	Value *any   `json:"value,omitempty"` // nil: the operation takes none
}

// Failure says why an operation does not apply to a resource.
type Failure struct{ Why string }

func (f *Failure) Error() string { return f.Why }

func failed(format string, args ...any) error { return &Failure{fmt.Sprintf(format, args...)} }

// safe is a name that may stand in an answer.
func safe(name string) string { return clip(name) }

// Steps are what the operation does to a resource, for a JSON Patch. There are none
// when there was nothing to delete. Errors are *Failure.
func (o Operation) Steps(r fhir.Resource) ([]Step, error) {
	resource := root(r)
	switch o.kind {
	case "add":
		return o.add(resource)
	case "insert":
		return o.insert(resource)
	case "delete":
		return o.delete(resource)
	case "replace":
		return o.replace(resource)
	case "move":
		return o.move(resource)
	}
	return nil, failed("there is no operation")
}

// one is the one node that a path has to lead to.
func one(nodes []*node) (*node, error) {
	if len(nodes) != 1 {
		return nil, failed("the path leads to %d elements, and has to lead to one", len(nodes))
	}
	return nodes[0], nil
}

func (o Operation) add(resource *node) ([]Step, error) {
	parent, err := one(o.path.from(resource))
	if err != nil {
		return nil, err
	}
	p, err := o.value.fit(o.name, parent.definition().Properties(o.name))
	if err != nil {
		return nil, err
	}
	if !p.Many && len(parent.elements(o.name)) > 0 {
		return nil, failed("the element %s is there already, and there is at most one: replace it", o.name)
	}
	return o.put(parent, p, parent.held(p).len())
}

func (o Operation) insert(resource *node) ([]Step, error) {
	parent, name, err := o.list(resource)
	if err != nil {
		return nil, err
	}
	p, err := o.value.fit(name, parent.definition().Properties(name))
	if err != nil {
		return nil, err
	}
	if n := parent.held(p).len(); !p.Many || o.index > n {
		return nil, failed("the list has %d elements, and the index is %d", n, o.index)
	}
	return o.put(parent, p, o.index)
}

// put puts the value of the operation into a property, at a place if it is a list.
func (o Operation) put(parent *node, p structure.Property, at int) ([]Step, error) {
	plain, more, err := o.value.as(p)
	if err != nil {
		return nil, err
	}
	steps := parent.opened()
	key := parent.objectPointer() + "/"
	if !p.Many {
		return append(steps, written(key+p.Key, plain, key+"_"+p.Key, more)...), nil
	}
	held := parent.held(p)
	steps = append(steps, inserted(key+p.Key, held.plains, held.len(), at, plain)...)
	return append(steps, inserted(key+"_"+p.Key, held.mores, held.len(), at, more)...), nil
}

// written sets a value and what extends it, where neither is yet.
func written(key string, plain any, moreKey string, more any) []Step {
	var steps []Step
	if plain != nil {
		steps = append(steps, Step{Op: "add", Path: key, Value: &plain})
	}
	if more != nil {
		steps = append(steps, Step{Op: "add", Path: moreKey, Value: &more})
	}
	return steps
}

// inserted puts a value into a list, which is made where there is none yet: long is how
// many values the property has, of which this list may hold none.
func inserted(key string, list []any, long, at int, value any) []Step {
	switch {
	case len(list) > 0:
		return []Step{{Op: "add", Path: key + "/" + strconv.Itoa(at), Value: &value}}
	case value == nil:
		return nil
	}
	made := padded(nil, long+1)
	made[at] = value
	var whole any = made
	return []Step{{Op: "add", Path: key, Value: &whole}}
}

// opened makes the object in which the elements of a primitive value stand.
func (n *node) opened() []Step {
	if !structure.Primitive(n.fhirType) || n.more != nil {
		return nil
	}
	var empty any = fhir.Object{}
	if mores := n.parent.held(n.property).mores; n.property.Many && len(mores) == 0 {
		list := padded(nil, n.parent.held(n.property).len())
		list[n.at] = empty
		var whole any = list
		return []Step{{Op: "add", Path: n.parent.objectPointer() + "/_" + n.property.Key, Value: &whole}}
	} else if n.property.Many {
		return []Step{{Op: "replace", Path: n.morePointer(), Value: &empty}}
	}
	return []Step{{Op: "add", Path: n.morePointer(), Value: &empty}}
}

// list is the list that a path names by its last element: whose it is, and its name.
func (o Operation) list(resource *node) (*node, string, error) {
	last := o.path[len(o.path)-1]
	if last.kind != element || len(o.path) == 1 && last.name == resource.fhirType {
		return nil, "", failed("the path has to end with the name of a list")
	}
	parents := o.path[:len(o.path)-1].from(resource)
	parent, err := one(parents)
	return parent, last.name, err
}

func (o Operation) move(resource *node) ([]Step, error) {
	parent, name, err := o.list(resource)
	if err != nil {
		return nil, err
	}
	properties := parent.definition().Properties(name)
	if len(properties) != 1 || !properties[0].Many {
		return nil, failed("the path has to end with the name of a list")
	}
	p := properties[0]
	held := parent.held(p)
	if n := held.len(); o.source >= n || o.destination >= n {
		return nil, failed("the list has %d elements, and source and destination have to be among them", n)
	}
	key := parent.objectPointer() + "/"
	return append(o.moved(key+p.Key, held.plains), o.moved(key+"_"+p.Key, held.mores)...), nil
}

func (o Operation) moved(key string, list []any) []Step {
	if len(list) == 0 {
		return nil
	}
	key += "/"
	return []Step{{Op: "move", From: key + strconv.Itoa(o.source), Path: key + strconv.Itoa(o.destination)}}
}
