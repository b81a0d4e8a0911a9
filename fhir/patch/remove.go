package patch

import "github.com/emberlatch/emberlatch/fhir/structure"

func (o Operation) delete(resource *node) ([]Step, error) {
	found := o.path.from(resource)
	if len(found) == 0 {
		return nil, nil
	}
	n, err := one(found)
	if err != nil {
		return nil, err
	}
	if n.parent == nil {
		return nil, failed("the path leads to the resource itself: delete it by its own request")
	}
	return n.removed(), nil
}

// removed takes a value out, and what would be left empty.
func (n *node) removed() []Step {
	up := n.parent
	held := up.held(n.property)
	if held.len() > 1 {
		return append(dropped(n.pointer(), held.plains), dropped(n.morePointer(), held.mores)...)
	}
	if up.parent != nil && up.hasOnly(n.property, held) {
		return up.emptied()
	}
	key := up.objectPointer() + "/"
	return append(dropped(key+n.property.Key, held.plains), dropped(key+"_"+n.property.Key, held.mores)...)
}

// dropped takes out what is at a pointer, if there is a list or a value.
func dropped(pointer string, list []any) []Step {
	if len(list) == 0 {
		return nil
	}
	return []Step{{Op: "remove", Path: pointer}}
}

// hasOnly reports whether an object has nothing but this property.
func (n *node) hasOnly(p structure.Property, h held) bool {
	members := 0
	for _, list := range [][]any{h.plains, h.mores} {
		if len(list) > 0 {
			members++
		}
	}
	return len(n.object()) == members
}

// emptied takes out what has lost all its elements: of a primitive value, only what
// extended it.
func (n *node) emptied() []Step {
	if !structure.Primitive(n.fhirType) || n.plain == nil {
		return n.removed()
	}
	if n.property.Many {
		held := n.parent.held(n.property)
		for i, more := range held.mores {
			if i != n.at && more != nil {
				var null any
				return []Step{{Op: "replace", Path: n.morePointer(), Value: &null}}
			}
		}
	}
	return []Step{{Op: "remove", Path: n.parent.objectPointer() + "/_" + n.property.Key}}
}

func (o Operation) replace(resource *node) ([]Step, error) {
	n, err := one(o.path.from(resource))
	if err != nil {
		return nil, err
	}
	if n.parent == nil {
		return nil, failed("the path leads to the resource itself: update it")
	}
	p, err := o.value.fit(n.name, n.parent.definition().Properties(n.name))
	if err != nil {
		return nil, err
	}
	plain, more, err := o.value.as(p)
	if err != nil {
		return nil, err
	}
	key := n.parent.objectPointer() + "/"
	held := n.parent.held(n.property)
	if !p.Many { // of another type of a choice it stands elsewhere
		steps := append(dropped(key+n.property.Key, held.plains), dropped(key+"_"+n.property.Key, held.mores)...)
		return append(steps, written(key+p.Key, plain, key+"_"+p.Key, more)...), nil
	}
	steps := n.exchanged(key+p.Key, n.pointer(), held.plains, held.len(), plain)
	return append(steps, n.exchanged(key+"_"+p.Key, n.morePointer(), held.mores, held.len(), more)...), nil
}

// exchanged sets the value of one place of a list, which is made where there is none.
func (n *node) exchanged(key, pointer string, list []any, long int, value any) []Step {
	if len(list) > 0 {
		return []Step{{Op: "replace", Path: pointer, Value: &value}}
	}
	return inserted(key, nil, long-1, n.at, value)
}
