package search

import (
	"net/url"
	"strings"

	"github.com/emberlatch/emberlatch/fhir"
)

// Limits of the joins of one query.
const (
	maxJoins = 5
	maxLinks = 4
	// maxTypes is how many types a link without a type stands for.
	maxTypes = 10
)

// Chain matches resources that refer, by a parameter of theirs, to a resource of a
// type for which That holds (FHIR R4 search §3.1.1.4.15).
type Chain struct {
	Parameter Parameter
	Target    fhir.ResourceType
	That      Expr
}

// Has matches resources of a type that another one refers to, by a parameter of its
// own, for which That holds (FHIR R4 search §3.1.1.4.16).
type Has struct {
	Parameter Parameter // of the type that refers
	Target    fhir.ResourceType
	That      Expr
}

func (Chain) isExpr() {}
func (Has) isExpr()   {}

// Join is a condition on other resources than the one that is searched for: a chain,
// a reverse chain (_has), or both one behind the other.
type Join struct {
	name, text string
	expr       Expr
}

// Expr is what matches must fulfil.
func (j Join) Expr() Expr { return j.expr }

// Name is the parameter as it is printed.
func (j Join) Name() string { return j.name }

func (j Join) encode() string { return url.QueryEscape(j.name) + "=" + url.QueryEscape(j.text) }

// Permitted reports whether a type may be searched for each link: where a link stands
// for several types, for some of them. If not, it names a type that may not.
func (j Join) Permitted(may func(fhir.ResourceType) bool) (refused fhir.ResourceType, ok bool) {
	return permitted(j.expr, may)
}

func permitted(e Expr, may func(fhir.ResourceType) bool) (refused fhir.ResourceType, ok bool) {
	switch e := e.(type) {
	case Or: // the types of one link
		for _, part := range e {
			if t, good := permitted(part, may); good {
				return "", true
			} else if refused == "" {
				refused = t
			}
		}
		return refused, false
	case Chain:
		if !may(e.Target) {
			return e.Target, false
		}
		return permitted(e.That, may)
	case Has:
		if !may(e.Parameter.Base) {
			return e.Parameter.Base, false
		}
		return permitted(e.That, may)
	}
	return "", true
}

// isJoin reports whether a parameter name has links.
func isJoin(name string) bool {
	return strings.HasPrefix(name, "_has:") || strings.Contains(name, ".") || name == "_list"
}

// joinParser reads one name=value with links.
type joinParser struct{ name, value, base string }

func (q *Query) addJoin(name, value, base string) error {
	p := joinParser{name, value, base}
	e, err := p.condition(q.Type, name, 0)
	if err != nil {
		return err
	}
	q.Joins = append(q.Joins, Join{name: name, text: value, expr: e})
	return nil
}

// condition reads what a resource of a type must fulfil: a link and what follows it,
// or the last parameter.
func (p joinParser) condition(t fhir.ResourceType, name string, depth int) (Expr, error) {
	switch {
	case depth == maxLinks && isJoin(name):
		return nil, refuse("too-costly", clip(p.name), "A search follows at most four links one after another.")
	case name == "_list":
		return p.list(t)
	case strings.HasPrefix(name, "_has:"):
		return p.has(t, name, depth)
	}
	if head, rest, linked := strings.Cut(name, "."); linked {
		return p.chain(t, head, rest, depth)
	}
	if _, result := resultParameters[name]; result {
		return nil, refuse("invalid", clip(p.name), clip(name)+" is no condition.")
	}
	c, err := parseClause(t, name, p.value, p.base)
	if err != nil {
		return nil, err
	}
	return Holds{c}, nil
}

// list is membership of a List that is found as any other: what a List with the id
// has as an item (FHIR R4 search §3.1.1.4.18).
func (p joinParser) list(t fhir.ResourceType) (Expr, error) {
	if strings.HasPrefix(p.value, "$") {
		return nil, refuse("not-supported", "_list", "_list takes the id of a List; lists that the server works out are not offered.")
	}
	id, err := parseClause("List", "_id", p.value, p.base)
	if err != nil {
		return nil, err
	}
	item, _ := Lookup("List", "item")
	return Has{Parameter: item, Target: t, That: Holds{id}}, nil
}

