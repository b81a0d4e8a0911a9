package upstream_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/fhirstore/fhirsql"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/upstream"
	"github.com/emberlatch/emberlatch/smart"
)

// hapi is a server that others made, with the same records as a store of ours.
type hapi struct {
	*gate
	store *fhirsql.Store
	base  string
	// untaken is what the other server did not take, and why.
	untaken map[string]string
}

// newHapi fills the server of EMBERLATCH_TEST_HAPI, which scripts/hapi.sh starts, and
// our own store. What the other server does not take, ours does not get either.
func newHapi(t *testing.T) *hapi {
	t.Helper()
	base := os.Getenv("EMBERLATCH_TEST_HAPI")
	if base == "" {
		t.Skip("EMBERLATCH_TEST_HAPI is not set: make test-hapi")
	}
	dir := dataDir(t)
	all := ndjson(t, filepath.Join(dir, "traps/resources.ndjson.gz"))
	all = append(all, population(t, dir)...)
	h := &hapi{base: base, untaken: map[string]string{}}
	began := time.Now()
	for some := range slices.Chunk(all, 200) {
		h.put(t, some)
	}
	t.Logf("%d resources loaded in %s, %d refused by the server: %v", len(all)-len(h.untaken), time.Since(began).Round(time.Second), len(h.untaken), h.untaken)
	h.store = openStore(t, base)
	fill(t, h.store, func(yield func(fhirstore.Incoming) bool) {
		for _, raw := range all {
			if h.untaken[nameOf(t, raw).String()] == "" && !yield(fhirstore.Incoming{JSON: []byte(raw), Origin: "test"}) {
				return
			}
		}
	})
	h.gate = newGate(t, base, func(c *upstream.Config) { c.Timeout = time.Minute })
	return h
}

// directories are loaded first and whole: HAPI FHIR finds nothing by a reference to what
// it does not hold when it takes the resource.
var directories = []string{"Organization", "Practitioner", "Location", "Medication", "Patient", "PractitionerRole", "Group"}

