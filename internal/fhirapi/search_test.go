package fhirapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A granular scope filters every search, whatever the app's own query says.
//
// spec: RSG-01, RSG-02, RSG-03, RSG-06, RSG-07, RSG-08, RSG-12, RSG-13, RSG-15, RSX-18
// attack: B.12, B.46
func TestGranularSearch(t *testing.T) {
	s := newSite(t, openStore(t, ward()), tokens{
		"whole": patient("alice", "patient/Observation.rs"), "lab": patient("alice", laboratory),
		"two": patient("alice", laboratory, survey), "both": patient("alice", survey, "patient/Observation.rs"),
	})
	const lab, sur, vital = categories + "%7Claboratory", categories + "%7Csurvey", categories + "%7Cvital-signs"
	own := []string{"a-lab", "a-none", "a-other-system", "a-survey", "a-two", "a-vital", "moved", "recoded"}
	inLab := []string{"a-lab", "a-two", "moved", "recoded"}
	for _, row := range []struct {
		name, token, query string
		want               []string
	}{
		{"without a scope filter", "whole", "", own},
		{"RSG-03 no category asked", "lab", "", inLab},
		{"RSG-03 patient asked", "lab", "?patient=alice", inLab},
		{"RSG-02 the granted category", "lab", "?category=" + lab, inLab},
		{"RSG-07 a category that is not granted", "lab", "?category=" + vital, nil},
		{"RSG-07 a list with one that is not", "lab", "?category=" + lab + "," + vital, inLab},
		{"RSG-07 both at once", "lab", "?category=" + lab + "&category=" + sur, []string{"a-two"}},
		{"RSG-07 by negation", "lab", "?category:not=" + lab, nil},
		{"RSG-07 by absence", "lab", "?category:missing=true", nil},
		{"RSG-07 by id", "lab", "?_id=a-vital,a-lab", []string{"a-lab"}},
		{"RSG-08 the code without its system", "lab", "?category=laboratory", inLab},
		{"RSG-12 a union without doubles", "two", "", []string{"a-lab", "a-survey", "a-two", "moved", "recoded"}},
		{"RSG-13 a whole scope beside", "both", "", own},
	} {
		t.Run(row.name, func(t *testing.T) {
			var want []string
			for _, id := range row.want {
				want = append(want, "Observation/"+id)
			}
			b, got := s.find(t, row.token, "/Observation"+row.query)
			if !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			if b.Total != nil && *b.Total != len(want) {
				t.Errorf("RSG-15 total %d, want %d", *b.Total, len(want))
			}
			separator := "?"
			if row.query != "" {
				separator = "&"
			}
			for _, count := range []string{"_summary=count", "_count=0"} {
				if b, _ := s.find(t, row.token, "/Observation"+row.query+separator+count); b.Total == nil || *b.Total != len(want) {
					t.Errorf("B.12 %s: total %v, want %d", count, b.Total, len(want))
				}
			}
		})
	}
}

