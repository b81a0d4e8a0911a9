package fhirapi_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/internal/fhirapi"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// Which letter opens which interaction; what is refused was never looked up.
//
// spec: RS-06, RSX-01, RSX-02, RSX-03, RSX-04, RSX-06, RSX-07, RSX-08, RSX-11, RSX-12, RSX-27, RSP-12, RSB-06, RSB-08, RSB-09, RSB-10, SCOPE-13
// attack: B.2, B.6, B.31, B.32, B.85, B.86, B.87, B.92, B.93, B.110, B.111, GW-01, GW-09, GW-19, GW-21
func TestGate(t *testing.T) {
	noPatient := patient("alice", "patient/*.rs")
	noPatient.Patient = ""
	nobody := access.Facts{ClientID: "app", Scopes: clinician([]string{"user/*.cruds"}).Scopes}
	s := tokens{
		"read": patient("alice", "patient/Observation.r"), "search": patient("alice", "patient/Observation.s"),
		"v1": patient("alice", "patient/Observation.read"), "v1-write": patient("alice", "patient/Observation.write"),
		"v1-star": patient("alice", "patient/Observation.*"), "all": patient("alice", "patient/*.cruds"),
		"root": patient("alice", "patient/Patient.rs"), "none": patient("alice", "openid", "launch/patient"),
		"no-patient": noPatient, "nobody": nobody, "system": patient("alice", "system/*.cruds"),
		"order": patient("alice", "patient/Observation.sr"), "empty-query": patient("alice", "patient/Observation.rs?"),
		"modifier": patient("alice", "patient/Observation.rs?category:in=x"), "type": patient("alice", "patient/Observations.rs"),
		"case": patient("alice", "patient/observation.rs", "PATIENT/Observation.rs"), "glued": patient("alice", "patient/Observation.rspatient/Patient.rs"),
		"letters": patient("alice", "patient/Observation.rsx", "patient/Observation."),
	}
	backend := &spy{Backend: openStore(t, ward())}
	door := newSite(t, backend, s)
	for _, row := range []struct {
		name, token, method, path string
		status                    int
	}{
		{"RSX-01 r: read", "read", "GET", "/Observation/a-lab", 200},
		{"RSX-01 r: vread", "read", "GET", "/Observation/a-lab/_history/1", 200},
		{"RSX-01 s: read", "search", "GET", "/Observation/a-lab", 403},
		{"RSX-01 s: vread", "search", "GET", "/Observation/a-lab/_history/1", 403},
		{"RSX-01 s: history", "search", "GET", "/Observation/a-lab/_history", 403},
		{"RSX-02 s: search", "search", "GET", "/Observation", 200},
		{"RSX-02 r: search", "read", "GET", "/Observation", 403},
		{"RSX-02 r: search by POST", "read", "POST", "/Observation/_search", 403},
		{"RSX-02 r: compartment search", "read", "GET", "/Patient/alice/Observation", 403},
		{"RSX-03 r: history of the type", "read", "GET", "/Observation/_history", 403},
		{"RSX-03 no scope: system history", "none", "GET", "/_history", 403},
		{"RSX-03 s: history of the type", "search", "GET", "/Observation/_history", 200},
		{"RSX-01 r: history of one", "read", "GET", "/Observation/moved/_history", 200},
		{"B.6 system history", "all", "GET", "/_history", 200},
		{"B.32 system search is not offered", "all", "GET", "/?_type=Observation", 501},
		{"RSX-04 create without c", "read", "POST", "/Observation", 403},
		{"RSX-06 update without u", "read", "PUT", "/Observation/a-lab", 403},
		{"RSX-06 patch without u", "read", "PATCH", "/Observation/a-lab", 403},
		{"RSX-07 delete without d", "read", "DELETE", "/Observation/a-lab", 403},
		{"RSX-04 create without a body", "all", "POST", "/Observation", 415},
		{"RSX-06 update without a body", "all", "PUT", "/Observation/a-lab", 415},
		{"RSX-06 patch without a body", "all", "PATCH", "/Observation/a-lab", 415},
		{"RSX-07 delete of nothing by name", "all", "DELETE", "/Observation", 400},
		{"B.73 create of a policy source", "all", "POST", "/CareTeam", 403},
		{"B.73 update of a policy source", "all", "PUT", "/Encounter/none", 403},
		{"B.73 delete of a patient", "all", "DELETE", "/Patient/alice", 403},
		{"B.74 create of a definition", "all", "POST", "/SearchParameter", 403},
		{"B.75 subscription", "all", "POST", "/Subscription", 403},
		{"B.76 stored Bundle", "all", "POST", "/Bundle", 403},
		{"create of a patient", "all", "POST", "/Patient", 403},
		{"RSX-08 search of a type without a scope", "read", "GET", "/Condition", 403},
		{"B.2 read of a type without a scope", "read", "GET", "/Condition/none", 403},
		{"RSX-11 v1 read: read", "v1", "GET", "/Observation/a-lab", 200},
		{"RSX-11 v1 read: search", "v1", "GET", "/Observation", 200},
		{"RSX-11 v1 read: create", "v1", "POST", "/Observation", 403},
		{"RSX-11 v1 write: read", "v1-write", "GET", "/Observation/a-lab", 403},
		{"RSX-11 v1 write: search", "v1-write", "GET", "/Observation", 403},
		{"RSX-11 v1 *: read", "v1-star", "GET", "/Observation/a-lab", 200},
		{"RSX-12 wildcard: another type", "all", "GET", "/Condition", 200},
		{"RSP-12 Group", "all", "GET", "/Group/none", 403},
		{"RSP-12 Bundle", "all", "GET", "/Bundle", 403},
		{"RSP-12 AuditEvent", "all", "GET", "/AuditEvent", 403},
		{"B.92 Person", "all", "GET", "/Person/none", 403},
		{"B.92 Linkage", "all", "GET", "/Linkage", 403},
		{"B.31 root scope only", "root", "GET", "/Patient/alice/Observation", 403},
		{"B.31 every type", "all", "GET", "/Patient/alice/*", 404},
		{"B.85 $everything", "all", "GET", "/Patient/alice/$everything", 200},
		{"B.85 $everything without the scope", "read", "GET", "/Patient/alice/$everything", 403},
		{"B.86 $export", "all", "GET", "/$export", 403},
		{"B.86 Group $export", "all", "GET", "/Group/none/$export", 403},
		{"B.87 $graphql", "all", "GET", "/$graphql?query=x", 403},
		{"B.88 $match", "all", "POST", "/Patient/$match", 403},
		{"B.89 $lastn", "all", "GET", "/Observation/$lastn", 403},
		{"RSB-08 $lastn without s", "read", "GET", "/Observation/$lastn?patient=bob", 403},
		{"RSB-08 $stats", "all", "GET", "/Observation/$stats", 403},
		{"RSB-08 $docref", "all", "GET", "/DocumentReference/$docref?patient=alice", 403},
		{"RSB-09 $expand", "all", "GET", "/ValueSet/$expand", 403},
		{"RSB-09 $expand of one", "all", "GET", "/ValueSet/none/$expand", 403},
		{"RSB-09 $lookup", "all", "GET", "/CodeSystem/$lookup", 403},
		{"RSB-09 $validate-code", "all", "GET", "/ValueSet/$validate-code", 403},
		{"RSB-09 $translate", "all", "POST", "/ConceptMap/$translate", 403},
		{"RSB-10 $member-match", "all", "POST", "/Patient/$member-match", 403},
		{"RSB-10 $merge", "all", "POST", "/Patient/$merge", 403},
		{"RSB-10 $graphql of one", "all", "POST", "/Patient/alice/$graphql", 403},
		{"RSB-10 $process-message", "all", "POST", "/$process-message", 403},
		{"RSB-10 $import", "all", "POST", "/$import", 403},
		{"RSB-10 $bulk-publish", "all", "GET", "/$bulk-publish", 403},
		{"B.90 $validate without a body", "all", "POST", "/Observation/$validate", 415},
		{"B.90 $validate by who writes nothing", "read", "POST", "/Observation/$validate", 403},
		{"B.90 $validate of a stored one", "all", "POST", "/Observation/a-lab/$validate", 403},
		{"B.90 $validate of any type", "all", "POST", "/$validate", 403},
		{"B.90 $validate of what no app writes", "all", "POST", "/CareTeam/$validate", 403},
		{"RSX-05 conditional update without s", "v1-write", "PUT", "/Observation?status=final", 403},
		{"RSX-05 conditional delete without s", "v1-write", "DELETE", "/Observation?status=final", 403},
		{"RSX-05 conditional patch without s", "v1-write", "PATCH", "/Observation?status=final", 403},
		{"B.93 $anything", "all", "GET", "/$anything", 403},
		{"B.110 no patient in context: read", "no-patient", "GET", "/Observation/a-lab", 403},
		{"B.110 no patient in context: search", "no-patient", "GET", "/Observation", 403},
		{"B.110 no user: read", "nobody", "GET", "/Observation/a-lab", 403},
		{"B.110 system scope in a token of a user", "system", "GET", "/Observation/a-lab", 403},
		{"B.111 letters in another order", "order", "GET", "/Observation", 403},
		{"B.111 a question mark and nothing", "empty-query", "GET", "/Observation", 403},
		{"B.111 a modifier that scopes do not have", "modifier", "GET", "/Observation", 403},
		{"B.111 a type that does not exist", "type", "GET", "/Observation", 403},
		{"B.111 another case", "case", "GET", "/Observation", 403},
		{"B.111 two scopes in one", "glued", "GET", "/Observation", 403},
		{"B.111 letters that do not exist", "letters", "GET", "/Observation", 403},
		{"RSX-27 TRACE", "all", "TRACE", "/Observation/a-lab", 405},
		{"RSX-27 a made-up method", "all", "LOOK", "/Observation/a-lab", 405},
		{"RSX-27 lower case", "all", "get", "/Observation/a-lab", 405},
		{"RSX-26 OPTIONS", "all", "OPTIONS", "/Observation/a-lab", 405},
		{"GW-01 no token", "", "GET", "/Observation/a-lab", 401},
		{"GW-01 no token: a path that does not exist", "", "GET", "/nothing/here", 401},
		{"GW-01 no token: below metadata", "", "GET", "/metadata/x", 401},
		{"GW-01 unknown token", "who", "GET", "/Observation/a-lab", 401},
	} {
		t.Run(row.name, func(t *testing.T) {
			backend.calls = 0
			got := door.send(t, row.token, row.method, row.path, "")
			if row.method == "POST" && strings.HasSuffix(row.path, "_search") {
				got = door.send(t, row.token, row.method, row.path, "", "Content-Type", "application/x-www-form-urlencoded")
			}
			if got.status != row.status {
				t.Fatalf("%d %s, want %d", got.status, got.body, row.status)
			}
			if got.status != 200 && backend.calls > 0 {
				t.Errorf("%d calls reached the backend", backend.calls)
			}
			if got.status != 200 && !strings.Contains(got.body, `"resourceType":"OperationOutcome"`) {
				t.Errorf("no OperationOutcome: %s", got.body)
			}
			if got.status == 401 && !strings.HasPrefix(got.header.Get("WWW-Authenticate"), "Bearer ") {
				t.Errorf("challenge: %q", got.header.Get("WWW-Authenticate"))
			}
			if scope := strings.Contains(got.header.Get("WWW-Authenticate"), "insufficient_scope"); scope && got.status != 403 {
				t.Errorf("insufficient_scope with %d", got.status)
			}
		})
	}
}

