package access_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/smart"
)

// request parses a request line such as "GET /Observation/1".
func request(t testing.TB, line string) fhir.Interaction {
	t.Helper()
	method, path, _ := strings.Cut(line, " ")
	i, err := fhir.ParseInteraction(method, path)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return i
}

// Which letter each request needs.
//
// spec: RSX-01, RSX-02, RSX-03, RSX-04, RSX-06, RSX-07, RSX-11, RSX-12, SCOPE-08, SCOPE-13, SCOPE-35
// attack: B.31
func TestLettersOfRequests(t *testing.T) {
	for _, row := range []struct {
		name, line string
		letter     string
	}{
		{"RSX-01 read", "GET /Observation/1", "r"},
		{"RSX-01 vread", "GET /Observation/1/_history/2", "r"},
		{"RSX-01 instance history", "GET /Observation/1/_history", "r"},
		{"RS-17 HEAD", "HEAD /Observation/1", "r"},
		{"RSX-02 search", "GET /Observation", "s"},
		{"RSX-02 search by POST", "POST /Observation/_search", "s"},
		{"RSX-03 type history", "GET /Observation/_history", "s"},
		{"RSX-03 system search", "GET /", "s"},
		{"RSX-03 system search by POST", "POST /_search", "s"},
		{"RSX-03 system history", "GET /_history", "s"},
		{"B.31 compartment search", "GET /Patient/a/Observation", "s"},
		{"RSX-04 create", "POST /Observation", "c"},
		{"RSX-06 update", "PUT /Observation/1", "u"},
		{"RSX-06 conditional update", "PUT /Observation", "u"},
		{"RSX-06 patch", "PATCH /Observation/1", "u"},
		{"RSX-07 delete", "DELETE /Observation/1", "d"},
		{"RSX-07 conditional delete", "DELETE /Observation", "d"},
	} {
		t.Run(row.name, func(t *testing.T) {
			i := request(t, row.line)
			for letters := range strings.SplitSeq("c r u d s rs cud cruds read write *", " ") {
				for _, level := range []token{ofPatient("a", "patient/Observation."+letters), ofClinician("user/*."+letters, "a")} {
					d := access.Decide(level.subject(), i)
					want := strings.Contains(lettersOf(letters), row.letter)
					if d.Allowed() != want {
						t.Errorf("%s under %s: allowed %v, want %v", row.line, level.scopes, d.Allowed(), want)
					}
					if !want && (!d.Refusal().InsufficientScope || d.Refusal().HTTPStatus() != http.StatusForbidden || d.Refusal().OutcomeCode() != "forbidden") {
						t.Errorf("%s under %s: refused with %+v", row.line, level.scopes, d.Refusal())
					}
					if want && d.Refusal() != (access.Refusal{}) {
						t.Errorf("allowed, and a refusal %+v", d.Refusal())
					}
				}
			}
		})
	}
}

