package catalogue_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// attack: B.20 to B.39
func TestSearchWhichPatient(t *testing.T) { run(t, searchPatient) }

const formType = "application/x-www-form-urlencoded"

var form = []string{"Content-Type", formType}

// labs are Alice's that a "code" or "category" of laboratory finds.
var labs = []string{"Observation/alice-lab", "Observation/alice-member-bob", "Observation/alice-versioned", "Observation/moved"}

// asOne gives the same found for each path.
func asOne(found []string, paths ...string) []ask {
	var list []ask
	for _, p := range paths {
		list = append(list, ask{path: p, status: http.StatusOK, found: found})
	}
	return list
}

// refusals gives the same status for each path.
func refusals(status int, paths ...string) []ask {
	var list []ask
	for _, p := range paths {
		list = append(list, ask{path: p, status: status})
	}
	return list
}

var searchPatient = []row{
	{number: "20", asks: asOne(observations, "/Observation", "/Observation?_count=100")},
	{number: "21", asks: []ask{
		{path: "/Observation?patient=bob", status: 200, found: none, like: "/Observation?patient=non", silent: true}, {path: "/Observation?subject=Patient/bob", status: 200, found: none, silent: true},
		{path: "/Condition?patient=bob", status: 200, found: none, silent: true},
	}},
	{number: "22", asks: slices.Concat(asOne(observations, "/Observation?patient=alice,bob"), asOne(none, "/Observation?patient=alice&patient=bob", "/Observation?patient=bob&patient=alice"))},
	{number: "23", asks: slices.Concat(asOne(observations, "/Observation?subject=Patient/alice,Group/group", "/Observation?subject=Patient/alice,Device/x"), asOne(none, "/Observation?subject=Group/group"))},
	{number: "24", asks: slices.Concat(asOne(observations, "/Observation?patient=alice", "/Observation?patient=Patient/alice", "/Observation?subject:Patient=alice", "/Observation?patient:Patient=alice",
		"/Observation?patient="+base+"/Patient/alice"), asOne(none, "/Observation?patient=https://other.example.org/fhir/Patient/alice", "/Observation?patient=Patient/alice2", "/Observation?patient=alic"))},
	{number: "25", asks: []ask{
		{path: "/Observation?patient:identifier=urn:mrn|B", status: 200, gateway: 400, found: none}, {path: "/Observation?subject:Patient.name=Bob", status: 200, found: none},
		{path: "/Observation?patient.identifier=urn:mrn|B", status: 200, found: none}, {path: "/Observation?performer:Patient.name=Bob", status: 200, gateway: 400, found: none},
	}},
	{number: "26", asks: []ask{
		{path: "/Observation?patient:missing=true", status: 200, gateway: 400, found: none}, {path: "/Observation?subject:missing=true", status: 200, gateway: 400, found: none},
		{path: "/Observation?patient:not=alice", status: 400}, {path: "/Observation?subject:above=Patient/alice", status: 400},
	}},
	{number: "27", asks: []ask{
		{path: "/Observation?performer=Patient/bob", status: 200, found: []string{"Observation/alice-member-bob"}}, {path: "/Observation?performer=Patient/alice", status: 200, found: none, like: "/Observation?performer=Patient/nobod"},
		{path: "/Condition?asserter=Patient/alice", status: 200, found: none}, {path: "/Coverage?subscriber=Patient/alice", status: 200, found: []string{"Coverage/alice-coverage"}},
		{path: "/Patient?link=Patient/alice", status: 200, found: none},
	}},
	{number: "28", asks: slices.Concat(asOne(observations, "/Observation?patient=alice%2Cbob"),
		refusals(400, `/Observation?patient=alice\,bob`, "/Observation?patient=alice%252Cbob"), asOne(none, `/Observation?category=x\|laboratory`), asOne(labs, "/Observation?category=http%3A%2F%2Fterminology.hl7.org%2FCodeSystem%2Fobservation-category%7Claboratory"))},
	{number: "29", asks: refusals(400, "/Observation?PATIENT=bob", "/Observation?Patient=bob", "/Observation?patient%20=bob", "/Observation?patient[]=bob", "/Observation?patient=alice&nobody=bob")},
	{number: "30", asks: []ask{
		{method: "POST", path: "/Observation/_search?patient=alice", body: "patient=bob", header: form, status: 200, found: none},
		{method: "POST", path: "/Observation/_search", body: "patient=alice,bob", header: form, status: 200, found: observations},
		{method: "POST", path: "/Observation/_search", body: `{"patient":"alice"}`, header: []string{"Content-Type", "application/json"}, status: 415, silent: true},
		{method: "POST", path: "/Observation/_search", body: "--x\r\n", header: []string{"Content-Type", "multipart/form-data; boundary=x"}, status: 415, silent: true},
		{path: "/Observation/_search?patient=alice", status: 405, silent: true},
	}, more: func(t *testing.T, s *side) {
		got := s.send("alice", "GET", "/Observation", "patient=bob", "Content-Type", formType)
		if diff := cmp.Diff(observations, got.bundle(t).ids()); diff != "" {
			t.Errorf("the body of a GET was read: %s", diff)
		}
	}},
	{number: "31", asks: []ask{
		{as: "patient-only", path: "/Patient/alice/Observation", status: 403, silent: true}, {as: "patient-only", path: "/Patient/bob/Observation", status: 403, silent: true},
		{path: "/Patient/alice/Observation", status: 200, found: observations}, {path: "/Patient/bob/Observation", status: 200, found: none, like: "/Patient/non/Observation"},
		{path: "/Patient/alice/*", status: 404}, {path: "/Practitioner/p1/Observation", status: 200, found: none},
		{path: "/Encounter/enc-bob/Observation", status: 200, found: none}, {path: "/Device/x/Observation", status: 200, found: none},
	}},
	{number: "32", asks: []ask{
		{path: "/?_type=Observation,Group", status: 501, gateway: 403, silent: true}, {path: "/", status: 501, gateway: 403, silent: true}, {path: "?_type=Observation", status: 501, gateway: 403, silent: true},
	}, more: func(t *testing.T, s *side) {
		s.check(t, ask{as: "no-patient", path: "/?_type=Observation", status: 403})
	}},
	{number: "33", asks: []ask{
		{path: "/Patient?name=trap", status: 200, found: []string{"Patient/alice"}}, {path: "/Patient?identifier=urn:mrn|B", status: 200, found: none, like: "/Patient?identifier=urn:mrn|X"},
		{path: "/Patient?birthdate=1970-01-02", status: 200, found: none}, {as: "doctor", path: "/Patient?name=trap", status: 200, found: []string{"Patient/alice", "Patient/bob"}},
		{as: "doctor-of-alice", path: "/Patient?name=trap", status: 200, found: []string{"Patient/alice"}},
	}},
	{number: "34", more: func(t *testing.T, s *side) {
		if !s.gateway() {
			return // there is no upstream
		}
		lax := laxGateway(t)
		for _, path := range []string{"/Observation", "/Observation?patient=alice", "/Patient", "/Observation?_summary=count"} {
			got := lax.send("alice", "GET", path, "")
			lax.keeps(t, path, "alice", got)
			if b := got.bundle(t); b.Total != nil && *b.Total > len(observations) {
				t.Errorf("%s: a total of %d", path, *b.Total)
			}
		}
		for _, r := range lax.asked() {
			if strings.HasPrefix(r.URL.Path, "/fhir/Observation") && r.Header.Get("Prefer") != "handling=strict" {
				t.Errorf("asked without strict handling: %s", r.URL)
			}
		}
	}},
	{number: "35", asks: []ask{
		{path: "/Observation?_list=no-subject", status: 200, gateway: 400, found: none}, {path: "/Patient?_list=no-subject", status: 200, gateway: 400, found: none},
		{path: "/Observation?_list=alice-list", status: 200, gateway: 400, found: []string{"Observation/alice-lab"}}, {path: "/Observation?_list=$current-problems", status: 400},
	}},
	{number: "36", asks: refusals(400, "/Observation?_query=all", "/Observation?_filter=patient%20eq%20bob")},
	{number: "37", asks: refusals(400, "/Observation?_contained=true", "/Observation?_contained=both", "/Observation?_containedType=container")},
	{number: "38", asks: refusals(400, "/Observation?_content=bob", "/Observation?_text=bob", "/Observation?_sort=_score"), more: func(t *testing.T, s *side) {
		for _, e := range s.send("alice", "GET", "/Observation?category=laboratory", "").bundle(t).Entry {
			if e.Search.Score != nil {
				t.Errorf("%s has a score", e.Resource.ID)
			}
		}
	}},
	{number: "39", asks: slices.Concat(asOne(none, "/Observation?_tag="+"urn:tag|SECRET-OF", "/Observation?_id=bob-lab", "/Observation?_lastUpdated=lt2000"), asOne(observations, "/Observation?_lastUpdated=gt2000"),
		asOne([]string{"Observation/alice-lab"}, "/Observation?_id=alice-lab,bob-lab"))},
}

