package fhirapi_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/audit"
	"github.com/emberlatch/emberlatch/internal/fhirapi"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/sensitive"
	"github.com/emberlatch/emberlatch/smart"
)

// surveys is a category that practitioners read in the app ehr.
var surveys = sensitive.New([]sensitive.Definition{{
	Name: "surveys", Codes: []sensitive.Code{{System: categories, Code: "survey"}}, Labels: []sensitive.Code{{System: "urn:s", Code: "S"}},
	Readers: []access.Reader{{Audience: access.AudiencePractitioner, Apps: []string{"ehr"}}},
}}, nil)

func classified(d *fhirapi.Deps) { d.Sensitive = surveys }

// careful are the same facts with the category, in an app.
func careful(f access.Facts, app string) access.Facts {
	f.Sensitive, f.ClientID = surveys.Policy(), app
	return f
}

var careTokens = tokens{
	"alice": careful(patient("alice", "patient/*.cruds"), "app"), "doctor": careful(clinician([]string{"user/*.cruds"}, "alice", "bob"), "ehr"),
	"stranger": careful(clinician([]string{"user/*.cruds"}, "alice", "bob"), "app"), "service": careful(access.Facts{Scopes: smart.NewScopeSet([]string{"system/*.rs"}), Own: access.Own{All: true}}, "service"),
}

// careWard is the ward with what derives from, and leads to, what is sensitive.
func careWard(with bool) (list []string) {
	for in := range ward() {
		list = append(list, string(in.JSON))
	}
	if !with {
		list = slices.DeleteFunc(list, func(text string) bool { return strings.Contains(text, "survey") })
	}
	list = append(list, `{"resourceType":"DiagnosticReport","id":"d","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/alice"},"result":[{"reference":"Observation/a-survey"},{"reference":"Observation/a-lab"}]}`)
	if with {
		list = append(list, `{"resourceType":"Provenance","id":"prov-survey","target":[{"reference":"Observation/a-survey"},{"reference":"Observation/a-lab"}],"recorded":"2026-01-05T09:00:00Z","agent":[{"who":{"reference":"Practitioner/p1"}}]}`,
			`{"resourceType":"Binary","id":"bin","contentType":"text/plain","securityContext":{"reference":"Observation/a-survey"}}`)
	}
	return list
}

var stamps = regexp.MustCompile(`"(lastUpdated|timestamp)":"[^"]*"|_page=[A-Za-z0-9_-]+|\?_since=[^"]*`)

// What is withheld is by no way in an answer: the answers are those of a store without it.
//
// attack: GW-40, B.1, B.5, B.12, B.14, B.40, B.41, B.42, B.43, B.44, B.46, B.48, B.85, B.86
func TestWithheldContentIsInNoAnswer(t *testing.T) {
	paths := []string{
		"/Observation", "/Observation?_count=1", "/Observation?_count=2&_sort=-_id", "/Observation?_summary=count", "/Observation?_total=accurate&_count=1", "/Observation?category=survey",
		"/Observation?_id=a-survey", "/Observation/a-survey", "/Observation/a-survey/_history/1", "/Observation/a-two/_history", "/Observation/_history", "/Observation?_has:Provenance:target:_id=prov-survey",
		"/DiagnosticReport?result:Observation.category=survey", "/DiagnosticReport?result.status=final&_include=DiagnosticReport:result", "/Patient?_has:Observation:patient:category=survey", "/Patient?_revinclude=Observation:subject",
		"/Patient/alice/Observation", "/Patient/alice/$everything", "/Patient/alice/$everything?_type=Observation&_count=2", "/Provenance", "/Provenance/prov-survey", "/Binary/bin", "/Observation?_revinclude=Provenance:target",
		"/Observation?category:not=laboratory", "/Practitioner/p1",
	}
	answers := func(with bool) map[string]string {
		s := newSite(t, openClassified(t, surveys, of(careWard(with)...)), careTokens, classified)
		m := map[string]string{}
		for _, token := range []string{"alice", "stranger", "service"} {
			for _, path := range paths {
				if token == "service" && strings.Contains(path, "everything") {
					continue
				}
				got := s.get(t, token, path)
				m[token+" "+path] = fmt.Sprint(got.status, " ", stamps.ReplaceAllString(got.body, ""))
			}
		}
		return m
	}
	with, without := answers(true), answers(false)
	for path, want := range without {
		if diff := cmp.Diff(want, with[path]); diff != "" {
			t.Errorf("%s (-without what is withheld +with it):\n%s", path, diff)
		}
	}
	s := newSite(t, openClassified(t, surveys, of(careWard(true)...)), careTokens, classified)
	if got := s.get(t, "doctor", "/Observation/a-survey"); got.status != http.StatusOK {
		t.Errorf("its reader: %d", got.status)
	}
	if _, found := s.find(t, "doctor", "/DiagnosticReport?result:Observation.category=survey&_include=DiagnosticReport:result"); !slices.Contains(found, "Observation/a-survey") {
		t.Errorf("its reader finds %v", found)
	}
}

