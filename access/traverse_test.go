package access_test

import (
	"net/url"
	"testing"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/smart"
)

// spec: RSX-16
// attack: B.40, B.41, B.53
func TestEveryTypeOfAJoinNeedsItsScope(t *testing.T) {
	for _, row := range []struct {
		name, kind, query string
		scopes            []string
		allowed           bool
	}{
		{"no join", "Observation", "status=final", []string{"patient/Observation.s"}, true},
		{"no scope for the target", "Observation", "performer:Practitioner.name=x", []string{"patient/Observation.rs"}, false},
		{"read only", "Observation", "subject:Patient.name=x", []string{"patient/Observation.rs", "patient/Patient.r"}, false},
		{"search", "Observation", "subject:Patient.name=x", []string{"patient/Observation.rs", "patient/Patient.s"}, true},
		{"one of several types", "Observation", "performer.name=x", []string{"patient/Observation.rs", "user/Organization.s"}, true},
		{"none of several types", "Observation", "performer.name=x", []string{"patient/Observation.rs"}, false},
		{"the second link", "Observation", "subject:Patient.organization.name=x", []string{"patient/Observation.rs", "patient/Patient.rs"}, false},
		{"both links", "Observation", "subject:Patient.organization.name=x", []string{"patient/Observation.rs", "patient/Patient.rs", "user/Organization.rs"}, true},
		{"a closed type", "Observation", "subject:Group._id=x", []string{"patient/*.rs", "user/*.rs"}, false},
		{"_has", "Patient", "_has:Observation:patient:code=x", []string{"patient/Patient.rs", "patient/Observation.r"}, false},
		{"_has with search", "Patient", "_has:Observation:patient:code=x", []string{"patient/Patient.rs", "patient/Observation.s"}, true},
		{"nested _has", "Patient", "_has:Observation:patient:_has:Provenance:target:recorded=2024", []string{"patient/Patient.rs", "patient/Observation.s"}, false},
		{"_has of a closed type", "Patient", "_has:Group:member:_id=x", []string{"patient/*.rs", "user/*.rs"}, false},
		{"_list", "Observation", "_list=x", []string{"patient/Observation.rs"}, false},
		{"_list with search", "Observation", "_list=x", []string{"patient/Observation.rs", "patient/List.rs"}, true},
		{"behind a shared type", "Medication", "_has:MedicationRequest:medication:subject=b", []string{"user/Medication.rs"}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			values, err := url.ParseQuery(row.query)
			if err != nil {
				t.Fatal(err)
			}
			q, err := search.Parse(fhir.ResourceType(row.kind), values, "")
			if err != nil {
				t.Fatal(err)
			}
			s := access.NewSubject(access.Facts{ClientID: "app", GrantID: "g", UserID: "u", HasUser: true, Patient: "a", Reach: search.NewIDSet("a"), Scopes: smart.NewScopeSet(row.scopes)})
			d := access.Decide(s, fhir.Interaction{Code: fhir.SearchType, Type: q.Type})
			if !d.Allowed() {
				t.Fatal(d.Refusal())
			}
			after := d.Traverse(q)
			if after.Allowed() != row.allowed || after.Refusal().InsufficientScope == row.allowed {
				t.Errorf("allowed %v: %+v", after.Allowed(), after.Refusal())
			}
			if !row.allowed && after.View(q.Type) != nil {
				t.Error("a refused search has a view")
			}
		})
	}
	if (access.Decision{}).Traverse(search.Query{}).Allowed() {
		t.Error("the zero decision allows")
	}
}
