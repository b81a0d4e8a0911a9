package fhirapi_test

import (
	"iter"
	"net/http"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// linked is what leads from one to another, beside the ward.
func linked() iter.Seq[fhirstore.Incoming] {
	return of(
		`{"resourceType":"Patient","id":"alice","identifier":[{"value":"alice-nr"}],"name":[{"family":"Adams","given":["Alice"]}],"generalPractitioner":[{"reference":"Practitioner/p1"}]}`,
		`{"resourceType":"Patient","id":"bob","identifier":[{"value":"bob-nr"}],"name":[{"family":"Brown","given":["Bob"]}],"generalPractitioner":[{"reference":"Practitioner/p1"}]}`,
		`{"resourceType":"Observation","id":"a-panel","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/alice"},"performer":[{"reference":"Patient/bob"}],
			"hasMember":[{"reference":"Observation/a-lab"},{"reference":"Observation/b-lab"}]}`,
		`{"resourceType":"Observation","id":"b-panel","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/bob"},"hasMember":[{"reference":"Observation/a-lab"}]}`,
		`{"resourceType":"List","id":"of-alice","status":"current","mode":"working","subject":{"reference":"Patient/alice"},"entry":[{"item":{"reference":"Observation/a-lab"}},{"item":{"reference":"Observation/b-lab"}}]}`,
		`{"resourceType":"List","id":"of-bob","status":"current","mode":"working","subject":{"reference":"Patient/bob"},"entry":[{"item":{"reference":"Observation/a-lab"}}]}`,
	)
}

// A token that may not search a type is not told about it by a join: 403 that asks for
// a scope, whatever there is, before the backend is asked; on a further page as well.
//
// spec: RSX-16
// attack: B.40, B.41, B.53
func TestJoinsNeedTheScopesOfWhatTheyLeadOver(t *testing.T) {
	backend := &spy{Backend: openStore(t, ward())}
	s := newSite(t, backend, tokens{"narrow": patient("alice", "patient/Observation.rs", "patient/Patient.r"), "both": patient("alice", "patient/Observation.rs", "patient/Patient.rs")})
	for _, path := range []string{
		"/Observation?subject:Patient.name=alice", "/Observation?patient.identifier=x", "/Observation?performer.name=x",
		"/Observation?has-member.subject:Patient.name=x", "/Observation?_has:Provenance:target:recorded=2026", "/Observation?_list=x",
	} {
		got := s.get(t, "narrow", path)
		if got.status != http.StatusForbidden || !strings.Contains(got.header.Get("WWW-Authenticate"), `error="insufficient_scope"`) {
			t.Errorf("%s: %d %s %v", path, got.status, got.body, got.header)
		}
	}
	if backend.calls > 0 {
		t.Errorf("the backend was asked %d times", backend.calls)
	}
	b, ids := s.find(t, "both", "/Observation?subject:Patient.name=alice&_count=3")
	if len(ids) != 3 || !strings.Contains(b.link("self"), "subject%3APatient.name=alice") {
		t.Fatal(ids, b.Link)
	}
	next := strings.TrimPrefix(b.link("next"), base)
	if _, more := s.find(t, "both", next); len(more) != 3 {
		t.Error("the next page has", more)
	}
	if got := s.get(t, "narrow", next); got.status != http.StatusForbidden && got.status != http.StatusNotFound {
		t.Error("a link goes on without the scope:", got.status, got.body)
	}
}

// Criteria of writes are searches, and need the same scopes; what is hidden fulfils none.
//
// spec: RSX-05, RSX-16
// attack: B.67
func TestJoinsInCriteria(t *testing.T) {
	store := openStore(t, ward())
	fill(t, store, linked())
	s := newSite(t, store, tokens{"narrow": patient("alice", "patient/Observation.cruds"), "both": patient("alice", "patient/Observation.cruds", "patient/Patient.rs")})
	body := observation("x", "alice")
	for _, row := range []struct {
		token, criteria string
		status          int
	}{
		{"narrow", "subject:Patient.name=alice", 403}, {"narrow", "_has:Provenance:target:recorded=2026", 403}, {"narrow", "_list=of-alice", 403},
		{"both", "subject:Patient.name=alice&_has:Observation:has-member:_id=a-panel", 200},
		{"both", "subject:Patient.name=brown", 201}, {"both", "_has:Observation:has-member:_id=b-panel", 201}, {"both", "_include=*", 400},
	} {
		got := s.send(t, row.token, "POST", "/Observation", body, "If-None-Exist", row.criteria, "Content-Type", "application/fhir+json")
		if got.status != row.status {
			t.Errorf("%s: %d %s, want %d", row.criteria, got.status, got.body, row.status)
		}
	}
}
