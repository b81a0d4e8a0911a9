package fhirapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/access"
)

const fhirJSON = "application/fhir+json"

// put sends a resource.
func (s *site) put(t testing.TB, token, method, path, body string, header ...string) answer {
	t.Helper()
	return s.send(t, token, method, path, body, append([]string{"Content-Type", fhirJSON}, header...)...)
}

// lab is a laboratory result of a patient without an id; more are members.
func lab(patient, more string) string { return coded(patient, "laboratory", more) }

func coded(patient, category, more string) string {
	return `{"resourceType":"Observation","status":"final","code":{"text":"x"},"category":[{"coding":[{"system":"` + categories + `","code":"` + category + `"}]}],` +
		`"subject":{"reference":"Patient/` + patient + `"}` + more + `}`
}

// withID gives a resource an id.
func withID(id, text string) string { return strings.Replace(text, `{`, `{"id":"`+id+`",`, 1) }

// made creates a resource and gives its id.
func (s *site) made(t testing.TB, token, kind, body string) string {
	t.Helper()
	got := s.put(t, token, http.MethodPost, "/"+kind, body)
	if got.status != http.StatusCreated {
		t.Fatalf("%s: %d %s", body, got.status, got.body)
	}
	rest, ok := strings.CutPrefix(got.header.Get("Location"), base+"/"+kind+"/")
	id, version, _ := strings.Cut(rest, "/_history/")
	if !ok || version != "1" || len(id) < 20 {
		t.Fatalf("Location: %q", got.header.Get("Location"))
	}
	return id
}

// From creation to deletion, with what is told on the way.
//
// spec: RSX-04, RSX-06, RSX-07, RSX-11, SCOPE-13, RS-15
// attack: B.69, B.79
func TestALife(t *testing.T) {
	s := newSite(t, openStore(t, ward()), tokens{"alice": patient("alice", "patient/*.cruds"), "bob": patient("bob", "patient/*.cruds")})
	created := s.put(t, "alice", "POST", "/Observation", withID("chosen", lab("alice", `,"valueQuantity":{"value":5.40,"extension":[{"url":"urn:x","valueString":"y"}]}`)))
	location := created.header.Get("Location")
	path := strings.TrimSuffix(strings.TrimPrefix(location, base), "/_history/1")
	if created.status != 201 || strings.Contains(location, "chosen") || created.header.Get("ETag") != `W/"1"` || created.header.Get("Last-Modified") == "" {
		t.Fatalf("%d %v %s", created.status, created.header, created.body)
	}
	if !strings.Contains(created.body, `"value":5.40,"extension"`) || !strings.Contains(created.body, `"versionId":"1"`) {
		t.Errorf("stored otherwise: %s", created.body)
	}
	id := strings.TrimPrefix(path, "/Observation/")
	step := func(name string, got answer, status int, tag string) {
		t.Helper()
		if got.status != status || tag != "" && got.header.Get("ETag") != tag {
			t.Errorf("%s: %d %v %s", name, got.status, got.header, got.body)
		}
	}
	step("read", s.get(t, "alice", path), 200, `W/"1"`)
	step("another's token", s.get(t, "bob", path), 404, "")
	updated := withID(id, lab("alice", `,"note":[{"text":"seen"}]`))
	step("an old version is expected", s.put(t, "alice", "PUT", path, updated, "If-Match", `W/"7"`), 412, "")
	step("another's token updates", s.put(t, "bob", "PUT", path, updated), 404, "")
	step("update", s.put(t, "alice", "PUT", path, updated, "If-Match", `W/"1"`), 200, `W/"2"`)
	step("update of whatever is there", s.put(t, "alice", "PUT", path, updated, "If-Match", "*"), 200, `W/"3"`)
	step("the first version", s.get(t, "alice", path+"/_history/1"), 200, `W/"1"`)
	step("another's token deletes", s.send(t, "bob", "DELETE", path, ""), 404, "")
	step("delete of an old version", s.send(t, "alice", "DELETE", path, "", "If-Match", `W/"2"`), 412, "")
	step("delete", s.send(t, "alice", "DELETE", path, "", "If-Match", `W/"3"`), 204, `W/"4"`)
	step("delete once more", s.send(t, "alice", "DELETE", path, ""), 204, `W/"4"`)
	step("read of what was deleted", s.get(t, "alice", path), 410, "")
	step("another's token reads it", s.get(t, "bob", path), 404, "")
	step("another's token deletes it", s.send(t, "bob", "DELETE", path, ""), 404, "")
	step("update of what was deleted", s.put(t, "alice", "PUT", path, updated), 410, "")
	step("another's token updates it", s.put(t, "bob", "PUT", path, updated), 404, "")
	step("a version before", s.get(t, "alice", path+"/_history/2"), 200, `W/"2"`)
	step("another's token reads that", s.get(t, "bob", path+"/_history/2"), 404, "")
	step("the deletion", s.get(t, "alice", path+"/_history/4"), 410, "")
	if _, ids := s.find(t, "alice", "/Observation?_id="+id); len(ids) > 0 {
		t.Errorf("found: %v", ids)
	}
}

