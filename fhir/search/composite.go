package search

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/emberlatch/emberlatch/fhir"
)

// Together is one alternative of a clause on a composite parameter: conditions that
// hold of the same element (FHIR R4 search §3.1.1.4.17).
type Together struct {
	// Resource are those on the resource itself.
	Resource []Clause
	// Element are those that one element fulfils, all of them; their parameters stand
	// for what the element holds (Indexed.Element). None: the resource is the element.
	Element []Clause

	place *composition
}

// composition is a place where the parts of a composite parameter stand together.
type composition struct {
	steps []step
	parts []part
}

type part struct {
	Parameter
	ofResource bool
}

// parseCompositions reads the last field of a composite's line in the table.
func parseCompositions(base fhir.ResourceType, text string) []composition {
	var list []composition
	for _, place := range strings.Split(text, "&") {
		words := strings.Split(place, ">")
		c := composition{steps: parsePath(words[0]).steps}
		for _, word := range words[1:] {
			if code, own := strings.CutPrefix(word, "@"); own {
				c.parts = append(c.parts, part{Parameter{Base: base, Code: code}, true})
				continue
			}
			kind, paths, _ := strings.Cut(word, "=")
			p := Parameter{Base: base, Code: words[0] + ">" + word, Type: ParameterType(kind)}
			for _, path := range strings.Split(paths, ";") {
				p.paths = append(p.paths, parsePath(path))
			}
			c.parts = append(c.parts, part{p, false})
		}
		list = append(list, c)
	}
	return list
}

// parse reads one alternative, value$value.
func (c *composition) parse(clause Clause, text, base string) (Together, string) {
	values := splitUnescaped(text, '$')
	if len(values) != len(c.parts) {
		return Together{}, strings.Repeat("value$", len(c.parts)-1) + "value"
	}
	t := Together{place: c}
	for i, p := range c.parts {
		one := Clause{Parameter: p.Parameter, text: values[i]}
		if p.ofResource {
			one.Parameter, _ = Lookup(clause.Parameter.Base, p.Code)
		}
		o, expected := parseOperand(one, values[i], base)
		if expected != "" {
			return Together{}, strings.Repeat("value$", len(c.parts)-1) + "value, of which number " + strconv.Itoa(i+1) + " is " + expected
		}
		one.Operands = []Operand{o}
		if p.ofResource {
			t.Resource = append(t.Resource, one)
		} else {
			t.Element = append(t.Element, one)
		}
	}
	return t, ""
}

// compose adds an alternative, at each place of the composite.
func (c *Clause) compose(text, base string) error {
	for i := range c.Parameter.compositions {
		t, expected := c.Parameter.compositions[i].parse(*c, text, base)
		if expected != "" {
			return refuse("invalid", c.Parameter.Code, c.Parameter.Code+": expected "+expected+".")
		}
		c.Composed = append(c.Composed, t)
	}
	return nil
}

// matches evaluates the alternative on content.
func (t Together) matches(r fhir.Resource, base string) bool {
	for _, c := range t.Resource {
		if !c.matches(r, base) {
			return false
		}
	}
	return len(t.Element) == 0 || slices.ContainsFunc(t.place.elements(r), func(element fhir.Node) bool {
		return !slices.ContainsFunc(t.Element, func(c Clause) bool { return !c.holdsOf(c.Parameter.extract(element, base)) })
	})
}

// elements are those of a resource at the place, in their order.
func (c *composition) elements(r fhir.Resource) []fhir.Node {
	var list []fhir.Node
	new(path).reach(r.Root(), c.steps, func(element fhir.Node) { list = append(list, element) })
	return list
}

// reprintTogether escapes one alternative anew.
func (c Clause) reprintTogether(text string) string {
	var values []string
	for i, value := range splitUnescaped(text, '$') {
		p := c.Parameter.compositions[0].parts[i]
		one := Clause{Parameter: p.Parameter}
		if p.ofResource {
			one.Parameter, _ = Lookup(c.Parameter.Base, p.Code)
		}
		values = append(values, one.reprint(value))
	}
	return strings.Join(values, "$")
}

// places are, for each type, where elements are indexed for its composites: each part
// once, however many composites have it.
var places = sync.OnceValue(func() map[fhir.ResourceType][]composition {
	all := map[fhir.ResourceType][]composition{}
	for t, of := range index() {
		known := map[string]bool{}
		for _, p := range of.sorted {
			for _, c := range p.compositions {
				fresh := composition{steps: c.steps}
				for _, part := range c.parts {
					if !part.ofResource && !known[part.Code] {
						known[part.Code] = true
						fresh.parts = append(fresh.parts, part)
					}
				}
				if len(fresh.parts) > 0 {
					all[t] = append(all[t], fresh)
				}
			}
		}
	}
	return all
})

// appendElements adds what the elements hold, numbered from 1.
func appendElements(list []Indexed, r fhir.Resource, base string) []Indexed {
	// Two places with the same steps are the same elements, and get the same numbers.
	numbers, next := map[string]int{}, 1
	for _, c := range places()[r.Type()] {
		elements := c.elements(r)
		steps, _, _ := strings.Cut(c.parts[0].Code, ">")
		first, counted := numbers[steps]
		if !counted {
			first, next = next, next+len(elements)
			numbers[steps] = first
		}
		for n, element := range elements {
			for _, p := range c.parts {
				for _, v := range p.extract(element, base) {
					list = append(list, Indexed{Parameter: p.Parameter, Value: v, Element: first + n})
				}
			}
		}
	}
	return list
}

// ElementParameters are the parameters that elements of a type are indexed by.
func ElementParameters(t fhir.ResourceType) []Parameter {
	var list []Parameter
	for _, c := range places()[t] {
		for _, p := range c.parts {
			list = append(list, p.Parameter)
		}
	}
	return list
}
