package fhirapi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/smart"
)

// service is a token of a client that acts for itself.
func service(client string, own access.Own, scopes ...string) access.Facts {
	return access.Facts{ClientID: client, Own: own, Scopes: smart.NewScopeSet(scopes)}
}

func panel(group string, patients ...string) access.Own {
	return access.Own{Patients: search.NewIDSet(patients...), Groups: search.NewIDSet(group)}
}

// grouped is the ward with what exports tell apart.
func grouped(t testing.TB) fhirstore.Backend {
	store := openStore(t, ward())
	fill(t, store, linked())
	fill(t, store, of(
		`{"resourceType":"Group","id":"g-alice","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/alice"}},{"entity":{"reference":"Patient/bob"},"inactive":true},{"entity":{"reference":"Practitioner/p1"}}]}`,
		`{"resourceType":"Group","id":"g-both","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/alice"}},{"entity":{"reference":"Patient/bob"}}]}`,
		`{"resourceType":"Group","id":"g-past","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/alice"},"period":{"end":"2020-01-01"}},{"entity":{"reference":"Patient/bob"},"period":{"start":"2020-01-01"}}]}`,
		`{"resourceType":"Group","id":"g-closed","active":false,"type":"person","actual":true,"member":[{"entity":{"reference":"Patient/alice"}}]}`,
		`{"resourceType":"Device","id":"nobodys","status":"active"}`, `{"resourceType":"ValueSet","id":"colours","status":"active"}`,
		`{"resourceType":"Organization","id":"o","name":"Clinic"}`,
	))
	return store
}

func exporters() tokens {
	all := access.Own{All: true}
	noSystem := service("user-scopes", all, "user/*.rs", "patient/*.rs")
	return tokens{
		"all": service("all", all, "system/*.rs"), "all-again": service("all", all, "system/*.read"), "other": service("other", all, "system/*.rs"),
		"patients": service("all", all, "system/Patient.rs"), "alice": service("alice", panel("g-alice", "alice"), "system/*.rs"),
		"granular": service("granular", all, strings.Replace(laboratory, "patient", "system", 1), "system/Patient.rs"),
		"split":    service("split", all, strings.Replace(laboratory, "patient", "system", 1), "system/Observation.r", "system/Observation.s?status=final"),
		"reader":   service("reader", all, "system/*.r"), "searcher": service("searcher", all, "system/*.s"),
		"unreached": service("unreached", access.Own{}, "system/*.rs"), "user-scopes": noSystem,
		"only": service("none", panel("", "none"), "system/*.rs"), "only-alice": service("x", panel("", "alice"), "system/*.rs"),
		"only-bob": service("x", panel("", "bob"), "system/*.rs"), "only-alice-bob": service("x", panel("", "alice", "bob"), "system/*.rs"),
		"user": clinician([]string{"user/*.rs", "system/*.rs"}, "alice", "bob"), "patient": patient("alice", "patient/*.rs", "system/*.rs"),
	}
}

// kickOff begins an export and returns its status path.
func (s *site) kickOff(t testing.TB, token, path string) string {
	t.Helper()
	got := s.get(t, token, path, "Prefer", "respond-async", "Accept", "application/fhir+json")
	if got.status != http.StatusAccepted {
		t.Fatalf("%s: %d %s", path, got.status, got.body)
	}
	place := strings.TrimPrefix(got.header.Get("Content-Location"), base)
	if !strings.HasPrefix(place, "/export/") || len(place) < 30 {
		t.Fatalf("%s: Content-Location %q", path, got.header.Get("Content-Location"))
	}
	return place
}

type manifest struct {
	TransactionTime     time.Time
	Request             string
	RequiresAccessToken bool
	Output, Error       []struct {
		Type, URL string
		Count     int
	}
}