// has reads _has:Type:parameter:rest.
func (p joinParser) has(t fhir.ResourceType, name string, depth int) (Expr, error) {
	parts := strings.SplitN(name, ":", 4)
	if len(parts) < 4 {
		return nil, refuse("invalid", clip(p.name), "A reverse chain is _has:Type:parameter:condition.")
	}
	source, known := fhir.ParseResourceType(parts[1])
	link, found := Lookup(source, parts[2])
	if !known || !found || !link.CanPointTo(t) {
		return nil, refuse("invalid", clip(p.name), clip(parts[1]+":"+parts[2])+" is no reference parameter that can point to "+string(t)+".")
	}
	that, err := p.condition(source, parts[3], depth+1)
	if err != nil {
		return nil, err
	}
	return Has{Parameter: link, Target: t, That: that}, nil
}

// chain reads parameter[:Type].rest.
func (p joinParser) chain(t fhir.ResourceType, head, rest string, depth int) (Expr, error) {
	code, name, stated := strings.Cut(head, ":")
	link, found := Lookup(t, code)
	if !found || link.Type != TypeReference {
		return nil, refuse("invalid", clip(p.name), clip(code)+" is no reference parameter of "+string(t)+", so nothing can be chained to it.")
	}
	if !stated {
		return p.anyOf(link, rest, depth)
	}
	target, known := fhir.ParseResourceType(name)
	if !known || !link.CanPointTo(target) {
		return nil, refuse("invalid", clip(p.name), clip(code)+" cannot point to "+clip(name)+".")
	}
	that, err := p.condition(target, rest, depth+1)
	if err != nil {
		return nil, err
	}
	return Chain{Parameter: link, Target: target, That: that}, nil
}

// anyOf is a link without a type: any of those that have what follows.
func (p joinParser) anyOf(link Parameter, rest string, depth int) (Expr, error) {
	targets := link.pointsTo()
	if targets == nil || len(targets) > maxTypes {
		return nil, refuse("not-supported", clip(p.name), clip(link.Code)+" can point to many types. Name the one that you mean: "+clip(link.Code)+":Type."+clip(rest)+".")
	}
	var list Or
	for _, t := range targets {
		if !hasParameter(t, rest) {
			continue
		}
		that, err := p.condition(t, rest, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, Chain{Parameter: link, Target: t, That: that})
	}
	switch len(list) {
	case 0:
		return nil, refuse("not-supported", clip(p.name), "None of the types that "+clip(link.Code)+" points to can be searched by "+clip(rest)+".")
	case 1:
		return list[0], nil
	}
	return list, nil
}

// hasParameter reports whether a type knows the first parameter of a condition.
func hasParameter(t fhir.ResourceType, name string) bool {
	if strings.HasPrefix(name, "_has:") {
		parts := strings.SplitN(name, ":", 4)
		link, found := Lookup(fhir.ResourceType(parts[1]), parts[min(2, len(parts)-1)])
		return len(parts) == 4 && found && link.CanPointTo(t)
	}
	head, rest, chained := strings.Cut(name, ".")
	code, modifier, _ := strings.Cut(head, ":")
	p, found := Lookup(t, code)
	if !found || !chained {
		return found && p.Answerable() || name == "_list"
	}
	if target, stated := fhir.ParseResourceType(modifier); stated {
		return p.CanPointTo(target) && hasParameter(target, rest)
	}
	for _, target := range p.pointsTo() {
		if hasParameter(target, rest) {
			return true
		}
	}
	return false
}

// pointsTo are the types that a reference parameter may point to, within what its
// paths let through; nil: any.
func (p Parameter) pointsTo() []fhir.ResourceType {
	var only []fhir.ResourceType
	for _, path := range p.paths {
		n := len(only)
		for _, s := range path.after {
			if s.kind == 'r' {
				only = append(only, fhir.ResourceType(s.name))
			}
		}
		if len(only) == n {
			return p.Targets
		}
	}
	return only
}