// What is withheld is as missing to writes; what would be withheld is not made, nor labelled.
//
// attack: GW-40, B.60, B.61, B.64, B.72
func TestWithheldContentIsNotWritten(t *testing.T) {
	survey := observation("a-survey", "alice", categories+"|survey")
	plain := observation("a-survey", "alice")
	for _, row := range []struct {
		name, token, method, path, body string
		want                            int
	}{
		{"an update", "alice", "PUT", "/Observation/a-survey", plain, 404}, {"of nothing", "alice", "PUT", "/Observation/none", strings.Replace(plain, "a-survey", "none", 1), 404},
		{"a deletion", "alice", "DELETE", "/Observation/a-survey", "", 404}, {"a creation", "alice", "POST", "/Observation", survey, 403},
		{"a creation with a label", "alice", "POST", "/Observation", strings.Replace(plain, `"status"`, `"meta":{"security":[{"system":"urn:s","code":"S"}]},"status"`, 1), 403},
		{"a creation with a label that nobody knows", "doctor", "POST", "/Observation", strings.Replace(plain, `"status"`, `"meta":{"security":[{"system":"urn:x","code":"S"}]},"status"`, 1), 403},
		{"an update that makes it so", "alice", "PUT", "/Observation/a-lab", strings.Replace(survey, "a-survey", "a-lab", 1), 403},
		{"a reference to it", "alice", "POST", "/DiagnosticReport", `{"resourceType":"DiagnosticReport","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/alice"},"result":[{"reference":"Observation/a-survey"}]}`, 422},
		{"a condition on it", "alice", "PUT", "/Observation?category=survey", plain, 404},
		{"its reader, a creation", "doctor", "POST", "/Observation", survey, 201}, {"its reader, an update", "doctor", "PUT", "/Observation/a-survey", survey, 200},
	} {
		s := newSite(t, openClassified(t, surveys, of(careWard(true)...)), careTokens, classified)
		if got := s.send(t, row.token, row.method, row.path, row.body, "Content-Type", "application/fhir+json"); got.status != row.want {
			t.Errorf("%s: %d, want %d: %s", row.name, got.status, row.want, got.body)
		}
	}
}

// The record of an access says what of whom was sensitive; of whom nothing was, nothing.
//
// spec: AUD-04
// attack: GW-40
func TestTheRecordSaysWhatWasSensitive(t *testing.T) {
	s := newSite(t, openClassified(t, surveys, of(append(careWard(true), observation("b-survey", "bob", categories+"|survey"))...)), careTokens, classified)
	for path, want := range map[string]string{
		"/Observation/a-survey": "map[alice:[surveys]]", "/Observation/a-lab": "map[]", "/Observation?_id=a-survey,b-lab&_sort=-_id": "map[alice:[surveys]]",
		"/Observation?_id=a-survey,b-survey,a-two": "map[alice:[surveys] bob:[surveys]]", "/DiagnosticReport?_include=DiagnosticReport:result": "map[alice:[surveys]]", "/Binary/bin": "map[alice:[surveys]]",
		"/Observation/a-survey/_history": "map[alice:[surveys]]", "/Patient/alice/$everything": "map[alice:[surveys]]", "/Observation/none": "map[]",
	} {
		s.get(t, "doctor", path)
		if len(s.trail.list) != 1 || fmt.Sprint(s.trail.list[0].Sensitive) != want {
			t.Errorf("%s: %v, want %s", path, s.trail.list, want)
		}
		s.trail.told()
	}
	s.get(t, "alice", "/Observation/a-survey")
	if got := s.trail.list[0].Sensitive; len(got) > 0 {
		t.Errorf("what was not shown: %v", got)
	}
	s.trail.told()
	s.send(t, "doctor", http.MethodPost, "", `{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Observation/a-survey"}},{"request":{"method":"GET","url":"Observation/a-lab"}}]}`, "Content-Type", "application/fhir+json")
	for i, want := range []string{"map[alice:[surveys]]", "map[]"} {
		if got := fmt.Sprint(s.trail.list[i].Sensitive); got != want {
			t.Errorf("entry %d of a batch: %s", i, got)
		}
	}
}

// ledgered are events that were recorded about alice.
type ledgered []fhir.Resource

func (e ledgered) Each(_ context.Context, _ string, _ audit.Span, _ audit.Position, visit func(fhir.Resource) (bool, error)) (audit.Position, error) {
	for _, r := range e {
		if more, err := visit(r); err != nil || !more {
			return audit.Position{}, err
		}
	}
	return audit.Position{}, nil
}

func (e ledgered) One(_ context.Context, _, id string) (fhir.Resource, error) {
	for _, r := range e {
		if r.ID() == id {
			return r, nil
		}
	}
	return fhir.Resource{}, fhirstore.ErrNotFound
}

// An app that does not read a category is not told that it was looked at.
//
// spec: AUD-15
// attack: GW-40, B.92
func TestTheTrailOfWhatIsWithheldIsWithheld(t *testing.T) {
	var events ledgered
	for id, label := range map[string]string{"plain": "", "held": `,"securityLabel":[{"system":"urn:emberlatch:sensitive","code":"surveys"}]`, "gone": `,"securityLabel":[{"system":"urn:emberlatch:sensitive","code":"of-before"}]`} {
		r, err := fhir.ParseResource([]byte(`{"resourceType":"AuditEvent","id":"` + id + `","recorded":"2026-11-26T10:00:00Z","entity":[{"what":{"reference":"Observation/a-survey"}` + label + `}]}`))
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, r)
	}
	own := access.Facts{UserID: "u", HasUser: true, Patient: "alice", FHIRUser: fhir.Reference{Type: "Patient", ID: "alice"}, Reach: patient("alice").Reach, Scopes: smart.NewScopeSet([]string{"patient/AuditEvent.rs"})}
	s := newSite(t, openClassified(t, surveys, of()), tokens{"careful": careful(own, "app"), "free": own}, classified, func(d *fhirapi.Deps) { d.Events = events })
	for token, want := range map[string][]string{"careful": {"AuditEvent/plain"}, "free": {"AuditEvent/gone", "AuditEvent/held", "AuditEvent/plain"}} {
		if _, got := s.find(t, token, "/AuditEvent"); !slices.Equal(got, want) {
			t.Errorf("%s: %v", token, got)
		}
		if got := s.get(t, token, "/AuditEvent/held"); (got.status == http.StatusOK) != (token == "free") {
			t.Errorf("%s: %d", token, got.status)
		}
	}
}