// However a search names somebody, it stays in the record of the patient in
// context.
//
// spec: RSP-02, RSP-03, RSP-04, RSP-06, RSP-07, RSX-09, RSX-16, RSX-17, RSX-19
// attack: B.20, B.21, B.22, B.23, B.24, B.25, B.26, B.27, B.29, B.31, B.33, B.35, B.36, B.37, B.38, B.40, B.41, B.47, B.51, B.53, GW-03, GW-07, GW-25, GW-35
func TestSearchesForOthers(t *testing.T) {
	store := openStore(t, ward())
	fill(t, store, linked())
	s := newSite(t, store, tokens{"alice": patient("alice", "patient/*.rs")})
	own := []string{"Observation/a-lab", "Observation/a-none", "Observation/a-other-system", "Observation/a-panel", "Observation/a-survey",
		"Observation/a-two", "Observation/a-vital", "Observation/moved", "Observation/recoded"}
	var none []string
	for _, row := range []struct {
		name, path string
		status     int
		want       []string
	}{
		{"B.20 nobody named", "/Observation", 200, own},
		{"B.21 patient", "/Observation?patient=bob", 200, none},
		{"B.21 subject", "/Observation?subject=Patient/bob", 200, none},
		{"B.22 list", "/Observation?patient=alice,bob", 200, own},
		{"B.22 repeated", "/Observation?patient=alice&patient=bob", 200, none},
		{"B.23 other targets", "/Observation?subject=Patient/alice,Group/g,Device/d", 200, own},
		{"B.24 type modifier", "/Observation?subject:Patient=alice", 200, own},
		{"B.24 type modifier, another", "/Observation?subject:Patient=bob", 200, none},
		{"B.24 type and id", "/Observation?patient=Patient/alice", 200, own},
		{"B.24 absolute", "/Observation?patient=" + base + "/Patient/alice", 200, own},
		{"B.24 absolute, another", "/Observation?patient=" + base + "/Patient/bob", 200, none},
		{"B.24 another base", "/Observation?patient=https://evil.test/fhir/Patient/alice", 200, none},
		{"B.24 a base that begins like ours", "/Observation?patient=" + base + "x/Patient/alice", 200, none},
		{"B.25 by the identifier of the reference", "/Observation?subject:identifier=bob-nr", 200, none},
		{"B.26 :above", "/Observation?code:above=x", 400, nil},
		{"B.25 chain on identifier", "/Observation?patient.identifier=bob-nr", 200, none},
		{"B.25 chain on the own identifier", "/Observation?patient.identifier=alice-nr", 200, own},
		{"B.26 :missing", "/Observation?patient:missing=true", 200, none},
		{"B.26 :not", "/Observation?patient:not=alice", 400, nil},
		{"B.27 focus", "/Observation?focus=Patient/bob", 200, none},
		{"B.27 performer", "/Observation?performer=Patient/bob", 200, []string{"Observation/a-panel"}},
		{"B.27 link", "/Patient?link=Patient/bob", 200, none},
		{"B.29 another case", "/Observation?Patient=bob", 400, nil},
		{"B.29 blank behind the name", "/Observation?patient%20=bob", 400, nil},
		{"B.29 brackets", "/Observation?patient[]=bob", 400, nil},
		{"B.29 unknown name", "/Observation?patientx=bob", 400, nil},
		{"B.31 compartment", "/Patient/alice/Observation", 200, own},
		{"B.31 compartment of another", "/Patient/bob/Observation", 200, none},
		{"B.31 compartment and parameter of another", "/Patient/alice/Observation?patient=bob", 200, none},
		{"B.33 by name", "/Patient?name=b", 200, none},
		{"B.33 everybody", "/Patient", 200, []string{"Patient/alice"}},
		{"B.33 by id", "/Patient?_id=bob", 200, none},
		{"B.35 _list", "/Observation?_list=of-bob", 200, none},
		{"B.35 a visible list", "/Observation?_list=of-alice", 200, []string{"Observation/a-lab"}},
		{"B.35 a list that the server works out", "/Observation?_list=$current-problems", 400, nil},
		{"B.36 _filter", "/Observation?_filter=subject%20eq%20Patient/bob", 400, nil},
		{"B.36 _query", "/Observation?_query=x", 400, nil},
		{"B.37 _contained", "/Observation?_contained=true", 400, nil},
		{"B.37 _containedType", "/Observation?_containedType=container", 400, nil},
		{"B.38 _content", "/Observation?_content=x", 400, nil},
		{"B.38 _text", "/Observation?_text=x", 400, nil},
		{"B.40 chain", "/Observation?subject:Patient.name=bob", 200, none},
		{"B.40 chain to the own record", "/Observation?subject:Patient.name=alice", 200, own},
		{"B.40 chain without a type", "/Observation?performer.name=brown", 200, none},
		{"B.40 longer chain", "/Observation?has-member.subject=Patient/bob", 200, none},
		{"B.40 longer chain within", "/Observation?has-member.subject=Patient/alice", 200, []string{"Observation/a-panel"}},
		{"B.40 chain, negated", "/Observation?has-member.category:not=survey", 200, []string{"Observation/a-panel"}},
		{"B.40 chain over a shared type", "/Patient?general-practitioner.name=garcia", 200, []string{"Patient/alice"}},
		{"B.40 chain to a closed type", "/Observation?subject:Group._id=g", 403, nil},
		{"B.40 chain by what is no reference", "/Observation?code.name=x", 400, nil},
		{"B.40 five links", "/Observation?has-member.has-member.has-member.has-member.has-member.status=final", 400, nil},
		{"B.40 result parameter at the end", "/Observation?subject:Patient._count=1", 400, nil},
		{"B.40 any type", "/Provenance?target.status=final", 400, nil},
		{"B.41 _has", "/Patient?_has:Observation:patient:status=final", 200, []string{"Patient/alice"}},
		{"B.41 _has by what is hidden", "/Observation?_has:Observation:has-member:_id=b-panel", 200, none},
		{"B.41 nested _has", "/Patient?_has:Observation:patient:_has:Provenance:target:recorded=2026", 200, []string{"Patient/alice"}},
		{"B.41 _has and a chain", "/Practitioner?_has:Patient:general-practitioner:_has:Observation:patient:patient.name=alice", 200, []string{"Practitioner/p1"}},
		{"B.41 _has of a closed type", "/Patient?_has:Group:member:_id=g", 403, nil},
		{"B.41 _has without an end", "/Patient?_has:Observation:patient", 400, nil},
		{"B.41 _has by what cannot point here", "/Patient?_has:Observation:encounter:status=final", 400, nil},
		{"B.47 sort by a chain", "/Observation?_sort=subject.name", 400, nil},
		{"B.51 _getpages", "/Observation?_getpages=x", 400, nil},
		{"B.51 _offset", "/Observation?_offset=1", 400, nil},
		{"B.51 ct", "/Observation?ct=x", 400, nil},
		{"B.53 shared type by _has", "/Medication?_has:MedicationRequest:medication:subject=bob", 200, none},
		{"B.53 shared type by _has, another", "/Practitioner?_has:Patient:general-practitioner:name=brown", 200, none},
		{"RSX-09 a granted type without data", "/Coverage", 200, none},
		{"GW-25 semicolon", "/Observation?code=1;patient=bob", 400, nil},
		{"GW-25 broken escape", "/Observation?patient=%zz", 400, nil},
		{"GW-25 not UTF-8", "/Observation?patient=%ff", 400, nil},
		{"HT-11 NUL", "/Observation?code=%00", 400, nil},
		{"HT-11 newline in a name", "/Observation?co%0Ade=1", 400, nil},
		{"HT-13 _count negative", "/Observation?_count=-1", 400, nil},
		{"HT-13 _count with a sign", "/Observation?_count=%2B5", 400, nil},
		{"HT-13 _count of another base", "/Observation?_count=0x10", 400, nil},
		{"HT-13 _count too large", "/Observation?_count=99999999999999999999", 400, nil},
		{"HT-13 _count in other digits", "/Observation?_count=%D9%A3", 400, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.status != http.StatusOK {
				got := s.get(t, "alice", row.path)
				if got.status != row.status || !strings.Contains(got.body, "OperationOutcome") {
					t.Fatalf("%d %s, want %d", got.status, got.body, row.status)
				}
				return
			}
			b, got := s.find(t, "alice", row.path)
			if !slices.Equal(got, row.want) {
				t.Errorf("got %v, want %v", got, row.want)
			}
			if b.Total != nil && *b.Total != len(row.want) {
				t.Errorf("total %d", *b.Total)
			}
		})
	}
}