// counted asks for the status until the manifest is there.
func (s *site) counted(t testing.TB, token, place string) (m manifest, polls int) {
	t.Helper()
	for {
		got := s.get(t, token, place)
		polls++
		if got.status == http.StatusAccepted && polls < 1000 {
			if got.header.Get("X-Progress") == "" || got.header.Get("Retry-After") == "" {
				t.Errorf("headers %v", got.header)
			}
			continue
		}
		if got.status != http.StatusOK || json.Unmarshal([]byte(got.body), &m) != nil || got.header.Get("Content-Type") != "application/json" {
			t.Fatalf("status: %d %s", got.status, got.body)
		}
		return m, polls
	}
}

// file reads a file of an export.
func (s *site) file(t testing.TB, token, url, kind string) (ids []string) {
	t.Helper()
	got := s.get(t, token, strings.TrimPrefix(url, base), "Accept", "application/fhir+ndjson")
	if got.status != http.StatusOK || got.header.Get("Content-Type") != "application/fhir+ndjson" {
		t.Fatalf("%s: %d %s", url, got.status, got.body)
	}
	for line := range strings.Lines(got.body) {
		var r struct{ ResourceType, ID string }
		if err := json.Unmarshal([]byte(line), &r); err != nil || r.ResourceType != kind || !strings.HasSuffix(line, "\n") {
			t.Fatalf("%s: %v in %q", url, err, line)
		}
		ids = append(ids, r.ResourceType+"/"+r.ID)
	}
	return ids
}

// export is the whole of one, each file with as many lines as it should have.
func (s *site) export(t testing.TB, token, path string) []string {
	t.Helper()
	place := s.kickOff(t, token, path)
	m, _ := s.counted(t, token, place)
	all := s.files(t, token, m)
	if got := s.send(t, token, http.MethodDelete, place, ""); got.status != http.StatusAccepted {
		t.Errorf("end: %d %s", got.status, got.body)
	}
	return all
}

func (s *site) files(t testing.TB, token string, m manifest) (all []string) {
	t.Helper()
	for _, f := range m.Output {
		ids := s.file(t, token, f.URL, f.Type)
		if len(ids) != f.Count || f.Count == 0 {
			t.Errorf("%s: %d lines, count %d", f.URL, len(ids), f.Count)
		}
		all = append(all, ids...)
	}
	slices.Sort(all)
	if len(slices.Compact(slices.Clone(all))) != len(all) {
		t.Errorf("a resource twice: %v", all)
	}
	return all
}

