package catalogue_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// attack: B.40 to B.56
func TestSearchJoinsCountsAndPages(t *testing.T) { run(t, searchJoins) }

// denied is a join over V alone in the store, and not offered by the gateway.
func denied(found []string, paths ...string) []ask {
	list := asOne(found, paths...)
	for i := range list {
		list[i].gateway = http.StatusBadRequest
	}
	return list
}

var searchJoins = []row{
	{number: "40", asks: slices.Concat(
		denied(none, "/Observation?has-member.subject=Patient/bob", "/Observation?has-member.status=final", "/DiagnosticReport?result.subject=Patient/bob", "/Observation?performer:Patient.birthdate=1970-01-02"),
		asOne(none, "/Observation?subject:Patient.name=Bob", "/Observation?patient.birthdate=1970-01-02", "/Condition?patient.name=Trap&subject:Patient.name=Bob"),
		asOne(labs, "/Observation?subject:Patient.name=Trap&category=http://terminology.hl7.org/CodeSystem/observation-category%7Claboratory", "/Observation?patient.name=Trap&patient.birthdate=1980-01-02&category=http://terminology.hl7.org/CodeSystem/observation-category%7Claboratory"),
		[]ask{{as: "lab", path: "/Observation?patient.name=Trap", status: 403, like: "/Observation?patient.name=Nada"}},
		denied([]string{"DiagnosticReport/report"}, "/DiagnosticReport?result.subject=Patient/alice"))},
	{number: "41", asks: slices.Concat(
		denied(none, "/Patient?_has:Observation:performer:status=final", "/Patient?_has:Condition:asserter:patient=bob", "/Observation?_has:Observation:has-member:_id=bob-lab", "/Observation?_has:DiagnosticReport:result:_id=bob-report"),
		denied([]string{"Patient/alice"}, "/Patient?_has:Observation:patient:code=2339-0"))},
	{number: "42", asks: slices.Concat(
		asOne([]string{"DiagnosticReport/report", "Observation/alice-lab"}, "/DiagnosticReport?_include=DiagnosticReport:result"),
		denied([]string{"DiagnosticReport/report", "Observation/alice-lab"}, "/DiagnosticReport?_include=DiagnosticReport:result&_include:iterate=Observation:has-member"),
		asOne([]string{"Coverage/alice-coverage", "Patient/alice"}, "/Coverage?_include=Coverage:subscriber"), asOne([]string{"Patient/alice"}, "/Patient?_include=Patient:link"),
		asOne([]string{"Observation/alice-member-bob"}, "/Observation?_id=alice-member-bob&_include=Observation:has-member&_include=Observation:performer"),
		[]ask{{as: "reports", path: "/DiagnosticReport?_include=DiagnosticReport:result", status: 200, found: []string{"DiagnosticReport/report"}}})},
	{number: "43", asks: asOne([]string{"Patient/alice"}, "/Patient?_id=alice&_revinclude=Observation:focus", "/Patient?_id=alice&_revinclude=Observation:performer", "/Patient?_id=alice&_revinclude=Condition:asserter", "/Patient?_id=alice&_revinclude=Patient:link")},
	{number: "44", asks: slices.Concat(asOne([]string{"Observation/alice-lab", "Provenance/of-alice"}, "/Observation?_id=alice-lab&_revinclude=Provenance:target"),
		[]ask{{path: "/Provenance/of-both", status: 404, like: "/Provenance/none"}, {path: "/Provenance/of-alice", status: 200}, {path: "/AuditEvent/event", status: 403, like: "/AuditEvent/none"},
			{path: "/Provenance?target=Observation/bob-lab", status: 200, found: none}})},
	{number: "45", asks: slices.Concat(asOne([]string{"Observation/alice-no-category"}, "/Observation?category:missing=true"),
		asOne([]string{"Observation/alice-no-category", "Observation/alice-vital"}, "/Observation?category:not=laboratory"),
		refusals(400, "/Observation?code:in=http://x", "/Observation?code:not-in=http://x"))},
	{number: "46", more: unchanged("/Observation?_total=accurate&_count=2", "/Observation?_total=estimate", "/Observation?_summary=count", "/Patient?_total=accurate", "/Observation?performer=Patient/alice&_total=accurate")},
	{number: "47", asks: refusals(400, "/Observation?_sort=subject.name", "/Observation?_sort=patient.birthdate"), more: unchanged("/Observation?_sort=date", "/Observation?_sort=-date,_id&_count=2", "/Observation?_sort=-_lastUpdated&_elements=id")},
	{number: "48", more: func(t *testing.T, s *side) {
		for _, query := range []string{"/Observation?_count=2", "/Observation?_count=3&_sort=-date"} {
			var all []string
			for n, path := 0, query; path != ""; n++ {
				b := s.send("alice", "GET", path, "").bundle(t)
				next, more := strings.CutPrefix(b.link("next"), base)
				if more && len(b.Entry) != int(query[len("/Observation?_count=")]-'0') {
					t.Errorf("%s, page %d: %d entries and another page", query, n, len(b.Entry))
				}
				all = append(all, b.ids()...)
				if path = next; n > 9 {
					t.Fatal("no end")
				}
			}
			slices.Sort(all)
			if diff := cmp.Diff(observations, all); diff != "" {
				t.Errorf("%s: all pages (-want +got):\n%s", query, diff)
			}
		}
	}},
	{number: "49", more: func(t *testing.T, s *side) {
		b := s.send("alice", "GET", "/Observation?_count=2&category:not=none", "").bundle(t)
		if self := b.link("self"); !strings.Contains(self, "category%3Anot=none") || strings.Contains(self, "patient") {
			t.Errorf("self is not what was asked: %s", self)
		}
		for _, l := range b.Link {
			if !strings.HasPrefix(l.URL, base+"/Observation") {
				t.Errorf("%s leads to %s", l.Relation, l.URL)
			}
		}
		for _, e := range b.Entry {
			if e.FullURL != base+"/"+e.Resource.ResourceType+"/"+e.Resource.ID {
				t.Errorf("fullUrl %s", e.FullURL)
			}
		}
	}},
	{number: "50", more: func(t *testing.T, s *side) {
		next := strings.TrimPrefix(s.send("alice", "GET", "/Observation?_count=2", "").bundle(t).link("next"), base)
		if got := s.send("alice", "GET", next, ""); next == "" || got.status != 200 || len(got.bundle(t).Entry) != 2 {
			t.Fatalf("%q: %d %s", next, got.status, got.body)
		}
		for _, as := range []string{"bob", "doctor", "writer"} {
			if got := s.send(as, "GET", next, ""); got.status != 404 {
				t.Errorf("the page of another grant: %d %s", got.status, got.body)
			}
		}
		if got := s.send("alice", "GET", strings.Replace(next, "/Observation", "/Condition", 1), ""); got.status != 404 {
			t.Errorf("the page of another search: %d %s", got.status, got.body)
		}
	}},
	{number: "51", asks: refusals(400, "/Observation?_getpages=1", "/Observation?_page_token=x", "/Observation?ct=x", "/Observation?_offset=2", "/Observation?_skip=1", "/Observation?_getpagesoffset=1", "/Observation?_anything=1"), more: func(t *testing.T, s *side) { s.check(t, ask{path: "/Observation?_page=2", status: 404}) }},
	{number: "52", asks: asOne([]string{"Organization/o1", "Patient/alice"}, "/Organization?_revinclude=Patient:organization", "/Organization?_id=o1&_revinclude=Patient:organization")},
	{number: "53", asks: slices.Concat(denied(none, "/Medication?_has:MedicationRequest:medication:subject=Patient/bob", "/Organization?_has:Patient:organization:name=Bob"),
		denied([]string{"Medication/m1"}, "/Medication?_has:MedicationRequest:medication:subject=Patient/alice"))},
	{number: "54", more: func(t *testing.T, s *side) {
		got := s.send("alice", "GET", "/Observation?_count=100", "")
		for _, e := range got.bundle(t).Entry {
			if e.Search.Mode == "outcome" {
				t.Errorf("an outcome: %+v", e)
			}
		}
		if s.gateway() {
			hostile(t, `{"resourceType":"Bundle","type":"searchset","entry":[{"resource":{"resourceType":"OperationOutcome","issue":[{"severity":"warning","code":"informational","diagnostics":"`+secret+`"}]},"search":{"mode":"outcome"}}],"issues":{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"x","diagnostics":"`+secret+`"}]}}`, 200)
		}
	}},
	{number: "55", more: func(t *testing.T, s *side) {
		calls := func(path string) int { s.asked(); s.send("alice", "GET", path, ""); return len(s.asked()) }
		for _, pair := range [][2]string{{"/Observation/bob-lab", "/Observation/none"}, {"/Observation?patient=bob", "/Observation?patient=none"}, {"/Patient/bob", "/Patient/none"}} {
			if one, two := calls(pair[0]), calls(pair[1]); one != two {
				t.Errorf("%s takes %d calls, %s %d", pair[0], one, pair[1], two)
			}
		}
	}},
	{number: "56", asks: []ask{
		{path: "/Observation?_count=100000", status: 200, found: observations}, {path: "/Observation?_include=*&_count=1", status: 200, gateway: 400}, {path: "/Patient?_revinclude=*", status: 400},
		{path: "/Observation?" + strings.Repeat("_include=Observation:subject&", 60), status: 400},
	}},
}