// Somebody who is hidden and somebody who is not there are the same search.
//
// attack: B.21, B.27, B.33, B.46, GW-35
func TestHiddenAndMissingSearches(t *testing.T) {
	s := newSite(t, openStore(t, ward()), tokens{"alice": patient("alice", "patient/*.rs")})
	for _, path := range []string{"/Observation?patient=%s", "/Patient?_id=%s", "/Patient/%s/Observation", "/Observation?performer=Patient/%s",
		"/Observation?patient=alice&subject=Patient/%s", "/Provenance?patient=%s", "/Observation?patient=%s&_summary=count"} {
		hidden, missing := s.get(t, "alice", fmt.Sprintf(path, "bob")), s.get(t, "alice", fmt.Sprintf(path, "eve"))
		hidden.body = strings.ReplaceAll(hidden.body, "bob", "eve")
		if d := cmp.Diff(missing, hidden, cmp.AllowUnexported(answer{})); d != "" {
			t.Errorf("%s:\n%s", path, d)
		}
	}
}

// Data of others that arrives changes no byte of an answer.
//
// spec: RSG-15, RSX-18
// attack: B.12, B.38, B.45, B.46, B.47, B.48
func TestOthersDataChangesNothing(t *testing.T) {
	store := openStore(t, ward())
	s := newSite(t, store, tokens{"alice": patient("alice", "patient/*.rs"), "lab": patient("alice", laboratory)})
	paths := []string{"/Observation", "/Observation?_sort=-date&_count=100", "/Observation?_summary=count", "/Observation?code:not=x",
		"/Observation?category:missing=true", "/Patient?_sort=name", "/Provenance", "/Patient?_revinclude=Observation:subject", "/Observation?_total=accurate&_sort=category"}
	ask := func() (all []answer) {
		for _, token := range []string{"alice", "lab"} {
			for _, p := range paths {
				all = append(all, s.get(t, token, p))
			}
		}
		return all
	}
	before := ask()
	var others []string
	for i := range 60 {
		others = append(others, observation(fmt.Sprintf("b-%02d", i), "bob", categories+"|laboratory"))
	}
	others = append(others, `{"resourceType":"Patient","id":"aaron","name":[{"family":"Aalto"}]}`,
		`{"resourceType":"Provenance","id":"prov-b","target":[{"reference":"Observation/b-01"},{"reference":"Observation/a-lab"}],"recorded":"2026-01-05T09:00:00Z","agent":[{"who":{"reference":"Patient/alice"}}]}`)
	fill(t, store, of(others...))
	if d := cmp.Diff(before, ask(), cmp.AllowUnexported(answer{})); d != "" {
		t.Error(d)
	}
}