// The gate looks at token and request line, at nothing else.
//
// spec: RSX-08, RSX-12, RSX-13, RSX-27, RSP-12, RSB-06, RSB-10, SCOPE-17
// attack: B.2, B.31, B.32, B.74, B.87, B.92, B.93
func TestGate(t *testing.T) {
	wide := "patient/*.cruds user/*.cruds openid fhirUser"
	for _, row := range []struct {
		name, scopes, line string
		allowed            bool
		reason             string
		insufficient       bool
	}{
		{"a type with a scope", "patient/Observation.rs", "GET /Observation", true, "scope patient/Observation.rs", false},
		{"the scope that names the type comes first", "patient/*.rs patient/Observation.r", "GET /Observation/1", true, "scope patient/Observation.r", false},
		{"RSX-12 the wildcard", "patient/*.rs", "GET /Immunization", true, "scope patient/*.rs", false},
		{"a constrained scope may be tried", "patient/Observation.r?category=" + labs, "GET /Observation/1", true, "scope patient/Observation.r?category=" + labs, false},
		{"RSX-08 a type without one", "patient/Observation.rs", "GET /Condition", false, "refused: The access token has no scope for the search-type interaction on Condition.", true},
		{"B.31 root in scope, result type not", "patient/Patient.rs", "GET /Patient/a/Observation", false, "refused: The access token has no scope for the search-type interaction on Observation.", true},
		{"B.32 every type", "patient/Observation.r", "GET /", false, "refused: The access token has no scope for the search-system interaction.", true},
		{"B.32 a closed type by its own scope", "user/Group.rs", "GET /", false, "refused: The access token has no scope for the search-system interaction.", true},
		{"B.32 a shared type", "user/Location.rs", "GET /", true, "scope user/Location.rs", false},
		{"B.32 the wildcard", "patient/Patient.r user/*.s", "GET /_history", true, "scope user/*.s", false},
		{"a shared type", "patient/*.rs", "GET /Practitioner/1", true, "scope patient/*.rs", false},
		{"a shared type is not written", wide, "POST /Practitioner", false, "refused: No app changes resources of the type Practitioner.", false},
		{"B.73 a policy source is not written", wide, "POST /CareTeam", false, "refused: No app changes resources of the type CareTeam: they say who reaches whom.", false},
		{"B.73 a policy source is not deleted", wide, "DELETE /Encounter/1", false, "refused: No app changes resources of the type Encounter: they say who reaches whom.", false},
		{"B.73 a policy source is read", wide, "GET /CareTeam", true, "scope patient/*.cruds", false},
		{"B.73 a patient is not deleted", wide, "DELETE /Patient/a", false, "refused: No app deletes a Patient.", false},
		{"B.74 definitions are not written", wide, "PUT /SearchParameter/1", false, "refused: No app changes resources of the type SearchParameter.", false},
		{"B.92 Group", wide, "GET /Group/1", false, "refused: No app reaches resources of the type Group.", false},
		{"B.92 AuditEvent by its own scope", "user/AuditEvent.cruds", "GET /AuditEvent", false, "refused: No app reaches resources of the type AuditEvent.", false},
		{"RSP-12 Bundle", wide, "GET /Bundle/1", false, "refused: No app reaches resources of the type Bundle.", false},
		{"RSP-12 Person", wide, "GET /Person", false, "refused: No app reaches resources of the type Person.", false},
		{"nobody makes a patient under patient/", "patient/*.cruds patient/Patient.c", "POST /Patient", false, "refused: The access token has no scope for the create interaction on Patient.", true},
		{"a patient is updated under patient/", "patient/Patient.u", "PUT /Patient/a", true, "scope patient/Patient.u", false},
		{"B.87 an operation", wide, "GET /$graphql", false, "refused: This server does not offer the operation interaction to apps.", false},
		{"B.93 an operation on a record", wide, "GET /Patient/a/$everything", false, "refused: This server does not offer the operation interaction to apps.", false},
		{"a batch", wide, "POST /", false, "refused: This server does not offer the batch interaction to apps.", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			caller := token{scopes: row.scopes, patient: "a", user: true, reach: []string{"a", "b"}, fhirUser: "Practitioner/p"}
			d := access.Decide(caller.subject(), request(t, row.line))
			if d.Allowed() != row.allowed || d.Refusal().InsufficientScope != row.insufficient {
				t.Errorf("allowed %v, refusal %+v", d.Allowed(), d.Refusal())
			}
			if diff := cmp.Diff([]string{row.reason}, d.Reasons()); diff != "" {
				t.Errorf("reasons (-want +got):\n%s", diff)
			}
			if !row.allowed && (d.View("Observation") != nil || d.IncludeView("Observation") != nil) {
				t.Error("refused, and there is a view")
			}
		})
	}
	t.Run("RSX-27 an interaction that nobody knows", func(t *testing.T) {
		d := access.Decide(token{scopes: wide, patient: "a", user: true, reach: []string{"a"}}.subject(), fhir.Interaction{Code: "expunge", Type: "Patient", ID: "a"})
		if d.Allowed() || d.View("Patient") != nil {
			t.Error("allowed")
		}
	})
}

