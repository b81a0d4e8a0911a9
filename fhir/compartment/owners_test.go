package compartment_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"sort"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
)

// spec: RSP-01, RSP-07, RSP-08, RSP-09, RSP-12, RSP-14, RSP-16
func TestTrapsHaveTheExpectedOwners(t *testing.T) {
	dir := os.Getenv("EMBERLATCH_DATA")
	if dir == "" {
		dir = "../../../shared/data"
	}
	f, err := os.Open(dir + "/traps/resources.ndjson.gz")
	if err != nil {
		t.Skip("the trap data is not here; set EMBERLATCH_DATA")
	}
	defer f.Close()
	gz, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	resources := map[string]fhir.Resource{}
	for sc := bufio.NewScanner(gz); sc.Scan(); {
		r, err := fhir.ParseResource(append([]byte{}, sc.Bytes()...))
		if err != nil {
			t.Fatalf("%s: %v", sc.Text(), err)
		}
		resources[r.Reference().String()] = r
	}
	e, err := os.Open(dir + "/traps/expected.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for sc := bufio.NewScanner(e); sc.Scan(); {
		var row struct {
			Ref         string
			Recommended []string
			RequiresAll []string
			Derived     string
			Class       string
		}
		if err := json.Unmarshal(sc.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		r := resources[row.Ref]
		if got := compartment.ClassOf(r.Type()).String(); got != row.Class {
			t.Errorf("%s: class %s, want %s", row.Ref, got, row.Class)
		}
		if row.Class != "record" || row.Derived != "" {
			continue
		}
		want := append(append([]string{}, row.Recommended...), row.RequiresAll...)
		sort.Strings(want)
		got := append([]string{}, compartment.Owners(r, "").Required...)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: owners (-want +got):\n%s", row.Ref, diff)
		}
	}
}
