package access_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// trap is a row of the expected answers.
type trap struct {
	Ref         string
	Recommended []string
	RequiresAll []string
	Derived     string
	Class       string
	resource    fhir.Resource
}

// owners are the resource's own, or those that a store derives from others.
func (r trap) owners() search.Owners {
	if r.Derived == "" {
		return compartment.Owners(r.resource, base)
	}
	return search.Owners{Required: slices.Concat(r.Recommended, r.RequiresAll)}
}

func traps(t *testing.T) []trap {
	t.Helper()
	dir := os.Getenv("EMBERLATCH_DATA")
	if dir == "" {
		dir = "../../shared/data"
	}
	f, err := os.Open(filepath.Join(dir, "traps", "resources.ndjson.gz"))
	if err != nil {
		t.Skip("the trap data is not here; set EMBERLATCH_DATA to the folder of test data")
	}
	defer f.Close()
	gz, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	resources := map[string]fhir.Resource{}
	for lines := bufio.NewScanner(gz); lines.Scan(); {
		r, err := fhir.ParseResource(append([]byte{}, lines.Bytes()...))
		if err != nil {
			t.Fatal(err)
		}
		resources[r.Reference().String()] = r
	}
	e, err := os.Open(filepath.Join(dir, "traps", "expected.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	var all []trap
	for lines := bufio.NewScanner(e); lines.Scan(); {
		var row trap
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		row.resource = resources[row.Ref]
		all = append(all, row)
	}
	return all
}

// spec: RSP-01, RSP-05, RSP-07, RSP-08, RSP-09, RSP-11, RSP-12, RSP-13, RSP-14, RSP-16
// attack: B.1, B.14, B.18, B.19, B.44, B.91, B.92
func TestTrapsAreAdmittedAsExpected(t *testing.T) {
	everyone := []string{"trap-alice", "trap-bob", "trap-carol", "trap-kid", "trap-alice2"}
	for _, row := range traps(t) {
		for _, reach := range [][]string{{"trap-alice"}, {"trap-bob"}, {"trap-carol"}, {"trap-kid"}, {"trap-alice2"}, {"trap-alice", "trap-bob"}, {"trap-alice", "trap-kid"}, everyone, nil} {
			needs := slices.Concat(row.Recommended, row.RequiresAll)
			outside := slices.ContainsFunc(needs, func(id string) bool { return !slices.Contains(reach, id) })
			want := row.Class == "shared" || row.Class == "record" && len(needs) > 0 && !outside
			callers := []token{ofClinician("user/*.rs", reach...)}
			if len(reach) == 1 {
				callers = append(callers, ofPatient(reach[0], "patient/*.read"), token{scopes: "patient/*.rs", patient: reach[0]})
			}
			for _, k := range callers {
				r := row.resource
				byRead := access.Decide(k.subject(), fhir.Interaction{Code: fhir.Read, Type: r.Type(), ID: r.ID()}).Admits(r, row.owners())
				bySearch := access.Decide(k.subject(), fhir.Interaction{Code: fhir.SearchType, Type: r.Type()}).Admits(r, row.owners())
				if byRead != want || bySearch != want {
					t.Errorf("%s for %v under %s: read %v, search %v, want %v", row.Ref, reach, k.scopes, byRead, bySearch, want)
				}
			}
		}
	}
}

// attack: B.3
func TestTrapsUnderAConstrainedScope(t *testing.T) {
	wants := map[string][2]bool{ // with the system, without it
		"Observation/trap-obs-alice-lab":              {true, true},
		"Observation/trap-obs-alice-lab-wrong-system": {false, true},
		"Observation/trap-obs-alice-vital":            {false, false},
		"Observation/trap-obs-alice-no-category":      {false, false},
		"Observation/trap-obs-bob-lab":                {false, false},
	}
	found := 0
	for _, row := range traps(t) {
		want, listed := wants[row.Ref]
		if !listed {
			continue
		}
		found++
		for i, scope := range []string{"patient/Observation.rs?category=" + labs, "patient/Observation.rs?category=laboratory"} {
			k := ofPatient("trap-alice", scope)
			d := access.Decide(k.subject(), fhir.Interaction{Code: fhir.Read, Type: "Observation", ID: row.resource.ID()})
			if got := d.Admits(row.resource, row.owners()); got != want[i] {
				t.Errorf("%s under %s: %v", row.Ref, scope, got)
			}
		}
	}
	if found != len(wants) {
		t.Errorf("%d of %d traps are in the data", found, len(wants))
	}
}