// Who may begin an export, and of what; what is refused was never looked up.
//
// spec: RSB-11, RSB-12, RSB-16, RSB-17, BS-12
// attack: B.86, GW-09, GW-12
func TestExportGate(t *testing.T) {
	s := newSite(t, grouped(t), exporters())
	for _, row := range []struct {
		name, token, method, path string
		status                    int
	}{
		{"RSB-12 no token", "", "GET", "/Group/g-both/$export", 401},
		{"RSB-12 no token, no group", "", "GET", "/Group/none/$export", 401},
		{"RSB-17 a user", "user", "GET", "/$export", 403},
		{"RSB-17 a user, a Group", "user", "GET", "/Group/g-both/$export", 403},
		{"RSB-17 a user, no group", "user", "GET", "/Group/none/$export", 403},
		{"RSB-17 a patient", "patient", "GET", "/Patient/$export", 403},
		{"RSB-17 other levels", "user-scopes", "GET", "/$export", 403},
		{"RSB-11 r alone", "reader", "GET", "/$export", 403},
		{"RSB-11 s alone", "searcher", "GET", "/$export", 403},
		{"RSB-11 nobody is reached", "unreached", "GET", "/$export", 403},
		{"RSB-16 system", "all", "GET", "/$export", 202},
		{"RSB-16 patients", "all", "GET", "/Patient/$export", 202},
		{"RSB-16 group", "all", "GET", "/Group/g-both/$export", 202},
		{"own group", "alice", "GET", "/Group/g-alice/$export", 202},
		{"a group of others", "alice", "GET", "/Group/g-both/$export", 404},
		{"a group that is not there", "alice", "GET", "/Group/none/$export", 404},
		{"a group that is not there, everybody", "all", "GET", "/Group/none/$export", 404},
		{"a patient's", "all", "GET", "/Patient/alice/$export", 403},
		{"all groups", "all", "GET", "/Group/$export", 403},
		{"another type", "all", "GET", "/Observation/$export", 403},
		{"another method", "all", "PUT", "/$export", 405},
		{"RSB-11 narrower", "all", "GET", "/$export?_type=Patient,Observation", 202},
		{"RSB-11 wider", "patients", "GET", "/$export?_type=Patient,Observation", 403},
		{"RSB-11 a filter wider", "patients", "GET", "/$export?_typeFilter=Observation%3Fstatus%3Dfinal", 403},
		{"a closed type", "all", "GET", "/$export?_type=Group", 400},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := s.send(t, row.token, row.method, row.path, "", "Prefer", "respond-async")
			if got.status != row.status || !strings.Contains(got.body, `"resourceType":"OperationOutcome"`) {
				t.Fatalf("%d %s, want %d", got.status, got.body, row.status)
			}
			if place := got.header.Get("Content-Location"); (place != "") != (row.status == 202) {
				t.Errorf("Content-Location %q", place)
			} else if place != "" {
				s.send(t, row.token, http.MethodDelete, strings.TrimPrefix(place, base), "")
			}
		})
	}
	hidden, missing := s.get(t, "alice", "/Group/g-both/$export", "Prefer", "respond-async"), s.get(t, "alice", "/Group/none/$export", "Prefer", "respond-async")
	if hidden.body != missing.body || fmt.Sprint(hidden.header) != fmt.Sprint(missing.header) {
		t.Errorf("hidden %v, missing %v", hidden, missing)
	}
	if got := s.get(t, "all", "/$export"); got.status != 400 || !strings.Contains(got.body, "respond-async") {
		t.Errorf("without Prefer: %d %s", got.status, got.body)
	}
	if _, answers := s.bundle(t, "all", bundleOf(t, "batch", asked{Request: asking{Method: "GET", URL: "$export"}}), "Prefer", "respond-async"); len(answers) != 1 || !strings.HasPrefix(answers[0].Response.Status, "403") {
		t.Errorf("in a batch: %+v", answers)
	}
}

