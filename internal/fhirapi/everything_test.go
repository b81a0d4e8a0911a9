package fhirapi_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// dated is what has dates, beside the ward.
func dated(t *testing.T) fhirstore.Backend {
	store := openStore(t, ward())
	fill(t, store, linked())
	fill(t, store, of(
		`{"resourceType":"Encounter","id":"e-old","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/alice"},"period":{"start":"2019-01-01","end":"2019-01-02"},"serviceProvider":{"reference":"Organization/o"}}`,
		`{"resourceType":"Encounter","id":"e-long","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/alice"},"period":{"start":"2019-01-01","end":"2024-05-02"}}`,
		`{"resourceType":"Encounter","id":"e-open","status":"in-progress","class":{"code":"AMB"},"subject":{"reference":"Patient/alice"}}`,
		`{"resourceType":"Encounter","id":"e-bob","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/bob"},"period":{"start":"2024-01-01"}}`,
		`{"resourceType":"AllergyIntolerance","id":"allergy","patient":{"reference":"Patient/alice"},"recordedDate":"2001-01-01","recorder":{"reference":"Patient/bob"}}`,
		`{"resourceType":"Organization","id":"o","name":"Clinic"}`, `{"resourceType":"Organization","id":"unused","name":"Other"}`,
	))
	return store
}

// whole follows the pages of $everything to their end.
func (s *site) whole(t *testing.T, token, path string) (all []string, pages int) {
	t.Helper()
	for path != "" {
		b, _ := s.find(t, token, path)
		pages++
		matches := 0
		for _, e := range b.Entry {
			all = append(all, e.Resource.ResourceType+"/"+e.Resource.ID)
			if e.Search.Mode == "match" {
				matches++
			}
		}
		next := strings.TrimPrefix(b.link("next"), base)
		if strings.Contains(path, "_count=3") && next != "" && matches != 3 {
			t.Errorf("a page of %d", matches)
		}
		path = next
	}
	return all, pages
}

// $everything is the union of the searches of the patient's compartment, with the shared
// types that they refer to; what is of nobody in view does not change it.
//
// spec: RSX-14, RSX-15, RSX-20, RSP-02, RSB-07
// attack: B.85, B.50
func TestEverythingIsTheUnionOfSearches(t *testing.T) {
	s := newSite(t, dated(t), tokens{
		"all": patient("alice", "patient/*.rs"), "panel": clinician([]string{"user/*.rs"}, "alice", "bob"), "granular": patient("alice", laboratory, "patient/Patient.rs", "patient/Encounter.r"),
	})
	for _, token := range []string{"all", "panel", "granular"} {
		want := []string{"Patient/alice"}
		for _, kind := range fhir.ResourceTypes() {
			if compartment.ClassOf(kind) != compartment.Record || kind == "Patient" {
				continue
			}
			if got := s.get(t, token, "/Patient/alice/"+string(kind)); got.status == http.StatusForbidden && token == "granular" {
				continue
			}
			_, ids := s.find(t, token, "/Patient/alice/"+string(kind)+"?_count=1000")
			want = append(want, ids...)
		}
		if token != "granular" {
			want = append(want, "Practitioner/p1", "Organization/o")
		}
		slices.Sort(want)
		for _, query := range []string{"", "?_count=1", "?_count=3", "?_count=1000"} {
			got, pages := s.whole(t, token, "/Patient/alice/$everything"+query)
			slices.Sort(got)
			if got = slices.Compact(got); !slices.Equal(got, want) { // what comes along may do so on several pages
				t.Errorf("%s%s: got %v, want %v", token, query, got, want)
			}
			if token == "all" && query == "?_count=3" && pages != 6 {
				t.Errorf("%d pages of %d", pages, len(want))
			}
		}
	}
}

