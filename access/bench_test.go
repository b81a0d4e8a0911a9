package access_test

import (
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/smart"
)

// usual is the token of a patient app that asked for some twenty types.
func usual() token {
	list := []string{"launch/patient", "openid", "fhirUser", "offline_access"}
	for _, kind := range fhir.ResourceTypes()[:20] {
		list = append(list, "patient/"+string(kind)+".rs")
	}
	list = append(list, "patient/Observation.rs?category="+labs, "patient/Observation.rs?category="+vitals, "patient/Patient.rs")
	k := ofPatient("a", strings.Join(list, " "))
	k.fhirUser = "Patient/a"
	return k
}

func BenchmarkDecide(b *testing.B) {
	s := usual().subject()
	for name, i := range map[string]fhir.Interaction{
		"read": {Code: fhir.Read, Type: "Patient", ID: "a"}, "search": {Code: fhir.SearchType, Type: "Observation"}, "refused": {Code: fhir.SearchType, Type: "Task"},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				d := access.Decide(s, i)
				if d.Allowed() == (name == "refused") || (d.View(i.Type) == nil) == d.Allowed() {
					b.Fatal(d.Reasons())
				}
			}
		})
	}
}

func BenchmarkAdmits(b *testing.B) {
	for name, r := range map[string]thing{"owned": about("Patient", "a", "a"), "constrained": observation("1", "a", coding{observationCategory, "laboratory"})} {
		d, resource, owners := access.Decide(usual().subject(), find(r.kind)), r.resource(b), r.owned()
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !d.Admits(resource, owners) {
					b.Fatal(d.Reasons())
				}
			}
		})
	}
}

func BenchmarkNewSubject(b *testing.B) {
	k := usual()
	own, _ := fhir.ParseReference(k.fhirUser, "")
	facts := access.Facts{
		Scopes: smart.NewScopeSet(strings.Split(k.scopes, " ")), Patient: k.patient, HasUser: true,
		Reach: search.NewIDSet(k.reach...), FHIRUser: own, Base: base,
	}
	b.ReportAllocs()
	for b.Loop() {
		access.NewSubject(facts)
	}
}