// What comes along with a match is judged by the scopes of its own type.
//
// spec: RSX-14, RSX-15, RSG-09, RSP-11
// attack: B.42, B.43, B.44, B.52, B.56
func TestIncludes(t *testing.T) {
	store := openStore(t, ward())
	fill(t, store, linked())
	s := newSite(t, store, tokens{
		"all": patient("alice", "patient/*.rs"), "observations": patient("alice", "patient/Observation.rs"),
		"read-patient": patient("alice", "patient/Observation.rs", "patient/Patient.r"),
		"lab":          patient("alice", laboratory, "patient/Patient.rs"),
	})
	for _, row := range []struct {
		name, token, path string
		want              []string
	}{
		{"B.42 with a scope", "all", "/Observation?_id=a-lab&_include=Observation:subject", []string{"Observation/a-lab", "Patient/alice"}},
		{"RSX-14 without a scope", "observations", "/Observation?_id=a-lab&_include=Observation:subject", []string{"Observation/a-lab"}},
		{"RSX-14 read is enough", "read-patient", "/Observation?_id=a-lab&_include=Observation:subject", []string{"Observation/a-lab", "Patient/alice"}},
		{"B.43 backwards, granular", "lab", "/Patient?_revinclude=Observation:subject", []string{"Observation/a-lab", "Observation/a-two", "Observation/moved", "Observation/recoded", "Patient/alice"}},
		{"B.43 of another", "all", "/Patient?_id=bob&_revinclude=Observation:subject", []string{}},
		{"B.44 provenance of two", "all", "/Observation?_id=a-lab&_revinclude=Provenance:target", []string{"Observation/a-lab", "Provenance/prov-a"}},
		{"B.42 every reference", "all", "/Observation?_id=a-panel&_include=*", []string{"Observation/a-lab", "Observation/a-panel", "Patient/alice"}},
		{"B.42 every reference without a scope", "observations", "/Observation?_id=a-panel&_include=Observation:*", []string{"Observation/a-lab", "Observation/a-panel"}},
		{"B.42 iterated", "all", "/Observation?_id=a-panel&_include=Observation:subject&_include:iterate=Patient:general-practitioner", []string{"Observation/a-panel", "Patient/alice", "Practitioner/p1"}},
		{"B.42 iterated through what is hidden", "all", "/Practitioner?_id=p1&_revinclude:iterate=Observation:performer&_include:iterate=Observation:performer&_revinclude:iterate=Patient:general-practitioner", []string{"Patient/alice", "Practitioner/p1"}},
		{"B.42 iterated without a scope on the way", "observations", "/Observation?_id=a-panel&_include=Observation:subject&_include:iterate=Patient:general-practitioner", []string{"Observation/a-panel"}},
		{"B.43 every reference backwards", "all", "/Observation?_id=a-lab&_revinclude=Observation:*", []string{"Observation/a-lab", "Observation/a-panel"}},
		{"B.52 from a shared type", "all", "/Practitioner?_revinclude=Patient:general-practitioner", []string{"Patient/alice", "Practitioner/p1"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			b, got := s.find(t, row.token, row.path)
			if !slices.Equal(got, row.want) {
				t.Errorf("got %v, want %v", got, row.want)
			}
			for _, e := range b.Entry {
				if e.FullURL != base+"/"+e.Resource.ResourceType+"/"+e.Resource.ID {
					t.Errorf("fullUrl %s", e.FullURL)
				}
				if match := "/"+e.Resource.ResourceType == row.path[:strings.IndexByte(row.path, '?')] && (!strings.Contains(row.path, "_id=") || strings.Contains(row.path, "_id="+e.Resource.ID)); match != (e.Search.Mode == "match") {
					t.Errorf("%s is of mode %q", e.FullURL, e.Search.Mode)
				}
			}
		})
	}
	for _, path := range []string{"/Observation?_include=*:*", "/Observation?_revinclude=*"} {
		if got := s.get(t, "all", path); got.status != 400 {
			t.Errorf("B.56 %s: %d", path, got.status)
		}
	}
}

