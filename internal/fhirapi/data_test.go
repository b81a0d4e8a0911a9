package fhirapi_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// dataDir is the folder of test data that is not part of the repository.
func dataDir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("EMBERLATCH_DATA")
	if dir == "" {
		dir = "../../../shared/data"
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the test data is not here; set EMBERLATCH_DATA to its folder")
	}
	return dir
}

// lines yields the lines of a gzipped file.
func lines(t testing.TB, file string) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		gz, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		scanner := bufio.NewScanner(gz)
		scanner.Buffer(nil, 16<<20)
		for scanner.Scan() {
			if len(scanner.Bytes()) > 0 && !yield(slices.Clone(scanner.Bytes())) {
				return
			}
		}
		if err := scanner.Err(); err != nil {
			t.Fatal(err)
		}
	}
}

func incoming(all iter.Seq[[]byte]) iter.Seq[fhirstore.Incoming] {
	return func(yield func(fhirstore.Incoming) bool) {
		for line := range all {
			if !yield(fhirstore.Incoming{JSON: line, Origin: "data"}) {
				return
			}
		}
	}
}

// Every trap over HTTP, by read and by search, with the token of each patient.
// A hidden one is answered as one that is not there.
//
// spec: RSP-01, RSP-05, RSP-07, RSP-08, RSP-09, RSP-11, RSP-12, RSP-13, RSP-14, RSP-16
// attack: B.1, B.14, B.16, B.18, B.19, B.19a, B.44, B.76, B.91, B.92
func TestTrapsOverHTTP(t *testing.T) {
	dir := dataDir(t)
	patients := []string{"trap-alice", "trap-bob", "trap-carol", "trap-kid", "trap-alice2"}
	known := tokens{}
	for _, p := range patients {
		known[p] = patient(p, "patient/*.rs")
	}
	s := newSite(t, openStore(t, incoming(lines(t, filepath.Join(dir, "traps/resources.ndjson.gz")))), known)
	f, err := os.Open(filepath.Join(dir, "traps/expected.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for scanner := bufio.NewScanner(f); scanner.Scan(); n++ {
		var row struct {
			Ref         string
			Recommended []string
			Class       string
		}
		if err := json.Unmarshal(scanner.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		kind := filepath.Dir(row.Ref)
		for _, p := range patients {
			got := s.get(t, p, "/"+row.Ref)
			search := s.get(t, p, "/"+kind+"?_id="+filepath.Base(row.Ref))
			if row.Class == "closed" {
				if got.status != 403 || search.status != 403 {
					t.Errorf("%s as %s: read %d, search %d, want 403", row.Ref, p, got.status, search.status)
				}
				continue
			}
			want, matches := 404, 0
			if row.Class == "shared" || row.Class == "record" && slices.Contains(row.Recommended, p) {
				want, matches = 200, 1
			}
			if got.status != want {
				t.Errorf("%s as %s: read %d, want %d", row.Ref, p, got.status, want)
			}
			if want == 404 {
				if d := cmp.Diff(s.get(t, p, "/"+kind+"/none"), got, cmp.AllowUnexported(answer{})); d != "" {
					t.Errorf("%s as %s differs from one that is not there:\n%s", row.Ref, p, d)
				}
			}
			var b bundle
			if err := json.Unmarshal([]byte(search.body), &b); err != nil {
				t.Fatal(err)
			}
			if search.status != 200 || len(b.Entry) != matches || b.Total != nil && *b.Total != matches {
				t.Errorf("%s as %s: search %d with %d entries, want %d", row.Ref, p, search.status, len(b.Entry), matches)
			}
		}
	}
	if n < 50 {
		t.Errorf("only %d traps", n)
	}
}

// Totals over HTTP are what a direct count of the files gives.
//
// spec: RSP-01, RSP-02, RSX-18
// attack: B.20, B.46
func TestTotalsOfThePopulation(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(dataDir(t), "population/*.ndjson.gz"))
	if err != nil || len(files) == 0 {
		t.Skip("the population is not here; set EMBERLATCH_DATA to the folder of the test data")
	}
	types := []string{"Patient", "Condition", "Immunization", "AllergyIntolerance", "CarePlan"}
	counted := map[string]map[string]int{} // patient, then type
	var kept [][]byte
	for _, file := range files {
		if kind, _, _ := strings.Cut(filepath.Base(file), "."); !slices.Contains(types, kind) {
			continue
		}
		for line := range lines(t, file) {
			var r struct {
				ResourceType, ID string
				Subject, Patient struct{ Reference string }
			}
			if err := json.Unmarshal(line, &r); err != nil {
				t.Fatal(err)
			}
			owner := r.Subject.Reference + r.Patient.Reference
			if r.ResourceType == "Patient" {
				owner = "Patient/" + r.ID
			}
			if counted[owner] == nil {
				counted[owner] = map[string]int{}
			}
			counted[owner][r.ResourceType]++
			kept = append(kept, line)
		}
	}
	known := tokens{}
	for owner := range counted {
		known[filepath.Base(owner)] = patient(filepath.Base(owner), "patient/*.rs")
	}
	s := newSite(t, openStore(t, incoming(slices.Values(kept))), known)
	for owner, byType := range counted {
		id := filepath.Base(owner)
		for _, kind := range types {
			b, _ := s.find(t, id, fmt.Sprintf("/%s?_summary=count", kind))
			if b.Total == nil || *b.Total != byType[kind] {
				t.Errorf("%s of %s: total %v, want %d", kind, owner, b.Total, byType[kind])
			}
		}
	}
}