// population is all of the directories, and the first EMBERLATCH_TEST_HAPI_MOST resources
// of each other type.
func population(t *testing.T, dir string) []string {
	t.Helper()
	most, err := strconv.Atoi(cmp.Or(os.Getenv("EMBERLATCH_TEST_HAPI_MOST"), "1000000"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "population/*.ndjson.gz"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	kind := func(file string) string { return strings.TrimSuffix(filepath.Base(file), ".ndjson.gz") }
	var first, then []string
	for _, name := range directories {
		first = append(first, ndjson(t, filepath.Join(dir, "population", name+".ndjson.gz"))...)
	}
	for _, file := range files {
		if !slices.Contains(directories, kind(file)) {
			list := ndjson(t, file)
			then = append(then, list[:min(most, len(list))]...)
		}
	}
	return append(first, then...)
}

func nameOf(t *testing.T, raw string) fhir.Reference {
	t.Helper()
	r, err := fhir.ParseResource([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return r.Reference()
}

// put sends a batch of updates, and notes what was not taken.
func (h *hapi) put(t *testing.T, some []string) {
	t.Helper()
	var entries []string
	for _, raw := range some {
		entries = append(entries, fmt.Sprintf(`{"resource":%s,"request":{"method":"PUT","url":"%s"}}`, raw, nameOf(t, raw)))
	}
	body := `{"resourceType":"Bundle","type":"batch","entry":[` + strings.Join(entries, ",") + `]}`
	resp, err := http.Post(h.base, "application/fhir+json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v, %d %.2000s", err, resp.StatusCode, answer)
	}
	var taken struct {
		Entry []struct {
			Response struct {
				Status  string
				Outcome json.RawMessage
			}
		}
	}
	if err := json.NewDecoder(bytes.NewReader(answer)).Decode(&taken); err != nil || len(taken.Entry) != len(some) {
		t.Fatal(err, len(taken.Entry))
	}
	for i, e := range taken.Entry {
		if !strings.HasPrefix(e.Response.Status, "20") {
			h.untaken[nameOf(t, some[i]).String()] = e.Response.Status + " " + string(e.Response.Outcome)
		}
	}
}

// all is every page of a search: what matches and what comes along, in a fixed order,
// and the total of the first page, -1 for none.
func all(t *testing.T, b fhirstore.Backend, who access.Facts, kind fhir.ResourceType, query string) (matches, includes []string, total int, err error) {
	t.Helper()
	q := parsed(t, who, kind, query)
	total = -1
	for n := 0; n < 1000; n++ {
		page, err := b.Search(context.Background(), decide(who, kind), q)
		if err != nil {
			return nil, nil, 0, err
		}
		if n == 0 && page.HasTotal {
			total = page.Total
		}
		matches, includes = append(matches, ids(page.Matches)...), append(includes, ids(page.Includes)...)
		if page.Next == "" {
			break
		}
		q.Cursor = page.Next
	}
	slices.Sort(matches) // each server has its own order of equals
	slices.Sort(includes)
	return matches, slices.Compact(includes), total, nil
}

// People of the population.
const (
	somebody = "0e4c9b04-9248-4eeb-b4d0-30467390cc74"
	busiest  = "4f2fd001-f453-3130-9ed5-4df60f04ddea"
	clinic   = "c44f361c-2efb-3050-8f97-0354a12e2920"
)

// callers are tokens of every kind: patients, representatives, practitioners and
// services. Whom the last two reach is asked of the server that answers.
func callers(t *testing.T, b fhirstore.Backend, base string) map[string]access.Facts {
	t.Helper()
	r, err := reach.New(reach.Deps{Backend: b, Now: time.Now, Base: base})
	if err != nil {
		t.Fatal(err)
	}
	list := tokens()
	for name, u := range map[string]store.User{
		"practitioner":   {ID: "1", Role: store.RolePractitioner, FHIRUser: "Practitioner/" + busiest},
		"trap panel":     {ID: "2", Role: store.RolePractitioner, FHIRUser: "Practitioner/trap-prac-1"},
		"representative": {ID: "3", Role: store.RoleRepresentative, FHIRUser: "RelatedPerson/trap-rp-kid-mother", Represents: []store.Representation{{Patient: somebody}, {Patient: "trap-kid"}}},
		"patient":        {ID: "4", Role: store.RolePatient, FHIRUser: "Patient/" + somebody},
	} {
		ids, err := r.Reach(t.Context(), u)
		if err != nil {
			t.Fatal(name, err)
		}
		who := userToken(ids.Patients().List()...)
		if name == "patient" {
			who = patientToken(somebody)
		}
		list[name] = who
	}
	own, err := r.OfClient(t.Context(), store.Client{Data: store.ClientData{Groups: []string{"trap-group"}, Organizations: []string{clinic}}})
	if err != nil {
		t.Fatal(err)
	}
	list["backend"] = access.Facts{ClientID: "s", GrantID: "s", Scopes: smart.NewScopeSet([]string{"system/*.rs"}), Own: own}
	for name, who := range list {
		who.Base = base
		list[name] = who
	}
	return list
}

// elsewhere are searches that a whole record is searched with.
var elsewhere = map[fhir.ResourceType][]string{
	"Patient":           {"", "_total=accurate&_count=1", "gender=female&_sort=birthdate", "_id=" + somebody, "name=Flatley"},
	"Observation":       {"patient=" + somebody + "&category=laboratory", "patient=" + somebody + "&date=ge2020&_sort=-date", "code=http://loinc.org|2339-0,http://loinc.org|4548-4", "value-quantity=gt100&category=laboratory", "_summary=count&patient=" + somebody},
	"Encounter":         {"_count=100", "status=finished&date=lt2015"},
	"MedicationRequest": {"status=active", "_include=MedicationRequest:medication"},
	"Condition":         {"clinical-status=active", "_revinclude=Provenance:target"},
	"DiagnosticReport":  {"_include=DiagnosticReport:result&_count=20"},
	"DocumentReference": {"", "type:missing=false"},
	"CareTeam":          {"status=active", "participant=Practitioner/" + busiest},
	"Goal":              {""}, "CarePlan": {""}, "Coverage": {""}, "Device": {""}, "Consent": {""}, "ImagingStudy": {""}, "Immunization": {"status=completed"},
	"Procedure": {"_count=200"}, "Specimen": {""}, "ServiceRequest": {""}, "MedicationDispense": {""}, "AllergyIntolerance": {""}, "RelatedPerson": {""},
	"Organization": {"name=a", "_count=30"}, "Location": {"_count=30"}, "PractitionerRole": {"practitioner=Practitioner/" + busiest}, "Medication": {""},
}

// What the gateway in front of HAPI FHIR answers is what our own store answers with
// the same records, for every kind of token.
//
// spec: RS-07, RSP-07, RSG-11
func TestInFrontOfHapi(t *testing.T) {
	h := newHapi(t)
	direct, through := callers(t, h.store, h.base), callers(t, h.gate, base)
	for name, who := range direct {
		if got := through[name]; !slices.Equal(got.Reach.List(), who.Reach.List()) || !slices.Equal(got.Own.Patients.List(), who.Own.Patients.List()) {
			t.Errorf("%s reaches %v and %v, with our store %v and %v", name, got.Reach, got.Own.Patients, who.Reach, who.Own.Patients)
		}
		searches := asked
		if !strings.HasPrefix(name, "trap") && name != "alice" && name != "lab" && name != "mixed" && name != "both" {
			searches = elsewhere
		}
		for kind, queries := range searches {
			for _, query := range queries {
				h.same(t, name, through[name], who, kind, query)
			}
		}
	}
	if n := h.seen.droppedAs("hidden") + h.seen.droppedAs("malformed") + h.seen.droppedAs("doubled"); n != 0 {
		t.Errorf("%d alarms:\n%.3000s", n, h.log)
	}
}

// same compares a search with that of our store.
func (h *hapi) same(t *testing.T, name string, through, direct access.Facts, kind fhir.ResourceType, query string) {
	t.Helper()
	name += ": " + string(kind) + "?" + query
	matches, includes, total, err := all(t, h.gate, through, kind, query)
	var refused *fhir.OperationOutcome
	if errors.As(err, &refused) {
		t.Logf("%s: refused: %s", name, refused.Error())
		return
	}
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	wanted, companions, counted, err := all(t, h.store, direct, kind, strings.ReplaceAll(query, base, h.base))
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if !slices.Equal(matches, wanted) {
		t.Errorf("%s: %d matches, our store has %d: only there %v, only here %v", name, len(matches), len(wanted), without(matches, wanted), without(wanted, matches))
	}
	if !slices.Equal(includes, companions) {
		t.Errorf("%s: %d come along, with our store %d: only there %v, only here %v", name, len(includes), len(companions), without(includes, companions), without(companions, includes))
	}
	if total >= 0 && total != counted {
		t.Errorf("%s: total %d, our store counts %d", name, total, counted)
	}
}

// without is what the second list has and the first lacks.
func without(one, other []string) []string {
	var list []string
	for _, ref := range other {
		if !slices.Contains(one, ref) {
			list = append(list, ref)
		}
	}
	return list[:min(8, len(list))]
}

// Every trap is read behind HAPI FHIR as the table recommends.
//
// attack: B.1, B.14, B.18
func TestTrapsBehindHapi(t *testing.T) {
	h := newHapi(t)
	for _, row := range traps(t, dataDir(t)) {
		ref, _ := fhir.ParseReference(row.Ref, "")
		if why := h.untaken[row.Ref]; why != "" {
			t.Logf("%s: not taken: %s", row.Ref, why)
			continue
		}
		for _, patient := range []string{"trap-alice", "trap-bob", "trap-carol", "trap-kid", "trap-alice2"} {
			_, ours := read(h.gate, patientToken(patient), ref)
			who := patientToken(patient)
			who.Base = h.base
			_, theirs := read(h.store, who, ref)
			if row.Ref == "Binary/trap-bin-bob-nosc" { // whom one is about that only others attach is not known here
				theirs = fhirstore.ErrNotFound
			}
			if (ours == nil) != (theirs == nil) || ours != nil && !errors.Is(ours, fhirstore.ErrNotFound) {
				t.Errorf("%s read with the token of %s: %v, of our store: %v (%s)", row.Ref, patient, ours, theirs, row.Note)
			}
		}
	}
}
