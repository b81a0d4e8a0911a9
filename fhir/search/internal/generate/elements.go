package main

import (
	"bytes"
	"encoding/json"
	"sort"
	"strings"
)

type element struct {
	Path      string   `json:"path"`
	Min       int      `json:"min"`
	Types     []string `json:"types"`
	IsSummary bool     `json:"isSummary"`
}

type definition struct {
	Type     string    `json:"type"`
	Kind     string    `json:"kind"`
	Abstract bool      `json:"abstract"`
	Elements []element `json:"elements"`
}

// elementIndex knows the types of every element of every type.
type elementIndex struct {
	definitions map[string]definition
	types       map[string][]string // path, "[x]" kept → types
}

func readElements(path string) elementIndex {
	x := elementIndex{map[string]definition{}, map[string][]string{}}
	for _, line := range bytes.Split(readAll(path), []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		var d definition
		must(json.Unmarshal(line, &d))
		x.definitions[d.Type] = d
		for _, e := range d.Elements {
			x.types[e.Path] = e.Types
		}
	}
	return x
}

func (x elementIndex) resources() []string {
	var names []string
	for name, d := range x.definitions {
		if d.Kind == "resource" && !d.Abstract {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// summary lists the top-level summary and mandatory elements of every resource.
func (x elementIndex) summary() []string {
	var lines []string
	for _, name := range x.resources() {
		var summary, mandatory []string
		for _, e := range x.definitions[name].Elements {
			field, ok := strings.CutPrefix(e.Path, name+".")
			if !ok || strings.Contains(field, ".") {
				continue
			}
			if e.IsSummary {
				summary = append(summary, field)
			}
			if e.Min > 0 {
				mandatory = append(mandatory, field)
			}
		}
		lines = append(lines, name+"|"+strings.Join(summary, ",")+"|"+strings.Join(mandatory, ","))
	}
	return lines
}

// key is one JSON property of an element and the FHIR type found there.
type key struct{ name, fhirType string }

// keys lists the properties of an element below a path, and where its children
// are defined.
func (x elementIndex) keys(at, name string) ([]key, bool) {
	if types, ok := x.types[at+"."+name]; ok {
		var list []key
		for _, t := range types {
			list = append(list, key{name, strings.TrimPrefix(t, "System.")})
		}
		if len(list) == 0 {
			list = []key{{name, ""}}
		}
		return list[:1], true
	}
	if types, ok := x.types[at+"."+name+"[x]"]; ok {
		var list []key
		for _, t := range types {
			list = append(list, key{name + strings.ToUpper(t[:1]) + t[1:], t})
		}
		return list, true
	}
	for _, t := range x.types[at+".value[x]"] { // written out, as in valueDateTime
		if name == "value"+strings.ToUpper(t[:1])+t[1:] {
			return []key{{name, t}}, true
		}
	}
	return nil, false
}

// contentReferences are the elements defined by reference to another one that
// search parameters go through.
var contentReferences = map[string]string{
	"ConceptMap.group.element.target.product": "ConceptMap.group.element.target.dependsOn",
}

// below is where the children of an element are defined.
func below(at, name, fhirType string) string {
	if target, ok := contentReferences[at+"."+name]; ok {
		return target
	}
	if fhirType == "BackboneElement" || fhirType == "Element" {
		return at + "." + name
	}
	return fhirType
}
