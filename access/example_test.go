package access_test

import (
	"fmt"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/smart"
)

// A patient's app asks for an observation: the gate first, then each resource
// before it leaves.
func ExampleDecide() {
	subject := access.NewSubject(access.Facts{
		Scopes:  smart.NewScopeSet([]string{"patient/Observation.rs"}),
		Patient: "alice",
		HasUser: true, Reach: search.NewIDSet("alice"),
	})
	decision := access.Decide(subject, fhir.Interaction{Code: fhir.Read, Type: "Observation", ID: "1"})
	fmt.Println(decision.Allowed(), decision.Reasons())

	for _, owner := range []string{"alice", "bob"} {
		r, err := fhir.ParseResource([]byte(`{"resourceType":"Observation","id":"1","subject":{"reference":"Patient/` + owner + `"}}`))
		fmt.Println(owner, decision.Admits(r, compartment.Owners(r, "")), err)
	}
	// Output:
	// true [scope patient/Observation.rs]
	// alice true <nil>
	// bob false <nil>
}

// A type without a scope is refused from token and request line alone.
func ExampleDecision_Refusal() {
	subject := access.NewSubject(access.Facts{Scopes: smart.NewScopeSet([]string{"patient/Observation.rs"}), Patient: "alice"})
	refusal := access.Decide(subject, fhir.Interaction{Code: fhir.SearchType, Type: "Condition"}).Refusal()
	fmt.Println(refusal.HTTPStatus(), refusal.InsufficientScope, refusal.Text)
	// Output:
	// 403 true The access token has no scope for the search-type interaction on Condition.
}

// The view of a type goes into a query; it is as short as the scopes permit.
func ExampleDecision_View() {
	subject := access.NewSubject(access.Facts{
		Scopes:  smart.NewScopeSet([]string{"user/*.rs", "patient/Observation.rs?category=laboratory"}),
		HasUser: true, Patient: "alice", Reach: search.NewIDSet("alice", "bob"),
	})
	view := access.Decide(subject, fhir.Interaction{Code: fhir.SearchType, Type: "Observation"}).View("Observation")
	owned, one := view.(search.OwnedBy)
	fmt.Println(one, owned.Patients.List())
	// Output:
	// true [alice bob]
}

func ExampleSystem() {
	decision := access.System("finding out who reaches whom", "http://localhost/fhir")
	fmt.Println(decision.Allowed(), decision.Reasons())
	// Output:
	// true [system: finding out who reaches whom]
}
