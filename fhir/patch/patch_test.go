package patch_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	jsonpatch "github.com/evanphx/json-patch/v5"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/patch"
	"github.com/emberlatch/emberlatch/fhir/structure"
)

func ExampleParse() {
	parameters, _ := fhir.ParseResource([]byte(`{"resourceType":"Parameters","parameter":[{"name":"operation","part":[
		{"name":"type","valueCode":"replace"},
		{"name":"path","valueString":"Patient.telecom.where(system = 'phone').value"},
		{"name":"value","valueString":"555 0100"}]}]}`))
	patient, _ := fhir.ParseResource([]byte(`{"resourceType":"Patient","telecom":[{"system":"email","value":"a@b.test"},{"system":"phone","value":"555 0199"}]}`))
	p, _ := patch.Parse(parameters)
	for _, operation := range p.Operations() {
		steps, _ := operation.Steps(patient)
		for _, step := range steps {
			fmt.Println(step.Op, step.Path)
		}
	}
	// Output:
	// remove /telecom/1/value
	// add /telecom/1/value
}

// operation is a Parameters resource with one operation: its type, and parts by name.
func operation(kind string, parts ...string) string {
	list := []string{`{"name":"type","valueCode":"` + kind + `"}`}
	for i := 0; i < len(parts); i += 2 {
		list = append(list, `{"name":"`+parts[i]+`",`+parts[i+1]+`}`)
	}
	return `{"resourceType":"Parameters","parameter":[{"name":"operation","part":[` + strings.Join(list, ",") + `]}]}`
}

func path(text string) string { return `"valueString":` + quoted(text) }

func quoted(text string) string {
	b, _ := json.Marshal(text)
	return string(b)
}

// apply makes the operations of a patch, one after the other.
func apply(t *testing.T, parameters, resource string) (string, error) {
	t.Helper()
	read, err := fhir.ParseResource([]byte(parameters))
	if err != nil {
		t.Fatalf("%v in %s", err, parameters)
	}
	p, err := patch.Parse(read)
	if err != nil {
		return "", err
	}
	for _, o := range p.Operations() {
		current, err := fhir.ParseResource([]byte(resource))
		if err != nil {
			t.Fatalf("%v in %s", err, resource)
		}
		steps, err := o.Steps(current)
		if err != nil {
			return "", err
		}
		if len(steps) == 0 {
			continue
		}
		b, err := json.Marshal(steps)
		if err != nil {
			t.Fatal(err)
		}
		decoded, err := jsonpatch.DecodePatch(b)
		if err != nil {
			t.Fatal(err)
		}
		changed, err := decoded.Apply([]byte(resource))
		if err != nil {
			t.Fatalf("%s does not apply to %s: %v", b, resource, err)
		}
		resource = string(changed)
	}
	return resource, nil
}

func tree(t *testing.T, resource string) fhir.Object {
	t.Helper()
	r, err := fhir.ParseResource([]byte(resource))
	if err != nil {
		t.Fatalf("%v in %s", err, resource)
	}
	return r.Tree()
}

const (
	nobody  = `{"resourceType":"Patient","active":true}`
	born    = `{"resourceType":"Patient","active":true,"birthDate":"1920-01-01","_birthDate":{"extension":[{"url":"urn:t","valueTime":"09:00:00"}]}}`
	contact = `{"resourceType":"Patient","active":true,"contact":[{"name":{"text":"a"},"gender":"male"}]}`
	three   = `{"resourceType":"Patient","identifier":[{"value":"1"},{"value":"2"},{"value":"3"}]}`
	given   = `{"resourceType":"Patient","name":[{"given":["A",null,"C"],"_given":[null,{"id":"b"},null]}]}`
	weight  = `{"resourceType":"Observation","status":"final","code":{"text":"weight"},"valueQuantity":{"value":70.10,"unit":"kg"}}`
)