// An export is the union of the searches of the same token, narrowed to its patients;
// the lines are those, and no others.
//
// spec: RSB-11, RSB-13, RSB-16, BS-12
// attack: B.86, GW-12
func TestExportIsTheUnionOfSearches(t *testing.T) {
	s := newSite(t, grouped(t), exporters())
	for _, row := range []struct {
		token, path string
		of          []string // patients; nil: everything
	}{
		{"all", "/$export", nil}, {"all", "/Patient/$export", []string{"alice", "bob"}}, {"all", "/Group/g-both/$export", []string{"alice", "bob"}},
		{"all", "/Group/g-alice/$export", []string{"alice"}}, {"all", "/Group/g-past/$export", []string{"bob"}}, {"all", "/Group/g-closed/$export", []string{}},
		{"alice", "/$export", nil}, {"alice", "/Patient/$export", []string{"alice"}}, {"alice", "/Group/g-alice/$export", []string{"alice"}},
		{"granular", "/$export", nil}, {"granular", "/Group/g-both/$export", []string{"alice", "bob"}}, {"patients", "/Group/g-both/$export", []string{"alice", "bob"}},
		{"split", "/$export", nil}, {"all-again", "/Group/g-alice/$export", []string{"alice"}},
	} {
		t.Run(row.token+" "+row.path, func(t *testing.T) {
			got, want := s.export(t, row.token, row.path), s.union(t, row.token, row.of)
			if !slices.Equal(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
			if len(got) == 0 && len(row.of) > 0 {
				t.Error("nothing at all")
			}
		})
	}
}

// union is what searches find, of patients and nobody else when some are named.
func (s *site) union(t testing.TB, token string, of []string) (all []string) {
	t.Helper()
	for _, kind := range fhir.ResourceTypes() {
		if !access.Exportable(kind, of != nil) || s.get(t, token, "/"+string(kind)).status == http.StatusForbidden {
			continue
		}
		_, ids := s.find(t, token, "/"+string(kind)+"?_count=1000")
		for _, id := range ids {
			if of == nil || compartment.ClassOf(kind) == compartment.Shared || s.within(t, id, of) {
				all = append(all, id)
			}
		}
	}
	slices.Sort(all)
	return all
}

// within reports whether somebody who reaches these patients, and nobody else, reads it.
func (s *site) within(t testing.TB, ref string, of []string) bool {
	t.Helper()
	return s.get(t, strings.TrimSuffix("only-"+strings.Join(of, "-"), "-"), "/"+ref).status == http.StatusOK
}

// Exports are of the client that began them, while they last.
//
// spec: RSB-12, RSB-14, RSB-15, BS-12
// attack: B.86, GW-12
func TestExportsAreOfTheirClient(t *testing.T) {
	s := newSite(t, grouped(t), exporters())
	place := s.kickOff(t, "all", "/Group/g-both/$export?_type=Patient")
	m, _ := s.counted(t, "all", place)
	if !m.RequiresAccessToken || m.Request != base+"/Group/g-both/$export?_type=Patient" || len(m.Output) != 1 || m.Error == nil || time.Since(m.TransactionTime) > time.Minute {
		t.Fatalf("%+v", m)
	}
	file := strings.TrimPrefix(m.Output[0].URL, base)
	for _, path := range []string{place, file} {
		for token, status := range map[string]int{"": 401, "other": 404, "alice": 404, "user": 403, "patient": 403, "reader": 403, "all": 200, "all-again": 200} {
			if got := s.get(t, token, path); got.status != status {
				t.Errorf("%s by %q: %d %s, want %d", path, token, got.status, got.body, status)
			}
		}
		if got, none := s.get(t, "other", path), s.get(t, "other", "/export/none"); got.body != none.body {
			t.Errorf("another's %s, none %s", got.body, none.body)
		}
	}
	for _, path := range []string{"/export/", "/export", file + "/1", place + "/0", place + "/2", place + "/01", place + "/+1", place + "/", place + "/../x"} {
		if got := s.get(t, "all", path); got.status != 404 {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	for token, status := range map[string]int{"": 401, "other": 404, "user": 403} {
		if got := s.send(t, token, http.MethodDelete, place, ""); got.status != status {
			t.Errorf("DELETE by %q: %d", token, got.status)
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodPut} {
		if got := s.send(t, "all", method, place, ""); got.status != 405 {
			t.Errorf("%s: %d", method, got.status)
		}
	}
	if got := s.send(t, "all", http.MethodDelete, place, ""); got.status != 202 {
		t.Fatalf("DELETE: %d %s", got.status, got.body)
	}
	for _, path := range []string{place, file} {
		if got := s.get(t, "all", path); got.status != 404 || !strings.Contains(got.body, `"OperationOutcome"`) {
			t.Errorf("after the end, %s: %d %s", path, got.status, got.body)
		}
	}
	if got := s.send(t, "all", http.MethodDelete, place, ""); got.status != 404 {
		t.Errorf("DELETE again: %d", got.status)
	}
}

// A token with fewer scopes gets no file that it has no scope for.
//
// spec: RSB-11, RSB-13
// attack: B.86
func TestExportIsJudgedByTheTokenAtHand(t *testing.T) {
	s := newSite(t, grouped(t), exporters())
	place := s.kickOff(t, "all", "/$export?_type=Observation,Patient")
	m, _ := s.counted(t, "all", place)
	for _, f := range m.Output {
		want := map[string]int{"Patient": 200, "Observation": 403}[f.Type]
		if got := s.get(t, "patients", strings.TrimPrefix(f.URL, base)); got.status != want {
			t.Errorf("%s: %d", f.Type, got.status)
		}
	}
	if got := s.get(t, "patients", place); got.status != 403 {
		t.Errorf("status: %d", got.status)
	}
}

// Parameters: what is understood narrows, what is not is refused.
//
// spec: RSB-16
// attack: B.86
func TestExportParameters(t *testing.T) {
	s := newSite(t, grouped(t), exporters())
	between := time.Now().UTC().Add(10 * time.Millisecond)
	time.Sleep(20 * time.Millisecond)
	fill(t, s.store(t), of(observation("late", "alice")))
	since := between.Format(time.RFC3339Nano)
	for _, row := range []struct {
		name, query string
		want        []string // nil: 400
	}{
		{"RSB-16 format", "_type=Patient&_outputFormat=application/fhir%2Bndjson", []string{"Patient/alice", "Patient/bob"}},
		{"RSB-16 format, plus", "_type=Patient&_outputFormat=application/fhir+ndjson", []string{"Patient/alice", "Patient/bob"}},
		{"RSB-16 format, second", "_type=Patient&_outputFormat=application/ndjson", []string{"Patient/alice", "Patient/bob"}},
		{"RSB-16 format, third", "_type=Patient&_outputFormat=ndjson", []string{"Patient/alice", "Patient/bob"}},
		{"another format", "_outputFormat=text/csv", nil}, {"twice", "_outputFormat=ndjson&_outputFormat=ndjson", nil},
		{"RSB-16 since", "_since=" + since, []string{"Observation/late"}}, {"until", "_type=Patient,Observation&_since=" + since + "&_until=" + since, []string{}},
		{"since, no instant", "_since=2024", nil}, {"since, no zone", "_since=2024-01-01T00:00:00", nil}, {"since, prefixed", "_since=ge" + since, nil}, {"since, a list", "_since=" + since + "," + since, nil},
		{"types twice", "_type=Patient&_type=Patient", []string{"Patient/alice", "Patient/bob"}}, {"no type", "_type=", nil}, {"no such type", "_type=Patients", nil},
		{"a definition in a Group", "_type=ValueSet", nil}, {"a directory in a Group", "_type=Organization", []string{"Organization/o"}},
		{"filter", "_type=Observation&_typeFilter=Observation%3Fcategory%3Dsurvey", []string{"Observation/a-survey", "Observation/a-two"}},
		{"filters", "_type=Observation,Patient&_typeFilter=Observation%3Fcategory%3Dvital-signs,Patient%3Ffamily%3DBrown", []string{"Observation/a-vital", "Patient/bob"}},
		{"filters of a type", "_type=Observation&_typeFilter=Observation%3F_id%3Da-vital,a-none,Observation%3F_id%3Db-lab", []string{"Observation/a-none", "Observation/a-vital", "Observation/b-lab"}},
		{"filters, repeated", "_type=Observation&_typeFilter=Observation%3F_id%3Da-vital&_typeFilter=Observation%3F_id%3Db-lab", []string{"Observation/a-vital", "Observation/b-lab"}},
		{"filter that is not in _type", "_type=Patient&_typeFilter=Observation%3Fstatus%3Dfinal", nil},
		{"filter with a chain", "_typeFilter=Observation%3Fsubject.name%3Dx", nil}, {"filter with _has", "_typeFilter=Patient%3F_has:Observation:patient:code%3Dx", nil},
		{"filter with an include", "_typeFilter=Observation%3F_id%3Dx%26_include%3D*", nil}, {"filter with a sort", "_typeFilter=Observation%3F_id%3Dx%26_sort%3Ddate", nil},
		{"filter that is not known", "_typeFilter=Observation%3Fcolour%3Dred", nil}, {"filter without a condition", "_typeFilter=Observation", nil}, {"filter of a closed type", "_typeFilter=Group%3F_id%3Dx", nil},
		{"patient by GET", "patient=Patient/alice", nil}, {"not offered", "_elements=id", nil}, {"not offered either", "includeAssociatedData=LatestProvenanceResources", nil}, {"not known", "colour=red", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			path := "/Group/g-both/$export?" + row.query
			if row.want != nil {
				if got := s.export(t, "all", path); !slices.Equal(got, row.want) {
					t.Errorf("%v, want %v", got, row.want)
				}
				return
			}
			if got := s.get(t, "all", path, "Prefer", "respond-async"); got.status != 400 || got.header.Get("Content-Location") != "" {
				t.Errorf("%d %s", got.status, got.body)
			}
		})
	}
	for _, prefer := range [][]string{{"Prefer", "respond-async, handling=lenient"}, {"Prefer", "respond-async", "Prefer", "Handling=Lenient"}} {
		got := s.get(t, "all", "/$export?colour=red&_elements=id", prefer...)
		if got.status != 202 {
			t.Fatalf("lenient: %d %s", got.status, got.body)
		}
		s.send(t, "all", http.MethodDelete, strings.TrimPrefix(got.header.Get("Content-Location"), base), "")
		if got := s.get(t, "all", "/$export?_typeFilter=Observation%3Fcolour%3Dred", prefer...); got.status != 400 {
			t.Errorf("a lenient filter: %d", got.status)
		}
	}
}

// Parameters by POST; patients are members of the Group.
//
// spec: RSB-16, RSB-13
// attack: B.86
func TestExportByPost(t *testing.T) {
	s := newSite(t, grouped(t), exporters())
	of := func(parameters ...string) string {
		return `{"resourceType":"Parameters","parameter":[` + strings.Join(parameters, ",") + `]}`
	}
	const alice, bob, types = `{"name":"patient","valueReference":{"reference":"Patient/alice"}}`, `{"name":"patient","valueReference":{"reference":"Patient/bob"}}`, `{"name":"_type","valueString":"Patient"}`
	for _, row := range []struct {
		name, token, path, body string
		want                    string // lines, or a status
	}{
		{"nothing", "patients", "/Group/g-both/$export", of(), "Patient/alice Patient/bob"},
		{"types", "all", "/Group/g-both/$export", of(types), "Patient/alice Patient/bob"},
		{"one patient", "all", "/Group/g-both/$export", of(types, alice), "Patient/alice"},
		{"two", "all", "/Group/g-both/$export", of(types, alice, bob), "Patient/alice Patient/bob"},
		{"of all patients", "all", "/Patient/$export", of(types, bob), "Patient/bob"},
		{"absolute", "all", "/Patient/$export", of(types, `{"name":"patient","valueReference":{"reference":"`+base+`/Patient/bob"}}`), "Patient/bob"},
		{"no member", "all", "/Group/g-alice/$export", of(types, bob), "400"},
		{"of others", "alice", "/Patient/$export", of(types, bob), ""},
		{"nobody", "all", "/Patient/$export", of(types, `{"name":"patient","valueReference":{"reference":"Patient/none"}}`), ""},
		{"of everything", "all", "/$export", of(types, bob), "400"},
		{"no patient", "all", "/Patient/$export", of(`{"name":"patient","valueReference":{"reference":"Practitioner/p1"}}`), "400"},
		{"elsewhere", "all", "/Patient/$export", of(`{"name":"patient","valueReference":{"reference":"https://elsewhere.example/Patient/bob"}}`), "400"},
		{"two values", "all", "/$export", of(`{"name":"_type","valueString":"Patient","valueCode":"Patient"}`), "400"},
		{"no value", "all", "/$export", of(`{"name":"_type"}`), "400"}, {"no name", "all", "/$export", of(`{"valueString":"Patient"}`), "400"},
		{"another resource", "all", "/$export", `{"resourceType":"Patient"}`, "400"}, {"no JSON", "all", "/$export", `x`, "400"},
		{"beside a query", "all", "/$export?_type=Patient", of(), "400"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := s.send(t, row.token, http.MethodPost, row.path, row.body, "Prefer", "respond-async", "Content-Type", "application/fhir+json")
			if row.want == "400" {
				if got.status != 400 {
					t.Errorf("%d %s", got.status, got.body)
				}
				return
			}
			place := strings.TrimPrefix(got.header.Get("Content-Location"), base)
			if got.status != 202 {
				t.Fatalf("%d %s", got.status, got.body)
			}
			m, _ := s.counted(t, row.token, place)
			if lines := strings.Join(s.files(t, row.token, m), " "); lines != row.want {
				t.Errorf("%s, want %s", lines, row.want)
			}
			s.send(t, row.token, http.MethodDelete, place, "")
		})
	}
}

// Where another server holds the records nothing is exported; a wish to be answered
// later is passed over everywhere else.
//
// spec: RSB-06
// attack: B.86, B.113
func TestNoExports(t *testing.T) {
	s := newSite(t, failing{}, exporters())
	for _, path := range []string{"/$export", "/Patient/$export", "/Group/g-both/$export"} {
		got := s.get(t, "all", path, "Prefer", "respond-async")
		if got.status != 403 || !strings.Contains(got.body, "another one holds the records") {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	if got := s.get(t, "all", "/export/x"); got.status != 404 {
		t.Errorf("%d", got.status)
	}
	s = newSite(t, grouped(t), exporters())
	for _, path := range []string{"/Patient/alice", "/Observation", "/Observation/a-lab/_history", "/Patient/alice/$everything", "/metadata"} {
		got := s.get(t, "all", path, "Prefer", "respond-async")
		if got.status != 200 || got.header.Get("Content-Location") != "" {
			t.Errorf("%s: %d %v", path, got.status, got.header)
		}
	}
}

// The CapabilityStatement tells of the three forms.
//
// spec: DISC-28
func TestExportsAreDeclared(t *testing.T) {
	s := newSite(t, grouped(t), exporters())
	body := s.get(t, "", "/metadata").body
	for _, want := range []string{`"instantiates":["http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data"]`, "OperationDefinition/export", "OperationDefinition/patient-export", "OperationDefinition/group-export"} {
		if !strings.Contains(body, want) {
			t.Errorf("without %s", want)
		}
	}
}

// An export that has expired is missing, and removed.
//
// spec: RSB-14
func TestExportsExpire(t *testing.T) {
	s := newSite(t, grouped(t), exporters())
	store := s.backend.(fhirstore.Exports) //nolint:forcetypeassert // the site offers exports
	e, err := store.BeginExport(t.Context(), fhirstore.Export{ID: "short", Client: "all", Asked: fhirstore.ExportAsked{Types: []fhir.ResourceType{"Patient"}}}, 50*time.Millisecond, fhirstore.ExportLimits{Counting: 1, All: 1})
	if err != nil {
		t.Fatal(err)
	}
	s.counted(t, "all", "/export/short")
	time.Sleep(60 * time.Millisecond)
	for _, path := range []string{"/export/short", "/export/short/1"} {
		if got := s.get(t, "all", path); got.status != 404 {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	if err := store.AdvanceExport(t.Context(), e); !errors.Is(err, fhirstore.ErrMoved) {
		t.Errorf("an old step: %v", err)
	}
	if _, err := store.BeginExport(t.Context(), fhirstore.Export{ID: "next", Client: "all"}, time.Hour, fhirstore.ExportLimits{Counting: 1, All: 1}); err != nil {
		t.Errorf("an expired one still counts: %v", err)
	}
}

// store is what the site answers from.
func (s *site) store(t testing.TB) fhirstore.Loader {
	t.Helper()
	l, ok := s.backend.(fhirstore.Loader)
	if !ok {
		t.Fatal("no loader")
	}
	return l
}