// unchanged asks before and after resources outside of the view were added and changed.
func unchanged(paths ...string) func(*testing.T, *side) {
	return func(t *testing.T, s *side) {
		var before []answer
		for _, p := range paths {
			got := s.send("alice", "GET", p, "")
			s.keeps(t, p, "alice", got)
			if got.status != 200 {
				t.Errorf("%s: %d %s", p, got.status, got.body)
			}
			before = append(before, got)
		}
		load(t, s.store, hidden("Observation", "more-of-bob", lab+subject("bob")+`,"effectiveDateTime":"2026-01-06","performer":[{"reference":"Patient/alice"}]`),
			hidden("Observation", "aaa-of-bob", lab+subject("bob")+`,"effectiveDateTime":"2020-01-06"`), hidden("Patient", "dave", `,"name":[{"family":"Trap"}]`),
			hidden("Observation", "bob-lab", lab+subject("bob")+`,"effectiveDateTime":"2019-01-06","performer":[{"reference":"Patient/alice"}]`))
		for i, p := range paths {
			if diff := cmp.Diff(unsealed(before[i].body), unsealed(s.send("alice", "GET", p, "").body)); diff != "" {
				t.Errorf("%s changed with what is hidden:\n%s", p, diff)
			}
		}
	}
}

// unsealed is an answer without the seal of its next link, which is another each time.
func unsealed(body string) string {
	at := strings.Index(body, `{"relation":"next","url":"`)
	if at < 0 {
		return body
	}
	end := strings.Index(body[at:], "}")
	u, err := url.Parse(body[at+len(`{"relation":"next","url":"`) : at+end-1])
	if err != nil {
		return body
	}
	return body[:at] + u.Path + body[at+end:]
}
