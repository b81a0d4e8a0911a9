package reach_test

import (
	"context"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/store"
)

// elementsOf are where the parameters that reach asks for find their values, in
// types of which only some elements are policy sources.
var elementsOf = map[string]string{
	"Patient.general-practitioner": "generalPractitioner", "Patient.organization": "managingOrganization",
	"Patient._id": "birthDate", // what is looked at then
}

// everyRule is what an operator can switch on.
var everyRule = fhirstore.TieRules{
	Visits: time.Hour, Organizations: true, Roles: []fhirstore.Code{{System: "urn:r", Code: "chief"}},
	Standing: []fhirstore.Code{{System: roleCodes, Code: "POWATT"}}, Parents: []fhirstore.Code{{System: roleCodes, Code: "PRN"}}, Majority: 18,
}

// All that is read to find out who reaches whom is out of the hands of apps.
//
// attack: B.73
func TestNobodyWritesWhatReachReads(t *testing.T) {
	c := openBy(t, everyRule, role, team("t", "active", "Patient/a", member("Practitioner/p1", ""), ""), patient("a", `,"managingOrganization":{"reference":"Organization/o"}`),
		related("x", "kid", "PRN", ""), minor("kid", "2020-01-01"),
		`{"resourceType":"Group","id":"g","type":"person","actual":true,"managingEntity":{"reference":"PractitionerRole/r1"},"member":[{"entity":{"reference":"Patient/a"}}]}`)
	asked := map[string]bool{}
	c.backend.answered = func(q search.Query) {
		asked[string(q.Type)] = true
		for _, w := range q.Where {
			element := elementsOf[string(q.Type)+"."+w.Parameter.Code]
			if !access.IsPolicySource(q.Type, element) {
				t.Errorf("%s is found by %s, and apps may write it", q.Type, w.Parameter.Code)
			}
		}
	}
	for _, q := range reach.Questions(everyRule) {
		if !access.IsPolicySource(q.Type, elementsOf[string(q.Type)+"."+q.Parameter]) {
			t.Errorf("%s is asked by %s, and apps may write it", q.Type, q.Parameter)
		}
	}
	ctx := context.Background()
	for _, u := range []store.User{doctor(), {Role: store.RolePatient, FHIRUser: "Patient/a"}, {Role: store.RoleRepresentative, FHIRUser: "RelatedPerson/x"}} {
		if _, err := c.Reach(ctx, u); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.OfClient(ctx, store.Client{Data: store.ClientData{Groups: []string{"g"}, Organizations: []string{"o"}}}); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"CareTeam", "Encounter", "Group", "Patient", "PractitionerRole", "RelatedPerson"} {
		if !asked[kind] {
			t.Errorf("%s was not asked: the test proves little", kind)
		}
	}
}
