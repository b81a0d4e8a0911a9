package upstream_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/smart"
)

func file(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// dataDir is where the traps lie; tests that need them are skipped without.
func dataDir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("EMBERLATCH_DATA")
	if dir == "" {
		dir = "../../../shared/data"
	}
	if _, err := os.Stat(filepath.Join(dir, "traps")); err != nil {
		t.Skip("no test data: set EMBERLATCH_DATA")
	}
	return dir
}

func ndjson(t testing.TB, path string) []string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zip, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	lines := bufio.NewScanner(zip)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		all = append(all, string(bytes.Clone(lines.Bytes())))
	}
	return all
}

type trap struct {
	Ref         string
	Recommended []string
	RequiresAll []string `json:"requiresAll"`
	Note, Class string
}

func traps(t testing.TB, dir string) []trap {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "traps/expected.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	var all []trap
	for _, line := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
		var row trap
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
	return all
}

// Every trap is read through the gateway as the table recommends, for every patient of
// the set, and found where it can be searched for.
//
// spec: RSP-01, RSP-05, RSP-07, RSP-08, RSP-09, RSP-11, RSP-12, RSP-13, RSP-14, RSP-16
// attack: B.1, B.14, B.18, B.19, B.19a, B.44, B.76, B.92
func TestTrapsBehindTheGateway(t *testing.T) {
	dir := dataDir(t)
	up := newHonest(t, of(ndjson(t, filepath.Join(dir, "traps/resources.ndjson.gz"))...))
	g := newGate(t, up.base)
	for _, row := range traps(t, dir) {
		ref, ok := fhir.ParseReference(row.Ref, "")
		if !ok {
			t.Fatal(row.Ref)
		}
		for _, patient := range []string{"trap-alice", "trap-bob", "trap-carol", "trap-kid", "trap-alice2"} {
			// Whom a Binary is about that only other resources attach is not known here.
			want := row.Ref != "Binary/trap-bin-bob-nosc" && (row.Class == "shared" || row.Class == "record" && slices.Contains(row.Recommended, patient))
			_, err := read(g, patientToken(patient), ref)
			if err != nil && !errors.Is(err, fhirstore.ErrNotFound) {
				t.Fatal(row.Ref, err)
			}
			if got := err == nil; got != want {
				t.Errorf("%s read with the token of %s: %v, want %v (%s)", row.Ref, patient, got, want, row.Note)
			}
			page, err := find(t, g, patientToken(patient), ref.Type, "_count=1000")
			var refused *fhir.OperationOutcome
			if err != nil && !errors.As(err, &refused) {
				t.Fatal(row.Ref, err)
			}
			if got := slices.Contains(ids(page.Matches), row.Ref); err == nil && got != want {
				t.Errorf("%s found with the token of %s: %v, want %v (%s)", row.Ref, patient, got, want, row.Note)
			}
		}
	}
	if n := g.seen.droppedAs("hidden"); n != 0 {
		t.Errorf("an honest upstream raised %d alarms:\n%s", n, g.log)
	}
}

// tokens are callers of every kind.
func tokens() map[string]access.Facts {
	const lab = "?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
	const vital = "?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs"
	both := userToken("trap-alice", "trap-bob")
	mixed := userToken("trap-alice", "trap-bob", "trap-carol")
	mixed.Patient, mixed.Scopes = "trap-alice", smart.NewScopeSet([]string{"patient/Observation.rs", "user/Observation.rs" + lab, "user/Patient.rs", "patient/DiagnosticReport.rs"})
	return map[string]access.Facts{
		"alice": patientToken("trap-alice"), "nobody": patientToken("none"), "both": both, "mixed": mixed,
		"lab":            patientToken("trap-alice", "patient/Observation.rs"+lab, "patient/Patient.r"),
		"lab, vital":     patientToken("trap-alice", "patient/Observation.rs"+lab, "patient/Observation.rs"+vital),
		"two conditions": patientToken("trap-alice", "patient/Observation.rs"+lab+"&status=final"),
		"service":        {ClientID: "s", GrantID: "s", Scopes: smart.NewScopeSet([]string{"system/*.rs"}), Own: access.Own{Patients: search.NewIDSet("trap-alice", "trap-kid")}, Base: base},
		"all":            {ClientID: "s", GrantID: "s", Scopes: smart.NewScopeSet([]string{"system/*.rs"}), Own: access.Own{All: true}, Base: base},
	}
}