// What the answer to a write holds: never more than the caller may read.
//
// spec: RSX-22
// attack: B.68
func TestPrefer(t *testing.T) {
	s := newSite(t, openStore(t, ward()), tokens{
		"all": patient("alice", "patient/*.cruds"), "c": patient("alice", "patient/Observation.cu"),
		"some": patient("alice", "patient/Observation.cu", "patient/Observation.r?category="+categories+"|laboratory"),
	})
	for _, row := range []struct {
		name, token, prefer, body string
		want                      string // "", the type of the body
	}{
		{"nothing is preferred", "all", "", lab("alice", ""), "Observation"},
		{"the resource", "all", "return=representation", lab("alice", ""), "Observation"},
		{"the resource, among others", "all", `respond-async, return="representation"; handling=strict`, lab("alice", ""), "Observation"},
		{"nothing", "all", "return=minimal", lab("alice", ""), ""},
		{"an outcome", "all", "return=OperationOutcome", lab("alice", ""), "OperationOutcome"},
		{"what nobody knows", "all", "return=everything", lab("alice", ""), "Observation"},
		{"RSX-22 no reading", "c", "return=representation", lab("alice", ""), ""},
		{"RSX-22 no reading, an outcome", "c", "return=OperationOutcome", lab("alice", ""), "OperationOutcome"},
		{"RSX-22 reading of this", "some", "return=representation", lab("alice", ""), "Observation"},
		{"RSX-22 reading of others", "some", "return=representation", coded("alice", "vital-signs", ""), ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			var header []string
			if row.prefer != "" {
				header = []string{"Prefer", row.prefer}
			}
			got := s.put(t, row.token, "POST", "/Observation", row.body, header...)
			var shown struct{ ResourceType string }
			if got.body != "" {
				if err := json.Unmarshal([]byte(got.body), &shown); err != nil {
					t.Fatal(err)
				}
			}
			if got.status != 201 || got.header.Get("Location") == "" || shown.ResourceType != row.want {
				t.Errorf("%d %q %q", got.status, got.header.Get("Location"), got.body)
			}
		})
	}
}