// attack: B.85, B.50
// spec: RSX-08, RSX-13
func TestEverythingWithinTheScopes(t *testing.T) {
	s := newSite(t, dated(t), tokens{
		"all": patient("alice", "patient/*.rs"), "bob": patient("bob", "patient/*.rs"), "root": patient("alice", "patient/Patient.r"),
		"search": patient("alice", "patient/Patient.s", "patient/Observation.rs"), "none": patient("alice", "patient/Observation.rs"),
		"encounters": patient("alice", "patient/Patient.rs", "patient/Encounter.rs"),
	})
	for _, row := range []struct {
		name, token, query string
		want               []string
	}{
		{"B.85 the patient only", "root", "", []string{"Patient/alice"}},
		{"one type", "encounters", "", []string{"Encounter/e-long", "Encounter/e-old", "Encounter/e-open", "Patient/alice"}},
		{"_type", "all", "?_type=Encounter,AllergyIntolerance", []string{"AllergyIntolerance/allergy", "Encounter/e-long", "Encounter/e-old", "Encounter/e-open"}},
		{"_type with what is referred to", "all", "?_type=Encounter,Organization", []string{"Encounter/e-long", "Encounter/e-old", "Encounter/e-open", "Organization/o"}},
		{"start", "encounters", "?start=2020", []string{"Encounter/e-long", "Encounter/e-open", "Patient/alice"}},
		{"end", "encounters", "?end=2018-12-31", []string{"Encounter/e-open", "Patient/alice"}},
		{"start and end", "all", "?start=2019-01-02&end=2019-01-02&_type=Encounter,AllergyIntolerance", []string{"AllergyIntolerance/allergy", "Encounter/e-long", "Encounter/e-old", "Encounter/e-open"}},
		{"_since", "encounters", "?_since=2000-01-01T00:00:00Z", []string{"Encounter/e-long", "Encounter/e-old", "Encounter/e-open", "Patient/alice"}},
		{"_since the future", "encounters", "?_since=2999-01-01T00:00:00Z", []string{}},
	} {
		if _, got := s.find(t, row.token, "/Patient/alice/$everything"+row.query); !slices.Equal(got, row.want) {
			t.Errorf("%s: got %v, want %v", row.name, got, row.want)
		}
	}
	for _, row := range []struct {
		name, token, method, path string
		status                    int
	}{
		{"no scope for Patient", "none", "GET", "/Patient/alice/$everything", 403},
		{"search of Patient only", "search", "GET", "/Patient/alice/$everything", 403},
		{"a type without a scope", "encounters", "GET", "/Patient/alice/$everything?_type=Observation", 403},
		{"a closed type", "all", "GET", "/Patient/alice/$everything?_type=Group", 400},
		{"another type", "all", "GET", "/Encounter/e-old/$everything", 403},
		{"all patients", "all", "GET", "/Patient/$everything", 403},
		{"POST", "all", "POST", "/Patient/alice/$everything", 405},
		{"unknown parameter", "all", "GET", "/Patient/alice/$everything?patient=bob", 400},
		{"twice", "all", "GET", "/Patient/alice/$everything?start=2020&start=2021", 400},
		{"no date", "all", "GET", "/Patient/alice/$everything?start=soon", 400},
		{"dates", "all", "GET", "/Patient/alice/$everything?end=2020,2021", 400},
		{"no count", "all", "GET", "/Patient/alice/$everything?_count=0", 400},
		{"a made-up page", "all", "GET", "/Patient/alice/$everything?_page=x", 404},
		{"XML", "all", "GET", "/Patient/alice/$everything?_format=xml", 406},
	} {
		if got := s.send(t, row.token, row.method, row.path, ""); got.status != row.status || !strings.Contains(got.body, "OperationOutcome") {
			t.Errorf("%s: %d %s, want %d", row.name, got.status, got.body, row.status)
		}
	}
	hidden, missing := s.get(t, "all", "/Patient/bob/$everything"), s.get(t, "all", "/Patient/none/$everything")
	if hidden.status != 404 || hidden.body != missing.body {
		t.Error(hidden, missing)
	}
	b, _ := s.find(t, "all", "/Patient/alice/$everything?_count=2")
	next := strings.TrimPrefix(b.link("next"), base)
	if got := s.get(t, "bob", next); got.status != 404 {
		t.Error("a link works for another access:", got.status)
	}
	if got := s.get(t, "all", strings.Replace(next, "alice", "bob", 1)); got.status != 404 {
		t.Error("a link works for another patient:", got.status)
	}
	s.now = s.now.Add(2 * time.Hour)
	if got := s.get(t, "all", next); got.status != 404 {
		t.Error("a link works for ever:", got.status)
	}
}

// A backend that does not filter leaks nothing here either.
//
// attack: B.34, B.85
func TestEverythingJudgesAgain(t *testing.T) {
	s := newSite(t, careless{dated(t)}, tokens{"all": patient("alice", "patient/*.rs"), "lab": patient("alice", laboratory, "patient/Patient.r")})
	if got := s.get(t, "all", "/Patient/bob/$everything"); got.status != 404 {
		t.Error(got)
	}
	if got, _ := s.whole(t, "lab", "/Patient/alice/$everything"); slices.Contains(got, "Observation/a-vital") || !slices.Contains(got, "Observation/a-lab") {
		t.Error(got)
	}
}