// asked are searches of every kind that the gateway answers.
var asked = map[fhir.ResourceType][]string{
	"Observation": {
		"", "_count=3", "_count=1&_total=accurate", "_summary=count", "_total=none", "_total=accurate",
		"patient=trap-alice", "patient=trap-bob", "patient=trap-alice,trap-bob", "patient=trap-alice&patient=trap-bob", "patient=none",
		"subject=Patient/trap-alice", "subject=Patient/trap-alice,Group/trap-group", "subject=Group/trap-group", "subject:Patient=trap-alice",
		"patient=https://gate.example.org/fhir/Patient/trap-alice", "patient=https://other.example.org/fhir/Patient/trap-alice",
		"patient=Patient/trap-alice/_history/1", "performer=Patient/trap-bob", "performer=Patient/trap-alice", "focus=Patient/trap-bob",
		"category=laboratory", "category=laboratory,vital-signs", "category:not=laboratory", "category:missing=true", "status=final", "code:missing=false",
		"category=http://terminology.hl7.org/CodeSystem/observation-category|", "category=|laboratory", "date=ge2020", "date=lt2020&date=gt1990", "value-quantity=gt5",
		"code-value-quantity=http://loinc.org|718-7$gt1", "combo-code-value-quantity=718-7$gt1,8480-6$gt1", "component-code-value-quantity=8480-6$gt1",
		"_sort=-date", "_sort=date,_id&_count=2", "_id=trap-obs-alice-lab,trap-obs-bob-lab", "_lastUpdated=gt2000", "_include=Observation:patient", "_include=Observation:has-member&_include=Observation:performer",
		"_revinclude=Provenance:target", "_revinclude=DiagnosticReport:result", "_revinclude=Observation:has-member", "_elements=id", "_summary=true",
	},
	"Patient": {
		"", "name=trap", "_id=trap-alice", "_id=trap-bob", "_id=trap-alice,trap-bob", "gender=female", "_total=accurate&_count=1", "birthdate=gt1900",
		"_include=Patient:link", "_include=Patient:general-practitioner", "_revinclude=Observation:focus", "_revinclude=Observation:patient&_count=1", "_include=Patient:organization",
	},
	"DiagnosticReport":  {"", "_include=DiagnosticReport:result", "_include=DiagnosticReport:subject"},
	"Coverage":          {"", "_include=Coverage:subscriber", "beneficiary=trap-alice", "subscriber=Patient/trap-alice"},
	"Appointment":       {"", "actor=Patient/trap-alice", "actor=Patient/trap-bob", "patient=trap-alice", "_total=accurate&_count=1", "_summary=count"},
	"Organization":      {"", "_revinclude=Patient:organization", "name=a"},
	"Practitioner":      {"", "_total=accurate&_count=1"},
	"Provenance":        {"target=Observation/trap-obs-alice-lab", "target=Observation/trap-obs-bob-lab", "patient=trap-alice", "_id=trap-prov-both,trap-prov-alice", "target=Observation/none"},
	"Device":            {"", "patient=trap-alice"},
	"Task":              {""},
	"Encounter":         {"", "_include=Encounter:subject"},
	"DocumentReference": {"", "_summary=count"},
	"CarePlan":          {""}, "CareTeam": {""}, "Condition": {""}, "List": {""}, "Composition": {""}, "RelatedPerson": {""}, "Schedule": {""}, "Account": {""},
}

// What the gateway before a store with an unlimited token answers is what the store
// answers under the token (C.5 6): matches, their order, pages, includes; and totals
// wherever there are any.
//
// attack: B.20, B.21, B.22, B.23, B.24, B.27, B.33, B.39, B.42, B.43, B.44, B.45, B.47, B.48, B.52
// spec: RSP-02, RSP-03, RSP-04, RSP-06, RSP-10, RSP-17, RSP-18, RSP-19, RSG-01, RSG-07, RSG-08, RSG-12, RSG-13, RSX-14, RSX-15, RSX-18
func TestTheGatewayAgreesWithTheStore(t *testing.T) {
	dir := dataDir(t)
	up := newHonest(t, of(ndjson(t, filepath.Join(dir, "traps/resources.ndjson.gz"))...))
	g := newGate(t, up.base)
	for name, who := range tokens() {
		for kind, queries := range asked {
			for _, query := range queries {
				agree(t, name+": "+string(kind)+"?"+query, g, up, who, kind, query)
			}
		}
	}
	if n := g.seen.droppedAs("hidden") + g.seen.droppedAs("malformed") + g.seen.droppedAs("doubled"); n != 0 {
		t.Errorf("an honest upstream raised %d alarms:\n%s", n, g.log)
	}
}

// agree compares every page of a search with the store's own.
func agree(t *testing.T, name string, g *gate, up *honest, who access.Facts, kind fhir.ResourceType, query string) {
	t.Helper()
	direct := who
	direct.Base = up.base
	got, want := parsed(t, who, kind, query), parsed(t, direct, kind, strings.ReplaceAll(query, base, up.base))
	for n := 0; n < 100; n++ {
		ours, err := g.Search(t.Context(), decide(who, kind), got)
		if err != nil {
			if refusal(err) && name[:3] == "all" && kind == "Provenance" {
				return
			}
			t.Errorf("%s: %v", name, err)
			return
		}
		theirs, err := up.store.Search(t.Context(), decide(direct, kind), want)
		if err != nil {
			t.Fatal(name, err)
		}
		if diff := cmp.Diff(ids(theirs.Matches), ids(ours.Matches)); diff != "" {
			t.Errorf("%s, page %d: matches of the store (-) and the gateway (+): %s", name, n, diff)
		}
		if diff := cmp.Diff(ids(theirs.Includes), ids(ours.Includes)); diff != "" {
			t.Errorf("%s, page %d: includes of the store (-) and the gateway (+): %s", name, n, diff)
		}
		if ours.HasTotal && ours.Total != theirs.Total {
			t.Errorf("%s, page %d: total %d, the store counts %d", name, n, ours.Total, theirs.Total)
		}
		if (ours.Next == "") != (theirs.Next == "") {
			t.Errorf("%s, page %d: another page: %v, the store says %v", name, n, ours.Next != "", theirs.Next != "")
		}
		if ours.Next == "" || theirs.Next == "" {
			return
		}
		got.Cursor, want.Cursor = ours.Next, theirs.Next
	}
}

func refusal(err error) bool {
	var o *fhir.OperationOutcome
	return errors.As(err, &o)
}

func parsed(t testing.TB, who access.Facts, kind fhir.ResourceType, text string) search.Query {
	t.Helper()
	values, err := url.ParseQuery(text)
	if err != nil {
		t.Fatal(err)
	}
	q, err := search.Parse(kind, values, who.Base)
	if err != nil {
		t.Fatalf("%s?%s: %v", kind, text, err)
	}
	return q
}

func decide(who access.Facts, kind fhir.ResourceType) access.Decision {
	return access.Decide(access.NewSubject(who), fhir.Interaction{Code: fhir.SearchType, Type: kind})
}
