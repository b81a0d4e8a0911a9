package fhir_test

import (
	"testing"

	"github.com/emberlatch/emberlatch/fhir"
)

// Labels are taken over, and every other byte of every value stays.
//
// attack: B.72
func TestWithLabelsOf(t *testing.T) {
	for _, row := range []struct{ name, own, other, want string }{
		{"none on either side", `{"resourceType":"Basic","n":1.00}`, `{"resourceType":"Basic"}`, `{"resourceType":"Basic","n":1.00}`},
		{"the same in another spelling", `{"resourceType":"Basic","meta":{"tag":[{"code":"\u0061"}]}}`, `{"resourceType":"Basic","meta":{"tag":[{"code":"a"}]}}`,
			`{"resourceType":"Basic","meta":{"tag":[{"code":"\u0061"}]}}`},
		{"they come", `{"resourceType":"Basic","n":1.00}`, `{"resourceType":"Basic","meta":{"versionId":"1","security":[{"code":"R"}],"tag":[{"code":"a"}]}}`,
			`{"resourceType":"Basic","n":1.00,"meta":{"security":[{"code":"R"}],"tag":[{"code":"a"}]}}`},
		{"they go", `{"resourceType":"Basic","meta":{"tag":[{"code":"a"}]},"n":1.00}`, `{"resourceType":"Basic"}`, `{"resourceType":"Basic","n":1.00}`},
		{"the rest of meta stays", `{"meta":{"profile":["urn:x"],"tag":[{"code":"a"}]},"resourceType":"Basic"}`, `{"resourceType":"Basic","meta":{"tag":[{"code":"b"}]}}`,
			`{"resourceType":"Basic","meta":{"profile":["urn:x"],"tag":[{"code":"b"}]}}`},
	} {
		own, err := fhir.ParseResource([]byte(row.own))
		if err != nil {
			t.Fatal(row.name, err)
		}
		other, err := fhir.ParseResource([]byte(row.other))
		if err != nil {
			t.Fatal(row.name, err)
		}
		got, err := own.WithLabelsOf(other)
		if err != nil || string(got.JSON()) != row.want || !got.SameLabels(other) {
			t.Errorf("%s: %s, %v", row.name, got.JSON(), err)
		}
	}
}
