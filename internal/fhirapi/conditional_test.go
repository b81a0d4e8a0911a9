package fhirapi_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// identified is an Observation with an identifier.
func identified(patient, value string) string {
	return lab(patient, `,"identifier":[{"system":"urn:i","value":"`+value+`"}]`)
}

// Criteria are evaluated over what the caller may find: whether another patient has
// such a resource changes nothing.
//
// spec: RSX-05
// attack: B.67
func TestConditionalWrites(t *testing.T) {
	store := openStore(t, ward())
	fill(t, store, of(withID("a1", identified("alice", "one")), withID("b1", identified("bob", "one")), withID("b2", identified("bob", "hers")),
		withID("a2", identified("alice", "two")), withID("a3", identified("alice", "two")), withID("a4", identified("alice", "four"))))
	s := newSite(t, store, tokens{"alice": patient("alice", "patient/*.cruds"), "blind": patient("alice", "patient/Observation.cud"),
		"unread": patient("alice", "patient/Observation.cuds")})
	for _, row := range []struct {
		name, token, method, path, body string
		header                          []string
		status                          int
		holds                           string
	}{
		{"create: one is there", "alice", "POST", "/Observation", identified("alice", "one"), []string{"If-None-Exist", "identifier=urn:i|one"}, 200, `"id":"a1"`},
		{"create: as a URL", "alice", "POST", "/Observation", identified("alice", "one"), []string{"If-None-Exist", "Observation?identifier=urn:i|one"}, 200, `"id":"a1"`},
		{"create: another's is there", "alice", "POST", "/Observation", identified("alice", "hers"), []string{"If-None-Exist", "identifier=urn:i|hers"}, 201, `"versionId":"1"`},
		{"create: none is there", "alice", "POST", "/Observation", identified("alice", "new"), []string{"If-None-Exist", "identifier=urn:i|new"}, 201, `"versionId":"1"`},
		{"create: now it is", "alice", "POST", "/Observation", identified("alice", "new"), []string{"If-None-Exist", "identifier=urn:i|new"}, 200, `"value":"new"`},
		{"create: two are there", "alice", "POST", "/Observation", identified("alice", "two"), []string{"If-None-Exist", "identifier=urn:i|two"}, 412, "multiple-matches"},
		{"create: RSX-05 without s", "blind", "POST", "/Observation", identified("alice", "one"), []string{"If-None-Exist", "identifier=urn:i|one"}, 403, "search-type"},
		{"create: what is there cannot be read", "unread", "POST", "/Observation", identified("alice", "one"), []string{"If-None-Exist", "identifier=urn:i|one"}, 200, ""},
		{"create: twice", "alice", "POST", "/Observation", identified("alice", "one"), []string{"If-None-Exist", "identifier=x", "If-None-Exist", "identifier=y"}, 400, "once"},
		{"create: criteria that ask nothing", "alice", "POST", "/Observation", identified("alice", "one"), []string{"If-None-Exist", ""}, 400, "criteria"},
		{"create: a parameter that nobody knows", "alice", "POST", "/Observation", identified("alice", "one"), []string{"If-None-Exist", "nonsense=1"}, 400, "nonsense"},
		{"create: how an answer looks", "alice", "POST", "/Observation", identified("alice", "one"), []string{"If-None-Exist", "identifier=one&_include=Observation:subject"}, 400, "_include"},
		{"update: one", "alice", "PUT", "/Observation?identifier=urn:i|one", identified("alice", "one"), nil, 200, `"versionId":"2"`},
		{"update: one, by its id", "alice", "PUT", "/Observation?identifier=urn:i|one", withID("a1", identified("alice", "one")), nil, 200, `"versionId":"3"`},
		{"update: one, by another id", "alice", "PUT", "/Observation?identifier=urn:i|one", withID("a2", identified("alice", "one")), nil, 400, "another id"},
		{"update: none", "alice", "PUT", "/Observation?identifier=urn:i|none", identified("alice", "none"), nil, 404, "not-found"},
		{"update: another's", "alice", "PUT", "/Observation?_id=b2", identified("alice", "none"), nil, 404, "not-found"},
		{"update: two", "alice", "PUT", "/Observation?identifier=urn:i|two", identified("alice", "two"), nil, 412, "multiple-matches"},
		{"update: a wrong version", "alice", "PUT", "/Observation?identifier=urn:i|one", identified("alice", "one"), []string{"If-Match", `W/"9"`}, 412, "conflict"},
		{"patch: one", "alice", "PATCH", "/Observation?identifier=urn:i|one", `[{"op":"add","path":"/note","value":[{"text":"x"}]}]`, []string{"Content-Type", "application/json-patch+json"}, 200, `"text":"x"`},
		{"patch: two", "alice", "PATCH", "/Observation?identifier=urn:i|two", `[{"op":"add","path":"/note","value":[{"text":"x"}]}]`, []string{"Content-Type", "application/json-patch+json"}, 412, "multiple-matches"},
		{"delete: two", "alice", "DELETE", "/Observation?identifier=urn:i|two", "", nil, 412, "multiple-matches"},
		{"delete: one", "alice", "DELETE", "/Observation?identifier=urn:i|four", "", nil, 204, ""},
		{"delete: none", "alice", "DELETE", "/Observation?identifier=urn:i|four", "", nil, 404, "not-found"},
		{"delete: another's", "alice", "DELETE", "/Observation?_id=b1", "", nil, 404, "not-found"},
	} {
		t.Run(row.name, func(t *testing.T) {
			header := row.header
			if !strings.Contains(strings.Join(header, " "), "Content-Type") {
				header = append([]string{"Content-Type", fhirJSON}, header...)
			}
			got := s.send(t, row.token, row.method, row.path, row.body, header...)
			if got.status != row.status || !strings.Contains(got.body, row.holds) || row.holds == "" && got.body != "" {
				t.Errorf("%d %s, want %d with %s", got.status, got.body, row.status, row.holds)
			}
		})
	}
	if _, ids := s.find(t, "alice", "/Observation?identifier=urn:i|two"); len(ids) != 2 {
		t.Errorf("of two, something was deleted: %v", ids)
	}
	hidden := s.put(t, "alice", "PUT", "/Observation?identifier=urn:i|hers2", identified("alice", "hers2"))
	missing := s.put(t, "alice", "PUT", "/Observation?_id=b2", identified("alice", "hers2"))
	if d := cmp.Diff(missing, hidden, cmp.AllowUnexported(answer{})); d != "" {
		t.Errorf("hidden differs from missing:\n%s", d)
	}
}

