package patch

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/emberlatch/emberlatch/fhir"
)

// Patch is a list of operations that were read. The zero value has none.
type Patch struct{ operations []Operation }

// Operation is one change of a resource.
type Operation struct {
	kind                       string // a key of parts
	path                       path
	name                       string
	value                      value
	index, source, destination int
}

// parts are what each kind of operation is made of besides its type, all of it
// mandatory (FHIR R4 fhirpatch).
var parts = map[string][]string{
	"add":     {"path", "name", "value"},
	"insert":  {"path", "index", "value"},
	"delete":  {"path"},
	"replace": {"path", "value"},
	"move":    {"path", "source", "destination"},
}

// Parse reads the operations of a Parameters resource. Errors are *fhir.ParseError.
func Parse(parameters fhir.Resource) (Patch, error) {
	if parameters.Type() != "Parameters" {
		return Patch{}, &fhir.ParseError{Path: "resourceType", Expected: "Parameters with operations (FHIRPath Patch)"}
	}
	list, _ := parameters.Tree()["parameter"].([]any)
	if len(list) == 0 {
		return Patch{}, &fhir.ParseError{Path: "Parameters.parameter", Expected: "at least one operation"}
	}
	var p Patch
	for i, item := range list {
		operation, err := readOperation(fmt.Sprintf("Parameters.parameter[%d]", i), item)
		if err != nil {
			return Patch{}, err
		}
		p.operations = append(p.operations, operation)
	}
	return p, nil
}

// Len is the number of operations.
func (p Patch) Len() int { return len(p.operations) }

// Operations are those of the patch, in their order.
func (p Patch) Operations() iter.Seq2[int, Operation] { return slices.All(p.operations) }

// readOperation reads one parameter: its parts by name, each once, and no others.
func readOperation(at string, item any) (Operation, error) {
	parameter, _ := item.(fhir.Object)
	if parameter["name"] != "operation" {
		return Operation{}, &fhir.ParseError{Path: at + ".name", Expected: "operation"}
	}
	if err := (place{at, parameter}).alone(); err != nil {
		return Operation{}, err
	}
	given := map[string]place{}
	list, _ := parameter["part"].([]any)
	for i, item := range list {
		part, _ := item.(fhir.Object)
		name, _ := part["name"].(string)
		p := place{fmt.Sprintf("%s.part[%d]", at, i), part}
		if err := p.alone(); err != nil {
			return Operation{}, err
		}
		if _, twice := given[name]; twice {
			return Operation{}, &fhir.ParseError{Path: p.at + ".name", Expected: "each part once"}
		}
		given[name] = p
	}
	kind, _ := given["type"].part["valueCode"].(string)
	wanted, known := parts[kind]
	if !known {
		return Operation{}, &fhir.ParseError{Path: at, Expected: "a part type with one of the codes add, insert, delete, replace and move"}
	}
	if len(given) != len(wanted)+1 || slices.ContainsFunc(wanted, func(name string) bool { return given[name].part == nil }) {
		return Operation{}, &fhir.ParseError{Path: at, Expected: "the parts type, " + strings.Join(wanted, ", ") + ", and no others"}
	}
	return readParts(kind, given)
}

// place is a part, and where it stands.
type place struct {
	at   string
	part fhir.Object
}

func readParts(kind string, given map[string]place) (Operation, error) {
	o := Operation{kind: kind}
	for name, p := range given {
		var err error
		switch name {
		case "path":
			o.path, err = p.path()
		case "name":
			o.name, err = p.text()
		case "value":
			o.value, err = readValue(p, 0)
		case "index":
			o.index, err = p.number()
		case "source":
			o.source, err = p.number()
		case "destination":
			o.destination, err = p.number()
		}
		if err != nil {
			return Operation{}, err
		}
	}
	return o, nil
}

// alone: a parameter has a value, a resource, or parts, and not two of them (FHIR R4
// parameters, inv-1), of which one would be passed over.
func (p place) alone() error {
	kinds := map[string]bool{}
	for key := range p.part {
		switch key = strings.TrimPrefix(key, "_"); {
		case strings.HasPrefix(key, "value"):
			kinds["value"] = true
		case key == "resource" || key == "part":
			kinds[key] = true
		}
	}
	if len(kinds) > 1 {
		return &fhir.ParseError{Path: p.at, Expected: "a value, a resource, or parts, and one of them only"}
	}
	return nil
}

func (p place) text() (string, error) {
	text, ok := p.part["valueString"].(string)
	if !ok {
		return "", &fhir.ParseError{Path: p.at, Expected: "a valueString"}
	}
	return text, nil
}

func (p place) path() (path, error) {
	text, err := p.text()
	if err != nil {
		return nil, err
	}
	steps, expected := parsePath(text)
	if expected != "" {
		return nil, &fhir.ParseError{Path: p.at + ".valueString", Expected: expected}
	}
	return steps, nil
}

func (p place) number() (int, error) {
	text, _ := p.part["valueInteger"].(json.Number)
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 0 {
		return 0, &fhir.ParseError{Path: p.at, Expected: "a valueInteger, 0 or more"}
	}
	return n, nil
}