// What goes wrong behind the door closes it, and tells nothing of how.
//
// spec: RS-11, RS-22, ERR-42, ERR-48
// attack: B.106, B.116, GW-37
func TestFailures(t *testing.T) {
	known := tokens{"alice": patient("alice", "patient/*.rs")}
	const secret = "pq: relation observation_7 of bob"
	for _, row := range []struct {
		name, token string
		err         error
		status      int
		code        string
	}{
		{"tokens cannot be verified", "unavailable", nil, 503, "transient"},
		{"verification breaks", "broken", nil, 500, "exception"},
		{"what stands behind a token breaks off", "costly", nil, 500, "exception"},
		{"what stands behind a token is missing", "missing", nil, 500, "exception"},
		{"what stands behind a token is busy", "busy", nil, 503, "transient"},
		{"more patients than can be found", "wide", nil, 500, "too-costly"},
		{"the database is down", "alice", errors.New(secret), 500, "exception"},
		{"too costly", "alice", fmt.Errorf("%s: %w", secret, fhirstore.ErrTooCostly), 403, "too-costly"},
		{"not in the view", "alice", fmt.Errorf("%s: %w", secret, fhirstore.ErrNotFound), 404, "not-found"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newSite(t, failing{row.err}, known)
			for _, path := range []string{"/Patient/alice", "/Patient/alice/_history/1", "/Observation?patient=alice"} {
				got := s.get(t, row.token, path)
				if got.status != row.status || !strings.Contains(got.body, `"code":"`+row.code+`"`) {
					t.Errorf("%s: %d %s", path, got.status, got.body)
				}
				if row.token == "wide" && (!strings.Contains(got.body, "reaches more patients") || !strings.Contains(s.log.String(), "doctor-7")) {
					t.Errorf("%s: body %s, log %s", path, got.body, s.log)
				}
				if strings.Contains(got.body, "fewer") && row.status != 403 || strings.Contains(got.body, "doctor-7") {
					t.Errorf("%s: blames the search or tells who: %s", path, got.body)
				}
				if strings.Contains(got.body, "observation_7") || strings.Contains(got.body, "secret_keys") {
					t.Errorf("%s: inner text: %s", path, got.body)
				}
				if row.status == 503 && got.header.Get("Retry-After") == "" {
					t.Errorf("%s: no Retry-After", path)
				}
			}
		})
	}
}