// A JSON Patch is an update of what is there, judged as one.
//
// spec: RSX-06, RSX-24
// attack: B.65
func TestPatch(t *testing.T) {
	store := openStore(t, ward())
	fill(t, store, of(withID("precise", lab("alice", `,"valueQuantity":{"value":5.40,"unit":"mg"},"meta":{"security":[{"code":"R"}]}`))))
	s := newSite(t, store, tokens{"alice": patient("alice", "patient/*.cruds"), "blind": patient("alice", "patient/Observation.u"),
		"lab": patient("alice", "patient/Observation.u?category="+categories+"|laboratory", "patient/Observation.r")})
	for _, row := range []struct {
		name, token, path, body string
		status                  int
		holds                   string
	}{
		{"what is not patched stays to the digit", "alice", "precise", `[{"op":"test","path":"/valueQuantity/value","value":5.40},{"op":"replace","path":"/valueQuantity/unit","value":"g"}]`, 200, `"value":5.40,"unit":"g"`},
		{"a test that does not hold", "alice", "precise", `[{"op":"test","path":"/status","value":"amended"},{"op":"remove","path":"/category"}]`, 422, "does not apply"},
		{"a number in another precision is another number", "alice", "precise", `[{"op":"test","path":"/valueQuantity/value","value":5.4}]`, 422, "does not apply"},
		{"a path that is not there", "alice", "precise", `[{"op":"remove","path":"/note"}]`, 422, "does not apply"},
		{"an index from the end", "alice", "precise", `[{"op":"remove","path":"/category/-1"}]`, 422, "does not apply"},
		{"what comes of it is not FHIR", "alice", "precise", `[{"op":"add","path":"/colour","value":"red"}]`, 400, "Observation.colour"},
		{"B.77 a name twice", "alice", "precise", `[{"op":"add","path":"/note","value":[{"text":"x","text":"y"}]}]`, 400, "JSON Patch"},
		{"no list", "alice", "precise", `{"op":"add","path":"/note","value":1}`, 400, "JSON Patch"},
		{"a test with null in a list", "alice", "precise", `[{"op":"test","path":"/category","value":[null]}]`, 422, "does not apply"},
		{"a test of nothing against null", "alice", "precise", `[{"op":"test","path":"/note","value":null}]`, 422, "does not apply"},
		{"a test without a value", "alice", "precise", `[{"op":"test","path":"/status"}]`, 400, "JSON Patch"},
		{"no steps", "alice", "precise", `[]`, 400, "JSON Patch"},
		{"an operation that nobody knows", "alice", "precise", `[{"op":"merge","path":"/note"}]`, 400, "JSON Patch"},
		{"B.65 another subject", "alice", "precise", `[{"op":"replace","path":"/subject/reference","value":"Patient/bob"}]`, 403, "about"},
		{"another type", "alice", "precise", `[{"op":"replace","path":"/resourceType","value":"Condition"}]`, 400, "not of the type"},
		{"another id", "alice", "precise", `[{"op":"replace","path":"/id","value":"other"}]`, 400, "Observation.id"},
		{"B.72 labels stay", "alice", "precise", `[{"op":"remove","path":"/meta"}]`, 200, `"security":[{"code":"R"}]`},
		{"another's", "alice", "b-lab", `[{"op":"test","path":"/status","value":"final"},{"op":"add","path":"/note","value":[{"text":"x"}]}]`, 404, "not-found"},
		{"nobody's", "alice", "none", `[{"op":"add","path":"/note","value":[{"text":"x"}]}]`, 404, "not-found"},
		{"B.65 a test by who does not read", "blind", "a-lab", `[{"op":"test","path":"/status","value":"final"}]`, 403, "does not read"},
		{"B.65 that does not hold", "blind", "a-lab", `[{"op":"test","path":"/status","value":"amended"}]`, 403, "does not read"},
		{"RSX-24 out of the scope", "lab", "a-lab", `[{"op":"replace","path":"/category/0/coding/0/code","value":"vital-signs"}]`, 403, "reach"},
		{"RSX-24 into the scope", "lab", "a-vital", `[{"op":"replace","path":"/category/0/coding/0/code","value":"laboratory"}]`, 403, "does not change"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := s.send(t, row.token, "PATCH", "/Observation/"+row.path, row.body, "Content-Type", "application/json-patch+json")
			if got.status != row.status || !strings.Contains(got.body, row.holds) {
				t.Errorf("%d %s, want %d with %s", got.status, got.body, row.status, row.holds)
			}
		})
	}
	for _, media := range []string{"application/merge-patch+json", "application/fhir+xml", "application/json"} {
		if got := s.send(t, "alice", "PATCH", "/Observation/precise", `{}`, "Content-Type", media); got.status != 415 {
			t.Errorf("%s: %d %s", media, got.status, got.body)
		}
	}
}