// Whom a write may be about, before and after.
//
// spec: RSP-20, RSX-23, RSX-24, RSX-25, RSP-07
// attack: B.60, B.62, B.63, B.72, B.73, B.91
func TestWritesStayInTheRecord(t *testing.T) {
	const labs = "patient/Observation.cud?category=" + categories + "|laboratory"
	s := newSite(t, openStore(t, ward()), tokens{
		"alice": patient("alice", "patient/*.cruds"), "lab": patient("alice", labs, "patient/Observation.r"),
		"doctor": clinician([]string{"user/*.cruds"}, "alice", "bob"),
	})
	for _, row := range []struct {
		name, token, method, path, body string
		status                          int
	}{
		{"RSP-20 for another", "alice", "POST", "/Observation", lab("bob", ""), 403},
		{"RSP-20 for nobody", "alice", "POST", "/Observation", `{"resourceType":"Observation","status":"final","code":{"text":"x"}}`, 403},
		{"RSP-20 by an identifier", "alice", "POST", "/Observation", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"identifier":{"value":"alice"}}}`, 403},
		{"RSP-20 on another server", "alice", "POST", "/Observation", strings.Replace(lab("alice", ""), "Patient/alice", "https://other.test/fhir/Patient/alice", 1), 403},
		{"RSP-20 contained", "alice", "POST", "/Observation", strings.Replace(lab("alice", `,"contained":[{"resourceType":"Patient","id":"alice"}]`), "Patient/alice", "#alice", 1), 403},
		{"RSX-24 outside of the constraint", "lab", "POST", "/Observation", coded("alice", "vital-signs", ""), 403},
		{"RSX-24 into it", "lab", "PUT", "/Observation/a-vital", withID("a-vital", lab("alice", "")), 403},
		{"RSX-24 out of it", "lab", "PUT", "/Observation/a-lab", withID("a-lab", coded("alice", "vital-signs", "")), 403},
		{"RSX-23 taking over", "alice", "PUT", "/Observation/b-lab", withID("b-lab", lab("alice", "")), 404},
		{"RSX-23 giving away", "alice", "PUT", "/Observation/a-lab", withID("a-lab", lab("bob", "")), 403},
		{"RSX-23 moving between two of a clinician", "doctor", "PUT", "/Observation/a-lab", withID("a-lab", lab("bob", "")), 403},
		{"RSX-23 out of every record", "alice", "PUT", "/Observation/a-lab", `{"resourceType":"Observation","id":"a-lab","status":"final","code":{"text":"x"}}`, 403},
		{"B.64 no update creates", "alice", "PUT", "/Observation/brand-new", withID("brand-new", lab("alice", "")), 404},
		{"B.73 another practitioner", "alice", "PUT", "/Patient/alice", `{"resourceType":"Patient","id":"alice","generalPractitioner":[{"reference":"Practitioner/p2"}]}`, 403},
		{"B.91 a link", "alice", "PUT", "/Patient/alice", `{"resourceType":"Patient","id":"alice","generalPractitioner":[{"reference":"Practitioner/p1"}],"link":[{"other":{"reference":"Patient/bob"},"type":"seealso"}]}`, 403},
		{"the own name", "alice", "PUT", "/Patient/alice", `{"resourceType":"Patient","id":"alice","name":[{"family":"Eve"}],"generalPractitioner":[{"reference":"Practitioner/p1"}]}`, 200},
		{"by a clinician", "doctor", "POST", "/Observation", lab("bob", ""), 201},
	} {
		t.Run(row.name, func(t *testing.T) {
			kind, _, _ := strings.Cut(strings.TrimPrefix(row.path, "/"), "/")
			before := s.everything(t)
			got := s.put(t, row.token, row.method, row.path, row.body)
			if got.status != row.status {
				t.Errorf("%d %s, want %d", got.status, got.body, row.status)
			}
			if after := s.everything(t); (before != after) != (row.status < 300) {
				t.Errorf("%s: something changed, or nothing: %s", kind, cmp.Diff(before, after))
			}
		})
	}
	t.Run("B.72 labels stay", func(t *testing.T) {
		id := s.made(t, "alice", "Observation", lab("alice", `,"meta":{"security":[{"system":"urn:s","code":"R"}],"tag":[{"code":"keep"}],"profile":["urn:old"]}`))
		got := s.put(t, "alice", "PUT", "/Observation/"+id, withID(id, lab("alice", `,"meta":{"security":[{"code":"U"}],"profile":["urn:new"],"versionId":"99"}`)))
		for _, kept := range []string{`"security":[{"system":"urn:s","code":"R"}]`, `"tag":[{"code":"keep"}]`, `"profile":["urn:new"]`, `"versionId":"2"`} {
			if !strings.Contains(got.body, kept) {
				t.Errorf("no %s: %d %s", kept, got.status, got.body)
			}
		}
	})
}

// everything is what the two patients' records hold.
func (s *site) everything(t testing.TB) string {
	t.Helper()
	var all strings.Builder
	for _, path := range []string{"/Observation?_count=200", "/Patient", "/Provenance", "/_history?_count=200"} {
		got := s.get(t, "doctor", path)
		if got.status != 200 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		all.WriteString(got.body)
	}
	return all.String()
}

// What a new reference may name: hidden and missing are one answer, to the byte.
//
// spec: RSX-25
// attack: B.61, B.83
func TestReferences(t *testing.T) {
	store := openStore(t, ward())
	fill(t, store, of(
		`{"resourceType":"Binary","id":"bob-file","contentType":"text/plain","securityContext":{"reference":"Patient/bob"}}`,
		`{"resourceType":"Binary","id":"alice-file","contentType":"text/plain","securityContext":{"reference":"Patient/alice"}}`,
		`{"resourceType":"Binary","id":"orphan","contentType":"text/plain"}`,
		`{"resourceType":"Group","id":"g","type":"person","actual":true}`,
		withID("linked", lab("alice", `,"hasMember":[{"reference":"Observation/b-lab"}]`)),
	))
	s := newSite(t, store, tokens{
		"alice": patient("alice", "patient/*.cruds"), "narrow": patient("alice", "patient/Observation.cu"),
		"self": patient("alice", "openid", "fhirUser", "patient/Observation.cu"), "doctor": clinician([]string{"user/*.cruds"}, "alice", "bob"),
	})
	document := func(url string) string {
		return `{"resourceType":"DocumentReference","status":"current","subject":{"reference":"Patient/alice"},"content":[{"attachment":{"url":"` + url + `"}}]}`
	}
	member := func(ref string) string { return lab("alice", `,"hasMember":[{"reference":"`+ref+`"}]`) }
	provenance := func(targets string) string {
		return `{"resourceType":"Provenance","recorded":"2026-01-05T09:00:00Z","agent":[{"who":{"display":"x"}}],"target":[` + targets + `]}`
	}
	ref := func(text string) string { return `{"reference":"` + text + `"}` }
	for _, row := range []struct {
		name, token, kind, hidden, missing string
	}{
		{"an observation", "alice", "Observation", member("Observation/b-lab"), member("Observation/none")},
		{"by our own URL", "alice", "Observation", member(base + "/Observation/b-lab"), member(base + "/Observation/none")},
		{"a version", "alice", "Observation", member("Observation/b-lab/_history/1"), member("Observation/none/_history/1")},
		{"a patient as performer", "alice", "Observation", lab("alice", `,"performer":[`+ref("Patient/bob")+`]`), lab("alice", `,"performer":[`+ref("Patient/none")+`]`)},
		{"a closed type", "alice", "Observation", lab("alice", `,"focus":[`+ref("Group/g")+`]`), lab("alice", `,"focus":[`+ref("Group/none")+`]`)},
		{"inside of a contained resource", "alice", "Observation",
			lab("alice", `,"contained":[{"resourceType":"Observation","id":"c","status":"final","code":{"text":"x"},"hasMember":[`+ref("Observation/b-lab")+`]}]`),
			lab("alice", `,"contained":[{"resourceType":"Observation","id":"c","status":"final","code":{"text":"x"},"hasMember":[`+ref("Observation/none")+`]}]`)},
		{"in an extension", "alice", "Observation", lab("alice", `,"extension":[{"url":"urn:x","valueReference":`+ref("Observation/b-lab")+`}]`), lab("alice", `,"extension":[{"url":"urn:x","valueReference":`+ref("Observation/none")+`}]`)},
		{"a file", "alice", "DocumentReference", document("Binary/bob-file"), document("Binary/none")},
		{"a file by our own URL", "alice", "DocumentReference", document(base + "/Binary/bob-file"), document(base + "/Binary/none")},
		{"a file of nobody", "alice", "DocumentReference", document("Binary/orphan"), document("Binary/none")},
		{"the target of a provenance", "alice", "Provenance", provenance(ref("Observation/a-lab") + "," + ref("Observation/b-lab")), provenance(ref("Observation/a-lab") + "," + ref("Observation/none"))},
		{"the only target of one", "alice", "Provenance", provenance(ref("Observation/b-lab")), provenance(ref("Observation/none"))},
		{"a security context", "alice", "Binary", `{"resourceType":"Binary","contentType":"text/plain","securityContext":` + ref("Observation/b-lab") + `}`,
			`{"resourceType":"Binary","contentType":"text/plain","securityContext":` + ref("Observation/none") + `}`},
		{"a type without a scope", "narrow", "Observation", lab("alice", `,"performer":[`+ref("Practitioner/p1")+`]`), lab("alice", `,"performer":[`+ref("Practitioner/none")+`]`)},
	} {
		t.Run(row.name, func(t *testing.T) {
			hidden, missing := s.put(t, row.token, "POST", "/"+row.kind, row.hidden), s.put(t, row.token, "POST", "/"+row.kind, row.missing)
			if hidden.status != 422 {
				t.Errorf("%d %s", hidden.status, hidden.body)
			}
			if d := cmp.Diff(missing, hidden, cmp.AllowUnexported(answer{})); d != "" {
				t.Errorf("hidden differs from missing:\n%s", d)
			}
		})
	}
	for _, row := range []struct{ name, token, method, path, body string }{
		{"an own observation", "alice", "POST", "/Observation", member("Observation/a-lab")},
		{"the directory", "alice", "POST", "/Observation", lab("alice", `,"performer":[`+ref("Practitioner/p1")+`]`)},
		{"elsewhere", "alice", "POST", "/Observation", member("https://other.test/fhir/Observation/b-lab")},
		{"whom it is about, without a scope on Patient", "narrow", "POST", "/Observation", lab("alice", "")},
		{"who logged in, without a scope on Patient", "self", "POST", "/Observation", lab("alice", `,"performer":[`+ref("Patient/alice")+`]`)},
		{"an own file", "alice", "POST", "/DocumentReference", document("Binary/alice-file")},
		{"a provenance of one's own", "alice", "POST", "/Provenance", provenance(ref("Observation/a-lab"))},
		{"what was there before", "alice", "PUT", "/Observation/linked", withID("linked", lab("alice", `,"hasMember":[{"reference":"Observation/b-lab"}],"note":[{"text":"x"}]`))},
		{"a file in the own record", "alice", "POST", "/Binary", `{"resourceType":"Binary","contentType":"text/plain","data":"aGk=","securityContext":` + ref("Patient/alice") + `}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := s.put(t, row.token, row.method, row.path, row.body); got.status >= 300 {
				t.Errorf("%d %s", got.status, got.body)
			}
		})
	}
	for _, row := range []struct {
		name, token, kind, body string
		status                  int
	}{
		{"a file of no record", "alice", "Binary", `{"resourceType":"Binary","contentType":"text/plain"}`, 403},
		{"a provenance of the directory alone", "alice", "Provenance", provenance(ref("Practitioner/p1")), 403},
		{"a file attached by two records", "doctor", "DocumentReference", strings.Replace(document("Binary/free"), "Patient/alice", "Patient/bob", 1), 422},
	} {
		t.Run(row.name, func(t *testing.T) {
			fill(t, store, of(`{"resourceType":"Binary","id":"free","contentType":"text/plain"}`, withID("d", document("Binary/free"))))
			if got := s.put(t, row.token, "POST", "/"+row.kind, row.body); got.status != row.status {
				t.Errorf("%d %s", got.status, got.body)
			}
		})
	}
}