// laxGateway stands before an upstream that ignores all parameters.
func laxGateway(t testing.TB) *side {
	t.Helper()
	s := &side{name: "gateway"}
	var everything []string
	for _, r := range ward() {
		everything = append(everything, `{"resource":`+r+`,"search":{"mode":"match"}}`)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.calls = append(s.calls, r)
		s.mu.Unlock()
		w.Header().Set("Content-Type", fhirJSON)
		if r.URL.Path == "/fhir/metadata" {
			_, _ = w.Write([]byte(`{"resourceType":"CapabilityStatement","fhirVersion":"4.0.1","rest":[{"mode":"server","resource":[` + stated("Patient") + "," + stated("Observation") + `]}]}`))
			return
		}
		_ = json.NewEncoder(w).Encode(json.RawMessage(`{"resourceType":"Bundle","type":"searchset","total":4711,"entry":[` + strings.Join(everything, ",") + `]}`))
	}))
	t.Cleanup(server.Close)
	s.url = server.URL + "/fhir"
	s.door = newDoor(t, base, bearers(base), newGate(t, s.url), nil)
	return s
}

func stated(kind string) string {
	return `{"type":"` + kind + `","interaction":[{"code":"read"},{"code":"search-type"}],"searchParam":[{"name":"_id"},{"name":"patient"},{"name":"subject"},{"name":"name"}]}`
}
