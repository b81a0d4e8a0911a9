package fhirapi

import (
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// Whatever stands in a kick-off request is refused with a sentence or can be evaluated,
// and no filter is lost.
func FuzzExportAsked(f *testing.F) {
	for _, query := range []string{
		"_type=Patient,Observation&_outputFormat=ndjson&_since=2024-01-01T00:00:00Z", "_typeFilter=Observation?status=final,amended,Patient?_id=a",
		"patient=Patient/a", "_typeFilter=,Patient?_id=", "_type=,", "_until=x", "_typeFilter=Patient?_id=a,Patient?",
	} {
		f.Add(query, true)
	}
	f.Fuzz(func(t *testing.T, query string, ofPatients bool) {
		values, err := parseForm(query)
		if err != nil {
			return
		}
		asked := fhirstore.ExportAsked{OfPatients: ofPatients}
		if readExport(&asked, values, false, "https://ehr.example.org/fhir") != nil {
			return
		}
		if asked.Named && !ofPatients {
			t.Error("patients of everything")
		}
		for kind := range asked.Filters {
			if _, err := exportFilter(asked, kind, ""); err != nil {
				t.Errorf("%s: taken and then refused: %v", kind, err)
			}
		}
		for _, text := range values["_typeFilter"] {
			if got := strings.Join(splitFilters(text), ","); got != text {
				t.Errorf("%q became %q", text, got)
			}
		}
	})
}
