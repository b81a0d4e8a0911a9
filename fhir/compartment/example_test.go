package compartment_test

import (
	"fmt"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// Bob performed it; it is about Alice.
func ExampleOwners() {
	r, err := fhir.ParseResource([]byte(`{"resourceType":"Observation","id":"1",
		"subject":{"reference":"Patient/alice"},"performer":[{"reference":"Patient/bob"}]}`))
	fmt.Println(compartment.Owners(r, "https://ehr.example/fhir").Required, err)
	// Output:
	// [alice] <nil>
}

func ExampleClassOf() {
	for _, t := range []fhir.ResourceType{"Observation", "Practitioner", "Group"} {
		fmt.Println(t, compartment.ClassOf(t))
	}
	// Output:
	// Observation record
	// Practitioner shared
	// Group closed
}

func ExampleWithin() {
	within := compartment.Within(fhir.Reference{Type: "Encounter", ID: "e"}, "Observation", "")
	r, err := fhir.ParseResource([]byte(`{"resourceType":"Observation","id":"1","encounter":{"reference":"Encounter/e"}}`))
	fmt.Println(search.Match(within, r, compartment.Owners(r, ""), ""), err)
	// Output:
	// true <nil>
}