// A FHIRPath Patch is an update of what is there, judged as one, too.
//
// spec: RSX-06, RSX-24
// attack: B.65
func TestPathPatch(t *testing.T) {
	store := openStore(t, ward())
	fill(t, store, of(withID("precise", lab("alice", `,"valueQuantity":{"value":5.40,"unit":"mg"},"meta":{"security":[{"code":"R"}]}`))))
	s := newSite(t, store, tokens{"alice": patient("alice", "patient/*.cruds"), "blind": patient("alice", "patient/Observation.u"),
		"lab": patient("alice", "patient/Observation.u?category="+categories+"|laboratory", "patient/Observation.r")})
	operations := func(list ...string) string {
		return `{"resourceType":"Parameters","parameter":[` + strings.Join(list, ",") + `]}`
	}
	operation := func(kind, path, rest string) string {
		return `{"name":"operation","part":[{"name":"type","valueCode":"` + kind + `"},{"name":"path","valueString":"` + path + `"}` + rest + `]}`
	}
	value := func(v string) string { return `,{"name":"value",` + v + `}` }
	note := operation("add", "Observation", `,{"name":"name","valueString":"note"}`+value(`"valueAnnotation":{"text":"x"}`))
	for _, row := range []struct {
		name, token, path, body string
		status                  int
		holds                   string
	}{
		{"what is not patched stays to the digit", "alice", "precise", operations(operation("replace", "Observation.value.unit", value(`"valueString":"g"`))), 200, `"value":5.40,"unit":"g"`},
		{"one after the other", "alice", "precise", operations(note, operation("replace", "Observation.note[0].text", value(`"valueMarkdown":"<y>"`))), 200, `"note":[{"text":"<y>"}]`},
		{"all or nothing", "alice", "precise", operations(operation("delete", "Observation.note", ""), operation("replace", "Observation.issued", value(`"valueInstant":"2026-01-01T00:00:00Z"`))), 422, "Parameters.parameter[1]"},
		{"so the note is there", "alice", "precise", operations(operation("replace", "Observation.note.where(text = '<y>').text", value(`"valueMarkdown":"z"`))), 200, `"note":[{"text":"z"}]`},
		{"what comes of it is not FHIR", "alice", "precise", operations(operation("delete", "Observation.status", "")), 400, "Observation.status"},
		{"a patch that is not FHIR", "alice", "precise", operations(`{"name":"operation","part":[{"name":"type","valueCode":5}]}`), 400, "Parameters.parameter[0].part[0].valueCode"},
		{"B.77 a name twice", "alice", "precise", `{"resourceType":"Parameters","parameter":[],"parameter":[]}`, 400, "every name once"},
		{"no operations", "alice", "precise", `{"resourceType":"Parameters"}`, 400, "at least one operation"},
		{"no Parameters", "alice", "precise", lab("alice", ""), 400, "FHIRPath Patch"},
		{"too many operations", "alice", "precise", operations(strings.Split(strings.Repeat(note+"|", 101), "|")[:101]...), 413, "100"},
		{"B.65 another subject", "alice", "precise", operations(operation("replace", "Observation.subject.reference", value(`"valueString":"Patient/bob"`))), 403, "about"},
		{"another id", "alice", "precise", operations(operation("replace", "Observation.id", value(`"valueString":"other"`))), 400, "Observation.id"},
		{"B.72 labels stay", "alice", "precise", operations(operation("delete", "Observation.meta.security", "")), 200, `"security":[{"code":"R"}]`},
		{"another's", "alice", "b-lab", operations(note), 404, "not-found"},
		{"nobody's", "alice", "none", operations(note), 404, "not-found"},
		{"B.65 a path is a test, by who does not read", "blind", "a-lab", operations(operation("delete", "Observation.where(status = 'final').note", "")), 403, "does not read"},
		{"B.65 that does not hold", "blind", "a-lab", operations(operation("replace", "Observation.where(status = 'amended').note", value(`"valueAnnotation":{"text":"x"}`))), 403, "does not read"},
		{"RSX-24 out of the scope", "lab", "a-lab", operations(operation("replace", "Observation.category.coding.code", value(`"valueCode":"vital-signs"`))), 403, "reach"},
		{"RSX-24 into the scope", "lab", "a-vital", operations(operation("replace", "Observation.category.coding.code", value(`"valueCode":"laboratory"`))), 403, "does not change"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := s.send(t, row.token, "PATCH", "/Observation/"+row.path, row.body, "Content-Type", fhirJSON)
			if got.status != row.status || !strings.Contains(got.body, row.holds) {
				t.Errorf("%d %s, want %d with %s", got.status, got.body, row.status, row.holds)
			}
		})
	}
	got := s.send(t, "alice", "POST", "/", `{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"PATCH","url":"Observation/a-lab"},"resource":`+operations(note)+`}]}`, "Content-Type", fhirJSON)
	if got.status != 200 || !strings.Contains(got.body, `"status":"200`) || !strings.Contains(got.body, `"note":[{"text":"x"}]`) {
		t.Errorf("in a batch: %d %s", got.status, got.body)
	}
}