// The token stands in one place and has one form.
//
// spec: RS-02, RS-03, RS-04, ERR-40, ERR-41
// attack: B.109, HT-11
func TestBearer(t *testing.T) {
	s := newSite(t, openStore(t, ward()), tokens{"alice": patient("alice", "patient/*.rs")})
	for _, row := range []struct {
		name   string
		path   string
		header []string
		status int
		error  string // of the challenge
	}{
		{"RS-02 as written", "", []string{"Authorization", "Bearer alice"}, 200, ""},
		{"RS-02 lower case", "", []string{"Authorization", "bearer alice"}, 200, ""},
		{"RS-02 upper case", "", []string{"Authorization", "BEARER alice"}, 200, ""},
		{"ERR-40 none", "", nil, 401, ""},
		{"ERR-41 Basic", "", []string{"Authorization", "Basic YTpi"}, 401, ""},
		{"ERR-41 no scheme", "", []string{"Authorization", "alice"}, 401, ""},
		{"ERR-41 no token", "", []string{"Authorization", "Bearer"}, 401, "invalid_token"},
		{"ERR-41 empty token", "", []string{"Authorization", "Bearer "}, 401, "invalid_token"},
		{"ERR-41 two blanks", "", []string{"Authorization", "Bearer  alice"}, 401, "invalid_token"},
		{"ERR-41 blank behind", "", []string{"Authorization", "Bearer alice "}, 401, "invalid_token"},
		{"ERR-41 two tokens", "", []string{"Authorization", "Bearer alice, alice"}, 401, "invalid_token"},
		{"ERR-41 padding only", "", []string{"Authorization", "Bearer ==="}, 401, "invalid_token"},
		{"HT-11 not ASCII", "", []string{"Authorization", "Bearer alicé"}, 401, "invalid_token"},
		{"HT-05 long", "", []string{"Authorization", "Bearer " + strings.Repeat("a", 9<<10)}, 401, "invalid_token"},
		{"B.109 two headers", "", []string{"Authorization", "Bearer alice", "Authorization", "Bearer alice"}, 400, "invalid_request"},
		{"B.109 query", "?access_token=alice", nil, 400, "invalid_request"},
		{"B.109 query beside the header", "?access_token=alice", []string{"Authorization", "Bearer alice"}, 400, "invalid_request"},
		{"B.109 query, escaped name", "?access%5Ftoken=alice", []string{"Authorization", "Bearer alice"}, 400, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := s.get(t, "", "/Patient/alice"+row.path, row.header...)
			if got.status != row.status {
				t.Fatalf("%d %s, want %d", got.status, got.body, row.status)
			}
			if c := got.header.Get("WWW-Authenticate"); row.error != "" && !strings.Contains(c, `error="`+row.error+`"`) {
				t.Errorf("challenge %q, want %s", c, row.error)
			}
		})
	}
}

