package fhirsql_test

import (
	"fmt"
	"testing"

	"github.com/emberlatch/emberlatch/fhir"
)

// Who reaches more patients than a statement takes values is answered like
// anybody else: by read, by search, and for what is about several patients.
//
// spec: SCOPE-21
func TestManyPatientsReached(t *testing.T) {
	reached := make([]string, 40_000)
	for i := range reached {
		reached[i] = fmt.Sprint("patient-", i)
	}
	first, last := reached[0], reached[len(reached)-1]
	both := func(id, other string) string {
		return `{"resourceType":"Account","id":"` + id + `","status":"active",` +
			`"subject":[{"reference":"Patient/` + last + `"},{"reference":"Patient/` + other + `"}]}`
	}
	for engine, open := range engines {
		t.Run(engine, func(t *testing.T) {
			s := open(t)
			load(t, s, of(about("own", "Patient/"+last), about("other", "Patient/z"), both("shared", first), both("mixed", "z")))
			who := userToken(reached...)
			for ref, want := range map[string]bool{
				"Observation/own": true, "Observation/other": false, "Account/shared": true, "Account/mixed": false,
			} {
				r, _ := fhir.ParseReference(ref, "")
				if got := reads(t, s, who, r); got != want {
					t.Errorf("%s read: %v, want %v", ref, got, want)
				}
				if got := finds(t, s, who, r); got != want {
					t.Errorf("%s found: %v, want %v", ref, got, want)
				}
			}
		})
	}
}