// $validate says where a resource is not built as R4 defines it, and looks nothing up.
//
// attack: B.90
func TestValidate(t *testing.T) {
	backend := &spy{Backend: openStore(t, ward())}
	s := newSite(t, backend, tokens{"alice": patient("alice", "patient/*.cruds"), "u": patient("alice", "patient/Patient.u")})
	for _, row := range []struct {
		name, token, method, path, body string
		status                          int
		holds                           string
	}{
		{"sound", "alice", "POST", "/Observation/$validate", lab("alice", ""), 200, `"severity":"information"`},
		{"about somebody else", "alice", "POST", "/Observation/$validate", lab("bob", ""), 200, `"severity":"information"`},
		{"not sound", "alice", "POST", "/Observation/$validate", `{"resourceType":"Observation"}`, 200, `"severity":"error"`},
		{"a type that is only changed", "u", "POST", "/Patient/$validate", `{"resourceType":"Patient"}`, 200, `"severity":"information"`},
		{"a foreign profile", "alice", "POST", "/Observation/$validate?profile=https://evil.test/p", lab("alice", ""), 400, "no profile"},
		{"another type", "alice", "POST", "/Observation/$validate", `{"resourceType":"Patient"}`, 400, "not of the type"},
		{"no JSON", "alice", "POST", "/Observation/$validate", `{`, 400, "JSON"},
		{"by GET", "alice", "GET", "/Observation/$validate", "", 405, "POST"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := s.put(t, row.token, row.method, row.path, row.body)
			if got.status != row.status || !strings.Contains(got.body, row.holds) {
				t.Errorf("%d %s", got.status, got.body)
			}
		})
	}
	if backend.calls > 0 {
		t.Errorf("%d calls reached the backend", backend.calls)
	}
}
