package main

import (
	"log"
	"strings"
)

// component is one part of a composite parameter.
type component struct {
	Definition string `json:"definition"`
	Expression string `json:"expression"`
}

// compositions are the places where the parts of a composite parameter stand together,
// joined by "&": steps>part>part. A part is @code, a parameter of the resource itself,
// or kind=paths from where the steps lead.
func (t *table) compositions(base string, p searchParameter) string {
	var places []string
	for _, place := range strings.Split(p.Expression, "|") {
		place = strings.TrimSpace(place)
		if place != base && !strings.HasPrefix(place, base+".") {
			continue
		}
		words := []string{t.stepsTo(base, place)}
		for _, c := range p.Component {
			words = append(words, t.part(base, place, c))
		}
		places = append(places, strings.Join(words, ">"))
	}
	return strings.Join(places, "&")
}

func (t *table) stepsTo(base, place string) string {
	var words []string
	for _, name := range strings.Split(place, ".")[1:] {
		words = append(words, "f:"+name)
	}
	return strings.Join(words, " ")
}

func (t *table) part(base, place string, c component) string {
	of, known := t.byURL[c.Definition]
	if !known {
		log.Fatalf("generate: %s: no parameter %s", base, c.Definition)
	}
	if place == base || strings.HasPrefix(c.Expression, "%resource.") {
		// Parameters on the resource and its components are defined by that name; here
		// it is the resource.
		return "@" + strings.TrimPrefix(of.Code, "combo-")
	}
	var paths []string
	for _, alternative := range strings.Split(c.Expression, "|") {
		path := t.elements.compile(base, place+"."+strings.TrimSpace(alternative))
		paths = append(paths, strings.TrimPrefix(path, t.stepsTo(base, place)+" "))
	}
	text := strings.Join(paths, ";")
	return kindOf(of.Type, text) + "=" + text
}

// kindOf is the kind of a part: by its elements where the definition names the
// parameter of the other part (DocumentReference.relationship).
func kindOf(kind, paths string) string {
	switch isReference := strings.HasSuffix(paths, "=Reference"); {
	case isReference && !strings.Contains(paths, ","):
		return "reference"
	case kind == "reference":
		return "token"
	}
	return kind
}