// A claim that is missing is never "no limit".
//
// spec: SCOPE-19, SCOPE-21
// attack: B.110
func TestScopesWithoutTheirClaim(t *testing.T) {
	everyone := []thing{about("Patient", "a", "a"), about("Observation", "1", "a"), about("Practitioner", "p"), about("Observation", "2")}
	for _, row := range []struct {
		name string
		token
	}{
		{"patient/ without a patient", token{scopes: "patient/*.cruds", user: true, reach: []string{"a"}}},
		{"patient/ without patient and user", token{scopes: "patient/*.cruds"}},
		{"user/ without a user", token{scopes: "user/*.cruds", patient: "a", reach: []string{"a"}}},
		{"system/", token{scopes: "system/*.cruds", patient: "a", user: true, reach: []string{"a"}}},
		{"system/ by itself", token{scopes: "system/*.rs"}},
		{"no scope", token{patient: "a", user: true, reach: []string{"a"}}},
		{"names only", token{scopes: "openid launch/patient offline_access", patient: "a", user: true, reach: []string{"a"}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			for _, r := range everyone {
				for _, i := range []fhir.Interaction{read(r), find(r.kind), {Code: fhir.SearchSystem}} {
					d := access.Decide(row.subject(), i)
					if d.Allowed() || d.Admits(r.resource(t), r.owned()) || d.AdmitsInclude(r.resource(t), r.owned()) {
						t.Errorf("%s is reached by %s", r.id, i.Code)
					}
				}
			}
		})
	}
}

// A scope that is not understood as a whole grants nothing.
//
// spec: SCOPE-31, SCOPE-47
// attack: B.111
func TestScopesThatAreNotUnderstood(t *testing.T) {
	own := observation("1", "a", coding{observationCategory, "laboratory"})
	for _, text := range []string{
		"patient/Observation.rs?", "patient/Observation.sr", "patient/Observation.rs?category:in=http://x", "patient/Observations.rs",
		"patient/Observation.rs?foo=bar", "patient/Observation.rs?category=" + labs + "&foo=bar", "patient/*.rs?category=" + labs, "patient/observation.rs",
		"patient/Observation.rs?code-value-quantity=x$5", "*/*.*", "patient/Observation", "",
	} {
		caller := ofPatient("a", text)
		if caller.reads(t, own) || caller.finds(t, own) || access.Decide(caller.subject(), read(own)).Allowed() {
			t.Errorf("%q grants something", text)
		}
	}
}

func TestTheZeroDecisionSeesNothing(t *testing.T) {
	var zero access.Decision
	var nobody access.Subject
	r := about("Patient", "a", "a")
	for name, d := range map[string]access.Decision{
		"zero": zero, "nobody reads": access.Decide(nobody, read(r)), "nobody searches everything": access.Decide(nobody, fhir.Interaction{Code: fhir.SearchSystem}),
		"nobody asks nothing": access.Decide(nobody, fhir.Interaction{}),
	} {
		if d.Allowed() || d.View("Patient") != nil || d.IncludeView("Patient") != nil || d.Admits(r.resource(t), r.owned()) || d.AdmitsInclude(r.resource(t), r.owned()) {
			t.Errorf("%s: sees something", name)
		}
		if d.Refusal().Text == "" || len(d.Reasons()) != 1 || !strings.HasPrefix(d.Reasons()[0], "refused: ") || d.Base() != "" {
			t.Errorf("%s: %+v, %q", name, d.Refusal(), d.Reasons())
		}
	}
	if nobody.ClientID()+nobody.GrantID()+nobody.UserID()+nobody.Patient() != "" {
		t.Error("nobody is somebody")
	}
}

func TestTheServersOwnWorkSeesEverything(t *testing.T) {
	d := access.System("who reaches whom", base)
	for _, r := range []thing{about("Patient", "a", "a"), about("Group", "g"), about("Observation", "nobodys"), about("Practitioner", "p")} {
		if !d.Admits(r.resource(t), r.owned()) || !d.AdmitsInclude(r.resource(t), r.owned()) {
			t.Errorf("%s/%s is hidden", r.kind, r.id)
		}
	}
	if d.Admits(fhir.Resource{}, about("Patient", "a", "a").owned()) || d.AdmitsInclude(fhir.Resource{}, about("Patient", "a", "a").owned()) {
		t.Error("no resource is admitted")
	}
	if diff := cmp.Diff([]string{"system: who reaches whom"}, d.Reasons()); diff != "" || d.Base() != base || !d.Allowed() {
		t.Errorf("base %q, reasons %s", d.Base(), diff)
	}
}

func TestWhoAsks(t *testing.T) {
	s := access.NewSubject(access.Facts{ClientID: "c", GrantID: "g", UserID: "u", Patient: "p", Base: base, Scopes: smart.NewScopeSet([]string{"patient/*.rs"})})
	if got := []string{s.ClientID(), s.GrantID(), s.UserID(), s.Patient(), access.Decide(s, find("Patient")).Base()}; !cmp.Equal(got, []string{"c", "g", "u", "p", base}) {
		t.Error(got)
	}
}
