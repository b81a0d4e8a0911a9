package structure_test

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/structure"
)

func ExampleCheck() {
	r, _ := fhir.ParseResource([]byte(`{"resourceType":"Observation","status":"done","code":{"text":"weight"},"valueQuantity":{"value":"70"}}`))
	for _, f := range structure.Check(r) {
		fmt.Println(f.Path + ": expected " + f.Expected)
	}
	// Output:
	// Observation.status: expected a code of the required value set observation-status
	// Observation.valueQuantity.value: expected a number of at most 400 digits, with an exponent of at most 400
}

// unsound are the official examples that are not as R4 defines them.
var unsound = []string{"Questionnaire/qs1"}

// The official examples are as the official definitions say, but for one.
func TestOfficialExamples(t *testing.T) {
	dir := os.Getenv("EMBERLATCH_DATA")
	if dir == "" {
		dir = "../../../shared/data"
	}
	for _, file := range []string{"hl7-r4-examples", "us-core-6.1.0-examples"} {
		f, err := os.Open(filepath.Join(dir, "examples", file+".ndjson.gz"))
		if err != nil {
			t.Skip("the official examples are not here; set EMBERLATCH_DATA")
		}
		defer f.Close()
		gz, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(gz)
		lines.Buffer(nil, 16<<20)
		checked := 0
		for lines.Scan() {
			r, err := fhir.ParseResource(slices.Clone(lines.Bytes()))
			if err != nil {
				t.Fatal(err)
			}
			checked++
			if got := structure.Check(r); (len(got) > 0) != slices.Contains(unsound, r.Reference().String()) {
				t.Errorf("%s: %v", r.Reference(), got)
			}
		}
		if checked < 150 {
			t.Errorf("%s: only %d", file, checked)
		}
	}
}

// Nothing that can be parsed stops the check or makes it answer without end.
func FuzzCheck(f *testing.F) {
	f.Add([]byte(observation(`,"component":[{"code":{"text":"x"}}],"_status":{"id":"a"}`)))
	f.Add([]byte(`{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>x</p></div>"}}`))
	f.Add([]byte(`{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"Patient"}}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := fhir.ParseResource(b)
		if err != nil {
			return
		}
		if got := structure.Check(r); len(got) > 20 {
			t.Errorf("%d findings", len(got))
		}
	})
}