// Bad bodies and headers: the status, where, and what was expected.
//
// spec: RS-16
// attack: B.71, B.77, B.78
func TestBadWrites(t *testing.T) {
	s := newSite(t, openStore(t, ward()), tokens{"alice": patient("alice", "patient/*.cruds")})
	good := withID("a-lab", lab("alice", ""))
	for _, row := range []struct {
		name, method, path, body string
		header                   []string
		status                   int
		says                     string
	}{
		{"B.77 duplicate keys", "PUT", "/Observation/a-lab", strings.Replace(good, `"subject"`, `"subject":{"reference":"Patient/alice"},"subject"`, 1), nil, 400, "every name once"},
		{"B.77 a key in another case", "PUT", "/Observation/a-lab", strings.Replace(good, `"subject"`, `"Subject"`, 1), nil, 400, "Observation.Subject"},
		{"B.77 a byte order mark", "PUT", "/Observation/a-lab", "\xef\xbb\xbf" + good, nil, 400, "byte order mark"},
		{"B.77 not UTF-8", "PUT", "/Observation/a-lab", strings.Replace(good, `"x"`, "\"\xff\"", 1), nil, 400, "UTF-8"},
		{"B.77 no JSON", "PUT", "/Observation/a-lab", "<Observation/>", nil, 400, "one JSON object"},
		{"B.77 nothing", "PUT", "/Observation/a-lab", "", nil, 400, "one JSON object"},
		{"B.77 something behind it", "PUT", "/Observation/a-lab", good + "{}", nil, 400, "nothing after"},
		{"B.77 a number of thousands of digits", "POST", "/Observation", lab("alice", `,"valueQuantity":{"value":`+strings.Repeat("9", 5000)+`}`), nil, 400, "400 digits"},
		{"B.77 a fraction of thousands of digits", "PUT", "/Observation/a-lab", withID("a-lab", lab("alice", `,"valueQuantity":{"value":0.`+strings.Repeat("0", 5000)+`1}`)), nil, 400, "valueQuantity.value"},
		{"B.77 an exponent that few programs read", "PUT", "/Observation/a-lab", withID("a-lab", lab("alice", `,"valueQuantity":{"value":1e999999}`)), nil, 400, "400 digits"},
		{"B.78 another type", "PUT", "/Observation/a-lab", `{"resourceType":"Condition","id":"a-lab"}`, nil, 400, "not of the type"},
		{"B.78 another id", "PUT", "/Observation/a-lab", withID("a-vital", lab("alice", "")), nil, 400, "Observation.id"},
		{"B.78 no id", "PUT", "/Observation/a-lab", lab("alice", ""), nil, 400, "Observation.id"},
		{"a mandatory element", "POST", "/Observation", `{"resourceType":"Observation","subject":{"reference":"Patient/alice"}}`, nil, 400, "Observation.status"},
		{"a second finding", "POST", "/Observation", `{"resourceType":"Observation","subject":{"reference":"Patient/alice"}}`, nil, 400, "Observation.code"},
		{"a code", "POST", "/Observation", strings.Replace(lab("alice", ""), "final", "done", 1), nil, 400, "observation-status"},
		{"another format", "PUT", "/Observation/a-lab", good, []string{"Content-Type", "application/fhir+xml"}, 415, "application/fhir+json"},
		{"no format", "PUT", "/Observation/a-lab", good, []string{"Content-Type", ""}, 415, "application/fhir+json"},
		{"another character set", "PUT", "/Observation/a-lab", good, []string{"Content-Type", "application/fhir+json; charset=latin1"}, 415, "UTF-8"},
		{"a compressed body", "PUT", "/Observation/a-lab", good, []string{"Content-Type", fhirJSON, "Content-Encoding", "gzip"}, 415, "Content-Encoding"},
		{"too large", "PUT", "/Observation/a-lab", strings.Repeat(" ", 4<<20) + good, nil, 413, "4 MB"},
		{"a bad If-Match", "PUT", "/Observation/a-lab", good, []string{"Content-Type", fhirJSON, "If-Match", "1"}, 400, "If-Match"},
		{"a list in If-Match", "PUT", "/Observation/a-lab", good, []string{"Content-Type", fhirJSON, "If-Match", `W/"1", W/"2"`}, 400, "If-Match"},
		{"two If-Match", "PUT", "/Observation/a-lab", good, []string{"Content-Type", fhirJSON, "If-Match", `W/"1"`, "If-Match", `W/"1"`}, 400, "If-Match"},
		{"If-None-Match", "PUT", "/Observation/a-lab", good, []string{"Content-Type", fhirJSON, "If-None-Match", "*"}, 400, "If-None-Match"},
		{"B.71 X-Provenance", "POST", "/Observation", lab("alice", ""), []string{"Content-Type", fhirJSON, "X-Provenance", "{}"}, 400, "X-Provenance"},
		{"B.70 a parameter", "DELETE", "/Observation/a-lab?_cascade=delete", "", nil, 400, "no parameters"},
		{"an update without an id", "PUT", "/Observation", good, nil, 400, "Type/id"},
		{"a delete without an id", "DELETE", "/Observation", "", nil, 400, "Type/id"},
		{"If-None-Exist on an update", "PUT", "/Observation/a-lab", good, []string{"Content-Type", fhirJSON, "If-None-Exist", "status=final"}, 400, "If-None-Exist"},
		{"a reference by criteria", "POST", "/Observation", lab("alice", `,"performer":[{"reference":"Practitioner?family=Garcia"}]`), nil, 400, "transaction"},
	} {
		t.Run(row.name, func(t *testing.T) {
			header := row.header
			if header == nil {
				header = []string{"Content-Type", fhirJSON}
			}
			got := s.send(t, "alice", row.method, row.path, row.body, header...)
			if got.status != row.status || !strings.Contains(got.body, row.says) || !strings.Contains(got.body, `"OperationOutcome"`) {
				t.Errorf("%d %s, want %d and %q", got.status, got.body, row.status, row.says)
			}
		})
	}
	if got := s.get(t, "alice", "/Observation/a-lab"); got.header.Get("ETag") != `W/"1"` {
		t.Errorf("something was written: %v", got.header)
	}
}

