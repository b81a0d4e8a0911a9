package fhir_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/fhir"
)

// pageOf is a searchset of so many resources, as servers send them.
func pageOf(n int) []byte {
	var entries []string
	for i := range n {
		entries = append(entries, fmt.Sprintf(`{"fullUrl":"http://up/fhir/Observation/a%d","resource":{"resourceType":"Observation","id":"a%d","meta":{"versionId":"1","lastUpdated":"2026-01-02T03:04:05Z"},"status":"final",`+
			`"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory","display":"Laboratory"}]}],`+
			`"code":{"coding":[{"system":"http://loinc.org","code":"718-7","display":"Hemoglobin [Mass/volume] in Blood"}],"text":"Hemoglobin"},`+
			`"subject":{"reference":"Patient/alice","display":"Alice Adams"},"encounter":{"reference":"Encounter/e1"},"effectiveDateTime":"2025-03-04T08:30:00Z",`+
			`"issued":"2025-03-04T09:30:00.000Z","performer":[{"reference":"Practitioner/p1"}],"valueQuantity":{"value":13.5,"unit":"g/dL","system":"http://unitsofmeasure.org","code":"g/dL"},`+
			`"referenceRange":[{"low":{"value":12.0,"unit":"g/dL"},"high":{"value":15.5,"unit":"g/dL"}}]},"search":{"mode":"match"}}`, i, i))
	}
	return []byte(`{"resourceType":"Bundle","type":"searchset","total":50,"entry":[` + strings.Join(entries, ",") + `]}`)
}

// BenchmarkReadDocument reads a page of fifty.
func BenchmarkReadDocument(b *testing.B) {
	page := pageOf(50)
	b.SetBytes(int64(len(page)))
	b.ReportAllocs()
	for b.Loop() {
		root, err := fhir.ReadDocument(page)
		if err != nil {
			b.Fatal(err)
		}
		root.Release()
	}
}
