package search

import (
	"bufio"
	"compress/gzip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/fhir"
)

const ownBase = "https://our.example.org/fhir"

// agree compares what every parameter of a resource finds in its bytes and in its tree.
// Decisions and queries are made of nothing else (Match, compartment.Owners), so that
// their verdicts agree with it.
func agree(t *testing.T, r fhir.Resource) {
	t.Helper()
	for _, p := range Parameters(r.Type()) {
		quick, plain := p.Extract(r, ownBase), extractOfTree(p, r.Tree(), ownBase)
		if !slices.Equal(quick, plain) {
			t.Errorf("%s of %.300s: in the bytes %+v, in the tree %+v", p.Name(), r.JSON(), quick, plain)
		}
		if p.Type != TypeReference {
			continue
		}
		var alone []fhir.Reference
		p.References(r, ownBase, func(ref fhir.Reference) { alone = append(alone, ref) })
		if together := referencesOf(plain); !slices.Equal(alone, together) {
			t.Errorf("%s of %.300s: alone %v, among the values %v", p.Name(), r.JSON(), alone, together)
		}
	}
}

// referencesOf are those in values; a canonical with a version is two of them, and one
// reference.
func referencesOf(values []Value) (list []fhir.Reference) {
	for i, v := range values {
		if i > 0 && v.URL != "" && strings.HasPrefix(values[i-1].URL, v.URL+"|") {
			continue
		}
		list = append(list, v.Reference)
	}
	return list
}

// attack: B.77
// spec: RSP-07
func TestBytesAndTreeSayTheSame(t *testing.T) {
	dir := os.Getenv("EMBERLATCH_DATA")
	if dir == "" {
		dir = "../../../shared/data"
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*/*resources.ndjson.gz"))
	more, _ := filepath.Glob(filepath.Join(dir, "examples/*.ndjson.gz"))
	people, _ := filepath.Glob(filepath.Join(dir, "population/*.ndjson.gz"))
	files = slices.Concat(files, more, people)
	if len(files) == 0 {
		t.Skip("no test data: set EMBERLATCH_DATA")
	}
	seen := 0
	for _, file := range files {
		for _, raw := range firstLines(t, file, 300) {
			r, err := fhir.ParseResource(raw)
			if err != nil {
				t.Fatal(file, err)
			}
			agree(t, r)
			seen++
		}
	}
	if seen < 1000 {
		t.Errorf("%d resources", seen)
	}
}

func firstLines(t *testing.T, file string, most int) [][]byte {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	zip, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(zip)
	lines.Buffer(nil, 1<<24)
	var all [][]byte
	for len(all) < most && lines.Scan() {
		all = append(all, slices.Clone(lines.Bytes()))
	}
	return all
}

func FuzzBytesAndTree(f *testing.F) {
	for _, seed := range []string{
		`{"resourceType":"Observation","id":"a","category":[{"coding":[{"system":"s","code":"c"},7,null],"text":"x"},null,[{"coding":[]}]],"subject":{"reference":"Patient/\u0061"},"effectivePeriod":{"start":"2020"},"valueQuantity":{"value":1.50,"comparator":"<","unit":"g"}}`,
		`{"resourceType":"Patient","id":"a","deceasedBoolean":false,"name":[{"given":["A",["B"],3],"family":"\u00c4b"}],"telecom":[{"system":"phone","value":"1"}],"link":[{"other":{"reference":"https://our.example.org/fhir/Patient/b/_history/1"}}],"generalPractitioner":[{"type":"Practitioner"},"x",true]}`,
		`{"resourceType":"Condition","subject":{"reference":["Patient/a"]},"onsetRange":{"low":{"value":1,"unit":"a"},"high":null},"onsetAge":{"value":"1"},"code":{"coding":{"code":"x"}}}`,
		`{"resourceType":"MedicationRequest","dosageInstruction":[{"timing":{"event":["2020",{"start":"2021"}],"repeat":{"boundsPeriod":{"end":"2022"}}}}],"subject":{"reference":"https://other.example.org/Patient/a"},"medicationReference":{"reference":"#m"}}`,
		`{"resourceType":"Appointment","participant":[{"actor":{"reference":"Patient/a"}},{"actor":{"reference":"Location/b","type":"Patient"}},{"actor":null}],"status":"\"","start":"2020-01-01T00:00:00Z"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		if r, err := fhir.ParseResource(document); err == nil {
			agree(t, r)
		}
	})
}