// Backend services write what they reach, when the operator has said so.
//
// spec: BS-11
func TestServicesWrite(t *testing.T) {
	s := newSite(t, openStore(t, ward()), tokens{
		"one": {ClientID: "app", Own: access.Own{Patients: patient("alice").Reach}, Scopes: patient("", "system/*.cruds").Scopes},
		"all": {ClientID: "app", Own: access.Own{All: true}, Scopes: patient("", "system/*.cruds").Scopes},
	})
	for _, row := range []struct {
		token, kind, body string
		status            int
	}{
		{"one", "Observation", lab("alice", ""), 201}, {"one", "Observation", lab("bob", ""), 403}, {"all", "Observation", lab("bob", ""), 201},
		{"one", "Patient", `{"resourceType":"Patient"}`, 403}, {"all", "Patient", `{"resourceType":"Patient"}`, 201},
		{"all", "Patient", `{"resourceType":"Patient","generalPractitioner":[{"reference":"Practitioner/p1"}]}`, 403},
		{"all", "Practitioner", `{"resourceType":"Practitioner"}`, 403}, {"all", "CareTeam", `{"resourceType":"CareTeam"}`, 403},
	} {
		if got := s.put(t, row.token, "POST", "/"+row.kind, row.body); got.status != row.status {
			t.Errorf("%s %s: %d %s", row.token, row.body, got.status, got.body)
		}
	}
}