// Each operation changes what its path names (FHIR R4 fhirpatch).
func TestOperations(t *testing.T) {
	for _, row := range []struct{ name, patch, before, after string }{
		{"add a primitive", operation("add", "path", path("Patient"), "name", path("birthDate"), "value", `"valueDate":"1930-01-01"`),
			nobody, `{"resourceType":"Patient","active":true,"birthDate":"1930-01-01"}`},
		{"add one with what extends it", operation("add", "path", path("Patient"), "name", path("birthDate"), "value", `"valueDate":"1930","_valueDate":{"id":"x"}`),
			nobody, `{"resourceType":"Patient","active":true,"birthDate":"1930","_birthDate":{"id":"x"}}`},
		{"add a complex value", operation("add", "path", path("Patient"), "name", path("maritalStatus"), "value", `"valueCodeableConcept":{"text":"married"}`),
			nobody, `{"resourceType":"Patient","active":true,"maritalStatus":{"text":"married"}}`},
		{"add the first of a list", operation("add", "path", path("Patient"), "name", path("identifier"), "value", `"valueIdentifier":{"value":"1"}`),
			nobody, `{"resourceType":"Patient","active":true,"identifier":[{"value":"1"}]}`},
		{"add to a list", operation("add", "path", path("Patient"), "name", path("identifier"), "value", `"valueIdentifier":{"value":"4"}`),
			three, `{"resourceType":"Patient","identifier":[{"value":"1"},{"value":"2"},{"value":"3"},{"value":"4"}]}`},
		{"add to a list of primitives with extensions", operation("add", "path", path("Patient.name"), "name", path("given"), "value", `"valueString":"D"`),
			given, `{"resourceType":"Patient","name":[{"given":["A",null,"C","D"],"_given":[null,{"id":"b"},null,null]}]}`},
		{"add what is made of parts", operation("add", "path", path("Patient"), "name", path("contact"), "value", `"part":[{"name":"name","valueHumanName":{"text":"b"}},{"name":"relationship","valueCodeableConcept":{"text":"x"}},{"name":"relationship","valueCodeableConcept":{"text":"y"}}]`),
			contact, `{"resourceType":"Patient","active":true,"contact":[{"name":{"text":"a"},"gender":"male"},{"name":{"text":"b"},"relationship":[{"text":"x"},{"text":"y"}]}]}`},
		{"add an extension", operation("add", "path", path("Patient"), "name", path("extension"), "value", `"part":[{"name":"url","valueUri":"urn:x"},{"name":"value","valueString":"<y>"}]`),
			nobody, `{"resourceType":"Patient","active":true,"extension":[{"url":"urn:x","valueString":"<y>"}]}`},
		{"add an extension to a primitive", operation("add", "path", path("Patient.active"), "name", path("extension"), "value", `"part":[{"name":"url","valueUri":"urn:x"},{"name":"value","valueString":"y"}]`),
			nobody, `{"resourceType":"Patient","active":true,"_active":{"extension":[{"url":"urn:x","valueString":"y"}]}}`},
		{"add an extension to one of a list", operation("add", "path", path("Patient.name.given[0]"), "name", path("extension"), "value", `"part":[{"name":"url","valueUri":"urn:x"},{"name":"value","valueString":"y"}]`),
			given, `{"resourceType":"Patient","name":[{"given":["A",null,"C"],"_given":[{"extension":[{"url":"urn:x","valueString":"y"}]},{"id":"b"},null]}]}`},
		{"add a contained resource", operation("add", "path", path("Patient"), "name", path("contained"), "value", `"resource":{"resourceType":"Organization","id":"o","name":"O"}`),
			nobody, `{"resourceType":"Patient","active":true,"contained":[{"resourceType":"Organization","id":"o","name":"O"}]}`},
		{"add a choice", operation("add", "path", path("Patient"), "name", path("deceased"), "value", `"valueBoolean":true`),
			nobody, `{"resourceType":"Patient","active":true,"deceasedBoolean":true}`},

		{"insert at the beginning", operation("insert", "path", path("Patient.identifier"), "index", `"valueInteger":0`, "value", `"valueIdentifier":{"value":"0"}`),
			three, `{"resourceType":"Patient","identifier":[{"value":"0"},{"value":"1"},{"value":"2"},{"value":"3"}]}`},
		{"insert at the end", operation("insert", "path", path("Patient.identifier"), "index", `"valueInteger":3`, "value", `"valueIdentifier":{"value":"4"}`),
			three, `{"resourceType":"Patient","identifier":[{"value":"1"},{"value":"2"},{"value":"3"},{"value":"4"}]}`},
		{"insert where there is no list", operation("insert", "path", path("Patient.identifier"), "index", `"valueInteger":0`, "value", `"valueIdentifier":{"value":"0"}`),
			nobody, `{"resourceType":"Patient","active":true,"identifier":[{"value":"0"}]}`},
		{"insert one with an extension among those without", operation("insert", "path", path("Patient.name[0].given"), "index", `"valueInteger":1`, "value", `"_valueString":{"id":"x"}`),
			`{"resourceType":"Patient","name":[{"given":["A","B"]}]}`, `{"resourceType":"Patient","name":[{"given":["A",null,"B"],"_given":[null,{"id":"x"},null]}]}`},

		{"delete a primitive with what extends it", operation("delete", "path", path("Patient.birthDate")), born, nobody},
		{"delete what is not there", operation("delete", "path", path("Patient.gender")), born, born},
		{"delete what is left of an object", operation("delete", "path", path("Patient.contact[0].name.text")), contact, `{"resourceType":"Patient","active":true,"contact":[{"gender":"male"}]}`},
		{"delete what is left of all", operation("delete", "path", path("Patient.contact.name.text")), `{"resourceType":"Patient","active":true,"contact":[{"name":{"text":"a"}}]}`, nobody},
		{"delete one of a list", operation("delete", "path", path("Patient.identifier[1]")), three, `{"resourceType":"Patient","identifier":[{"value":"1"},{"value":"3"}]}`},
		{"delete by a condition", operation("delete", "path", path("Patient.identifier.where(value = '3')")), three, `{"resourceType":"Patient","identifier":[{"value":"1"},{"value":"2"}]}`},
		{"delete one of primitives", operation("delete", "path", path("Patient.name.given[0]")), given, `{"resourceType":"Patient","name":[{"given":[null,"C"],"_given":[{"id":"b"},null]}]}`},
		{"delete an extension by its URL", operation("delete", "path", path("Patient.birthDate.extension('urn:t')")), born, `{"resourceType":"Patient","active":true,"birthDate":"1920-01-01"}`},
		{"delete what extends one of a list", operation("delete", "path", path("Patient.name.given[1].id")), given, `{"resourceType":"Patient","name":[{"given":["A","C"],"_given":[null,null]}]}`},

		{"replace a primitive drops what extended it", operation("replace", "path", path("Patient.birthDate"), "value", `"valueDate":"1930-01-01"`), born, `{"resourceType":"Patient","active":true,"birthDate":"1930-01-01"}`},
		{"replace inside", operation("replace", "path", path("Patient.contact[0].gender"), "value", `"valueCode":"female"`), contact, `{"resourceType":"Patient","active":true,"contact":[{"name":{"text":"a"},"gender":"female"}]}`},
		{"replace one of a list", operation("replace", "path", path("identifier.last()"), "value", `"valueIdentifier":{"value":"9"}`), three, `{"resourceType":"Patient","identifier":[{"value":"1"},{"value":"2"},{"value":"9"}]}`},
		{"replace one of primitives", operation("replace", "path", path("Patient.name.given[1]"), "value", `"valueString":"B"`), given, `{"resourceType":"Patient","name":[{"given":["A","B","C"],"_given":[null,null,null]}]}`},
		{"replace a choice by another type", operation("replace", "path", path("Observation.value"), "value", `"valueString":"heavy"`), weight, `{"resourceType":"Observation","status":"final","code":{"text":"weight"},"valueString":"heavy"}`},
		{"replace within a choice", operation("replace", "path", path("Observation.value.ofType(Quantity).unit"), "value", `"valueString":"lb"`), weight, `{"resourceType":"Observation","status":"final","code":{"text":"weight"},"valueQuantity":{"value":70.10,"unit":"lb"}}`},
		{"replace a narrative by parts", operation("add", "path", path("Patient"), "name", path("text"), "value", `"part":[{"name":"status","valueCode":"generated"},{"name":"div","valueString":"<div>x</div>"}]`), nobody, `{"resourceType":"Patient","active":true,"text":{"status":"generated","div":"<div>x</div>"}}`},

		{"move up", operation("move", "path", path("Patient.identifier"), "source", `"valueInteger":2`, "destination", `"valueInteger":0`), three, `{"resourceType":"Patient","identifier":[{"value":"3"},{"value":"1"},{"value":"2"}]}`},
		{"move down", operation("move", "path", path("Patient.identifier"), "source", `"valueInteger":0`, "destination", `"valueInteger":2`), three, `{"resourceType":"Patient","identifier":[{"value":"2"},{"value":"3"},{"value":"1"}]}`},
		{"move one of primitives", operation("move", "path", path("Patient.name[0].given"), "source", `"valueInteger":1`, "destination", `"valueInteger":0`), given, `{"resourceType":"Patient","name":[{"given":[null,"A","C"],"_given":[{"id":"b"},null,null]}]}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := apply(t, row.patch, row.before)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(tree(t, got), tree(t, row.after)) {
				t.Errorf("%s, want %s", got, row.after)
			}
		})
	}
}

// What an operation cannot do to a resource is said, and nothing is done.
func TestFailures(t *testing.T) {
	for _, row := range []struct{ name, patch, before, why string }{
		{"add what is there", operation("add", "path", path("Patient"), "name", path("birthDate"), "value", `"valueDate":"1930"`), born, "is there already"},
		{"add another type of what is there", operation("add", "path", path("Observation"), "name", path("value"), "value", `"valueString":"x"`), weight, "is there already"},
		{"add to nothing", operation("add", "path", path("Patient.contact[1]"), "name", path("gender"), "value", `"valueCode":"male"`), contact, "leads to 0"},
		{"add to several", operation("add", "path", path("Patient.identifier"), "name", path("system"), "value", `"valueUri":"urn:x"`), three, "leads to 3"},
		{"add what R4 does not have", operation("add", "path", path("Patient"), "name", path("colour"), "value", `"valueString":"red"`), nobody, `no element "colour"`},
		{"a value of another type", operation("add", "path", path("Patient"), "name", path("birthDate"), "value", `"valueString":"1930"`), nobody, "of the type date"},
		{"a part of another type", operation("add", "path", path("Patient"), "name", path("contact"), "value", `"part":[{"name":"gender","valueString":"male"}]`), nobody, "of the type code"},
		{"a part twice", operation("add", "path", path("Patient"), "name", path("contact"), "value", `"part":[{"name":"gender","valueCode":"male"},{"name":"gender","valueCode":"male"}]`), nobody, "twice"},
		{"insert after the end", operation("insert", "path", path("Patient.identifier"), "index", `"valueInteger":4`, "value", `"valueIdentifier":{"value":"4"}`), three, "the list has 3"},
		{"insert into what is no list", operation("insert", "path", path("Patient.birthDate"), "index", `"valueInteger":0`, "value", `"valueDate":"1930"`), nobody, "index is 0"},
		{"insert into a value", operation("insert", "path", path("Patient.identifier[0]"), "index", `"valueInteger":0`, "value", `"valueIdentifier":{"value":"4"}`), three, "name of a list"},
		{"delete several", operation("delete", "path", path("Patient.identifier")), three, "leads to 3"},
		{"delete the resource", operation("delete", "path", path("Patient")), three, "the resource itself"},
		{"replace nothing", operation("replace", "path", path("Patient.birthDate"), "value", `"valueDate":"1930"`), nobody, "leads to 0"},
		{"replace the resource", operation("replace", "path", path("Patient"), "value", `"resource":{"resourceType":"Patient"}`), nobody, "the resource itself"},
		{"replace by another type", operation("replace", "path", path("Patient.birthDate"), "value", `"valueDateTime":"1930"`), born, "of the type date"},
		{"move from nowhere", operation("move", "path", path("Patient.identifier"), "source", `"valueInteger":3`, "destination", `"valueInteger":0`), three, "the list has 3"},
		{"move what is no list", operation("move", "path", path("Patient.birthDate"), "source", `"valueInteger":0`, "destination", `"valueInteger":0`), born, "name of a list"},
		{"a condition that several fulfil", operation("delete", "path", path("Patient.name.where(given = 'A')")), `{"resourceType":"Patient","name":[{"given":["A","B"]},{"given":["A"]},{"given":["A"]}]}`, "leads to 2"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := apply(t, row.patch, row.before)
			var failure *patch.Failure
			if !errors.As(err, &failure) || !strings.Contains(failure.Why, row.why) {
				t.Errorf("%q, %v, want %q", got, err, row.why)
			}
		})
	}
}

// What is no patch is told where it stands.
func TestParsing(t *testing.T) {
	for _, row := range []struct{ name, body, path, expected string }{
		{"another resource", `{"resourceType":"Patient"}`, "resourceType", "Parameters"},
		{"nothing to do", `{"resourceType":"Parameters"}`, "Parameters.parameter", "at least one"},
		{"another parameter", `{"resourceType":"Parameters","parameter":[{"name":"x"}]}`, "Parameters.parameter[0].name", "operation"},
		{"no type", `{"resourceType":"Parameters","parameter":[{"name":"operation"}]}`, "Parameters.parameter[0]", "part type"},
		{"an unknown type", operation("merge", "path", path("Patient")), "Parameters.parameter[0]", "add, insert"},
		{"a part that is missing", operation("add", "path", path("Patient")), "Parameters.parameter[0]", "path, name, value"},
		{"a part too many", operation("delete", "path", path("Patient"), "name", path("x")), "Parameters.parameter[0]", "no others"},
		{"a part twice", operation("delete", "path", path("Patient"), "path", path("x")), "Parameters.parameter[0].part[2].name", "once"},
		{"a path that is no text", operation("delete", "path", `"valueInteger":1`), "Parameters.parameter[0].part[1]", "valueString"},
		{"an index below 0", operation("insert", "path", path("x"), "index", `"valueInteger":-1`, "value", `"valueString":"x"`), "Parameters.parameter[0].part[2]", "0 or more"},
		{"a value beside parts", operation("replace", "path", path("x"), "value", `"valueString":"x","part":[{"name":"y","valueString":"z"}]`), "Parameters.parameter[0].part[2]", "a value, a resource, or parts"},
		{"a value beside a resource", operation("replace", "path", path("x"), "value", `"valueString":"x","resource":{"resourceType":"Patient"}`), "Parameters.parameter[0].part[2]", "a value, a resource, or parts"},
		{"both, further down", operation("replace", "path", path("x"), "value", `"part":[{"name":"y","valueString":"z","part":[{"name":"a","valueString":"b"}]}]`), "Parameters.parameter[0].part[2].part[0]", "a value, a resource, or parts"},
		{"a path with parts", operation("delete", "path", `"valueString":"x","part":[{"name":"y","valueString":"z"}]`), "Parameters.parameter[0].part[1]", "a value, a resource, or parts"},
		{"an operation with a value", strings.Replace(operation("delete", "path", path("x")), `"name":"operation"`, `"name":"operation","valueString":"y"`, 1), "Parameters.parameter[0]", "a value, a resource, or parts"},
		{"no value", operation("replace", "path", path("x"), "value", `"id":"x"`), "Parameters.parameter[0].part[2]", "a value"},
		{"a path that leaves the resource", operation("delete", "path", path("Observation.subject.resolve().name")), "Parameters.parameter[0].part[1].valueString", "one of the functions"},
		{"a path that computes", operation("delete", "path", path("Patient.name | Patient.contact")), "Parameters.parameter[0].part[1].valueString", `"| Patient.contact"`},
		{"an empty path", operation("delete", "path", path("")), "Parameters.parameter[0].part[1].valueString", "name of an element"},
		{"a text without an end", operation("delete", "path", path("a.where(b = 'c)")), "Parameters.parameter[0].part[1].valueString", "quote"},
		{"an index without an end", operation("delete", "path", path("a[0")), "Parameters.parameter[0].part[1].valueString", "]"},
		{"a decimal", operation("delete", "path", path("a.where(b = 1.0)")), "Parameters.parameter[0].part[1].valueString", "whole number"},
		{"conditions in conditions", operation("delete", "path", path(strings.Repeat("a.where(", 20)+"b = 1"+strings.Repeat(" = 1)", 20))), "Parameters.parameter[0].part[1].valueString", "fewer"},
		{"a path without end", operation("delete", "path", path(strings.Repeat("a.", 600)+"a")), "Parameters.parameter[0].part[1].valueString", "at most"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r, err := fhir.ParseResource([]byte(row.body))
			if err != nil {
				t.Fatal(err)
			}
			_, err = patch.Parse(r)
			var faulty *fhir.ParseError
			if !errors.As(err, &faulty) || faulty.Path != row.path || !strings.Contains(faulty.Expected, row.expected) {
				t.Errorf("%v, want %s: %s", err, row.path, row.expected)
			}
		})
	}
}

// Conditions and escapes, as FHIRPath has them.
func TestPaths(t *testing.T) {
	resource := `{"resourceType":"Patient","multipleBirthInteger":2,"name":[{"family":"O'Neil","use":"official"},{"family":"A\nB","use":"usual"},{"family":"x","use":"usual"}],
		"contact":[{"name":{"family":"x"}}],"extension":[{"url":"urn:a","valueBoolean":true},{"url":"urn:b","valueInteger":7}]}`
	for path, pointer := range map[string]string{
		`Patient.name.where(family = 'O\'Neil')`:                       "/name/0",
		`Patient.name.where( family='A\nB' and use = 'usual' )`:        "/name/1",
		`name.where(use = 'usual').last()`:                             "/name/2",
		"`name`[1]":                                                    "/name/1",
		`Patient.name.where(family = '\u0078')`:                        "/name/2",
		`Patient.contact.where(name.family = 'x').name`:                "/contact",
		`Patient.extension('urn:b')`:                                   "/extension/1",
		`Patient.extension.where(value = true)`:                        "/extension/0",
		`Patient.extension.where(value = 7).value`:                     "/extension/1/valueInteger",
		`Patient.multipleBirth.ofType(FHIR.integer)`:                   "/multipleBirthInteger",
		`Patient.name.first()`:                                         "/name/0",
		`Resource.name.where(use.where(id = 'x') = 'official').family`: "",
		`Patient.name[7]`:                                              "",
		`Patient.multipleBirth.ofType(boolean)`:                        "",
		`Observation.name[0]`:                                          "",
		`Patient.name.where(use = true)`:                               "",
	} {
		r, _ := fhir.ParseResource([]byte(operation("delete", "path", `"valueString":`+quoted(path))))
		p, err := patch.Parse(r)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		current, _ := fhir.ParseResource([]byte(resource))
		for _, o := range p.Operations() {
			steps, err := o.Steps(current)
			got := ""
			if len(steps) > 0 {
				got = steps[0].Path
			}
			if err != nil || got != pointer {
				t.Errorf("%s: %q %v, want %q", path, got, err, pointer)
			}
		}
	}
}

// Whatever is sent, what is understood applies, and what comes of it stands under
// nothing but the names of R4.
func FuzzSteps(f *testing.F) {
	f.Add(operation("add", "path", path("Patient"), "name", path("birthDate"), "value", `"valueDate":"1930-01-01"`), nobody)
	f.Add(operation("delete", "path", path("Patient.contact.where(gender = 'male').name.text")), contact)
	f.Add(operation("replace", "path", path("Patient.name.given[1]"), "value", `"valueString":"B"`), given)
	f.Add(operation("move", "path", path("Patient.identifier"), "source", `"valueInteger":2`, "destination", `"valueInteger":0`), three)
	f.Add(operation("insert", "path", path("Patient.name[0].given"), "index", `"valueInteger":1`, "value", `"_valueString":{"id":"x"}`), given)
	f.Add(operation("add", "path", path("Patient.name.given[0]"), "name", path("extension"), "value", `"part":[{"name":"url","valueUri":"urn:x"},{"name":"value","valueString":"y"}]`), given)
	f.Fuzz(func(t *testing.T, parameters, resource string) {
		read, err := fhir.ParseResource([]byte(parameters))
		if err != nil {
			return
		}
		before, err := fhir.ParseResource([]byte(resource))
		if err != nil || len(structure.Check(before)) > 0 {
			return
		}
		p, err := patch.Parse(read)
		if err != nil {
			return
		}
		for _, o := range p.Operations() {
			steps, err := o.Steps(before)
			if err != nil || len(steps) == 0 {
				return
			}
			b, err := json.Marshal(steps)
			if err != nil {
				t.Fatal(err)
			}
			decoded, err := jsonpatch.DecodePatch(b)
			if err != nil {
				t.Fatalf("%s: %v", b, err)
			}
			changed, err := decoded.Apply([]byte(resource))
			if err != nil {
				t.Fatalf("%s does not apply to %s: %v", b, resource, err)
			}
			if _, err := fhir.ParseResource(changed); err != nil {
				t.Fatalf("%s makes no resource of %s: %v", b, resource, err)
			}
			return
		}
	})
}