// A backend that does not filter leaks nothing, and the operator hears of it.
//
// spec: RSG-11, RSP-07, RSX-15
// attack: B.5, B.6, B.34, B.42, B.115, GW-29
func TestCarelessBackend(t *testing.T) {
	s := newSite(t, careless{openStore(t, ward())}, tokens{"alice": patient("alice", "patient/*.rs"), "lab": patient("alice", laboratory)})
	if got, missing := s.get(t, "alice", "/Observation/b-lab"), s.get(t, "alice", "/Observation/none"); got.status != 404 || got.body != missing.body {
		t.Errorf("read: %d %s", got.status, got.body)
	}
	if got := s.get(t, "alice", "/Observation/moved/_history/1"); got.status != 404 {
		t.Errorf("vread: %d", got.status)
	}
	for path, hidden := range map[string]string{"/Observation/moved/_history": "Patient/bob", "/Observation/_history?_count=200": "b-lab", "/_history?_count=200": "Brown"} {
		if got := s.get(t, "alice", path); got.status != 200 || strings.Contains(got.body, hidden) {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	if got := s.get(t, "lab", "/Observation/a-vital"); got.status != 404 {
		t.Errorf("read out of a granular scope: %d", got.status)
	}
	for token, want := range map[string][]string{
		"alice": {"Observation/a-lab", "Observation/a-none", "Observation/a-other-system", "Observation/a-survey", "Observation/a-two", "Observation/a-vital", "Observation/moved", "Observation/recoded"},
		"lab":   {"Observation/a-lab", "Observation/a-two", "Observation/moved", "Observation/recoded"},
	} {
		if _, got := s.find(t, token, "/Observation?_count=100"); !slices.Equal(got, want) {
			t.Errorf("search of %s: %v", token, got)
		}
	}
	if _, got := s.find(t, "alice", "/Practitioner?_revinclude=Provenance:agent"); slices.Contains(got, "Provenance/prov-both") {
		t.Errorf("include: %v", got)
	}
	if !strings.Contains(s.log.String(), "hidden resource") {
		t.Error("no alarm in the log")
	}
	if strings.Contains(s.log.String(), "b-lab") {
		t.Error("the log names the resource")
	}
}

// A user sees the patients they reach, and a patient in context does not limit
// user/ scopes.
//
// spec: RSP-17, RSP-18, RSP-19, RS-13
// attack: B.112, GW-38
func TestUserScopes(t *testing.T) {
	store := openStore(t, ward())
	mixed := patient("alice", "patient/Observation.rs", "user/Patient.rs")
	mixed.Reach = clinician(nil, "alice", "bob").Reach
	self := clinician([]string{"openid", "fhirUser", "patient/Patient.rs"}, "alice")
	self.Patient = "alice"
	unreached := patient("alice", "patient/*.rs")
	unreached.Reach = clinician(nil).Reach
	known := tokens{"both": clinician([]string{"user/*.rs"}, "alice", "bob"), "one": clinician([]string{"user/*.rs"}, "bob"),
		"nobody": clinician([]string{"user/*.rs"}), "person": patient("alice", "user/Observation.rs"), "mixed": mixed, "self": self, "unreached": unreached}
	s := newSite(t, store, known)
	for _, row := range []struct {
		name, token, path string
		want              []string
	}{
		{"RSP-18 both", "both", "/Patient", []string{"Patient/alice", "Patient/bob"}},
		{"RSP-18 one", "one", "/Patient", []string{"Patient/bob"}},
		{"GW-38 nobody", "nobody", "/Patient", nil},
		{"RSP-17 a patient with user/ scopes", "person", "/Observation?_id=a-lab,b-lab", []string{"Observation/a-lab"}},
		{"RSP-19 user/ beside patient/", "mixed", "/Patient", []string{"Patient/alice", "Patient/bob"}},
		{"RSP-19 patient/ beside user/", "mixed", "/Observation?_id=a-lab,b-lab", []string{"Observation/a-lab"}},
		{"B.44 provenance of two", "both", "/Provenance", []string{"Provenance/prov-a", "Provenance/prov-both"}},
		{"B.112 the user does not reach the patient any more", "unreached", "/Observation", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			if _, got := s.find(t, row.token, row.path); !slices.Equal(got, row.want) {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
	for path, want := range map[string]int{"/Practitioner/p1": 200, "/Practitioner": 403, "/Practitioner/none": 403} {
		if got := s.get(t, "self", path); got.status != want {
			t.Errorf("RS-13 %s: %d, want %d", path, got.status, want)
		}
	}
	known["both"] = clinician([]string{"user/*.rs"}, "alice")
	if got := s.get(t, "both", "/Patient/bob"); got.status != 404 {
		t.Errorf("B.112 after the reach shrank: %d", got.status)
	}
}