// Histories: what each level tells, whom, and on how many pages.
//
// spec: RSX-03, RSG-09, RSG-10, RSP-07, RSX-20
// attack: B.5, B.6, B.48, B.50
func TestHistories(t *testing.T) {
	s := newSite(t, openStore(t, ward()), tokens{
		"alice": patient("alice", "patient/*.cruds"), "lab": patient("alice", laboratory), "bob": patient("bob", "patient/*.rs"),
		"obs": patient("alice", "patient/Observation.s"),
	})
	id := s.made(t, "alice", "Condition", `{"resourceType":"Condition","subject":{"reference":"Patient/alice"}}`)
	if got := s.send(t, "alice", "DELETE", "/Condition/"+id, ""); got.status != 204 {
		t.Fatal(got)
	}
	for _, row := range []struct {
		name, token, path string
		status            int
		want              []string // method, URL and status of each entry
	}{
		{"B.5 a version of another is left out", "alice", "/Observation/moved/_history", 200, []string{"PUT Observation/moved 200 W/\"2\""}},
		{"RSG-10 a version outside of the scope is left out", "lab", "/Observation/recoded/_history", 200, []string{"PUT Observation/recoded 200 W/\"2\""}},
		{"RSG-10 what is hidden now", "alice", "/Observation/hidden-now/_history", 404, nil},
		{"B.5 another's", "alice", "/Observation/b-lab/_history", 404, nil},
		{"B.5 nothing", "alice", "/Observation/none/_history", 404, nil},
		{"a deletion", "alice", "/Condition/" + id + "/_history", 200, []string{"DELETE Condition/" + id + " 204 W/\"2\"", "POST Condition 201 W/\"1\""}},
		{"B.5 another's deletion", "bob", "/Condition/" + id + "/_history", 404, nil},
		{"a type", "alice", "/Condition/_history", 200, []string{"DELETE Condition/" + id + " 204 W/\"2\"", "POST Condition 201 W/\"1\""}},
		{"B.6 a type, another's", "bob", "/Condition/_history", 200, nil},
		{"since tomorrow", "alice", "/Condition/_history?_since=2099-01-01T00:00:00Z", 200, nil},
		{"since tomorrow, of one", "alice", "/Condition/" + id + "/_history?_since=2099-01-01T00:00:00%2B01:00", 200, nil},
		{"B.6 the whole server, as far as the view reaches", "bob", "/_history?_count=200", 200, []string{
			"PUT Observation/hidden-now 200 W/\"2\"", "POST Observation 201 W/\"1\"", "POST Patient 201 W/\"1\"", "POST Practitioner 201 W/\"1\""}},
		{"a bad instant", "alice", "/Condition/_history?_since=yesterday", 400, nil},
		{"a bad count", "alice", "/Condition/_history?_count=0", 400, nil},
		{"twice", "alice", "/Condition/_history?_count=1&_count=2", 400, nil},
		{"another parameter", "alice", "/Condition/_history?subject=Patient/alice", 400, nil},
		{"a link of ours beside another parameter", "alice", "/Condition/_history?_page=x&_count=1", 400, nil},
		{"a made-up link", "alice", "/Condition/_history?_page=x", 404, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := s.get(t, row.token, row.path)
			if got.status != row.status {
				t.Fatalf("%d %s", got.status, got.body)
			}
			if row.status != 200 {
				return
			}
			if diff := cmp.Diff(row.want, historyOf(t, got.body).lines()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	t.Run("pages", func(t *testing.T) {
		whole := historyOf(t, s.get(t, "obs", "/_history?_count=200").body).lines()
		var paged []string
		for path, n := "/_history?_count=2", 0; path != ""; n++ {
			page := historyOf(t, s.get(t, "obs", path).body)
			if path = strings.TrimPrefix(page.link("next"), base); path != "" && len(page.Entry) != 2 {
				t.Errorf("a page of %d", len(page.Entry))
			}
			if paged = append(paged, page.lines()...); n > 20 {
				t.Fatal("no end")
			}
			if path != "" {
				if got := s.get(t, "alice", path); got.status != 404 {
					t.Errorf("B.50 another's link: %d", got.status)
				}
			}
		}
		if diff := cmp.Diff(whole, paged); diff != "" || len(whole) < 5 {
			t.Errorf("(-whole +paged)\n%s", diff)
		}
	})
}

// historyBundle is what the tests read of a history.
type historyBundle struct {
	Type  string
	Link  []struct{ Relation, URL string }
	Entry []struct {
		FullURL  string `json:"fullUrl"`
		Resource json.RawMessage
		Request  struct{ Method, URL string }
		Response struct{ Status, ETag, LastModified string }
	}
}

func historyOf(t testing.TB, body string) historyBundle {
	t.Helper()
	var b historyBundle
	if err := json.Unmarshal([]byte(body), &b); err != nil || b.Type != "history" {
		t.Fatal(err, body)
	}
	for _, e := range b.Entry {
		if (len(e.Resource) == 0) != (e.Request.Method == "DELETE") || e.Response.LastModified == "" || !strings.HasPrefix(e.FullURL, base+"/") {
			t.Errorf("entry: %+v", e)
		}
	}
	return b
}

func (b historyBundle) link(relation string) string {
	return bundle{Link: b.Link}.link(relation)
}

func (b historyBundle) lines() (list []string) {
	for _, e := range b.Entry {
		list = append(list, fmt.Sprintf("%s %s %s %s", e.Request.Method, e.Request.URL, e.Response.Status, e.Response.ETag))
	}
	return list
}