// A door without one of its parts is not made.
func TestNewRefusesMissingParts(t *testing.T) {
	if _, err := fhirapi.New(fhirapi.Deps{}); err == nil {
		t.Error("no parts at all")
	}
}

// The method cannot be changed by a header, and identity cannot be claimed by one.
//
// spec: RS-08, RS-18
// attack: B.101, B.102, GW-21
func TestHeadersThatClaim(t *testing.T) {
	s := newSite(t, openStore(t, ward()), tokens{"alice": patient("alice", "patient/*.rs")})
	for _, header := range [][]string{
		{"X-HTTP-Method-Override", "DELETE"}, {"X-Method-Override", "PUT"}, {"X-HTTP-Method", "DELETE"},
		{"X-User", "bob"}, {"X-Patient", "bob"}, {"X-Forwarded-User", "bob"}, {"X-Forwarded-Host", "evil.test"}, {"Forwarded", "host=evil.test"},
	} {
		if got := s.get(t, "alice", "/Patient/alice", header...); got.status != http.StatusOK {
			t.Errorf("%v: own %d", header, got.status)
		}
		if got := s.get(t, "alice", "/Patient/bob", header...); got.status != http.StatusNotFound {
			t.Errorf("%v: another's %d", header, got.status)
		}
		if got := s.get(t, "alice", "/Observation?_count=1", header...); strings.Contains(got.body, "evil.test") {
			t.Errorf("%v: %s", header, got.body)
		}
	}
}
