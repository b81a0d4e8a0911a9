package compartment_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
)

const base = "https://ehr.example/fhir"

func parse(t testing.TB, text string) fhir.Resource {
	t.Helper()
	r, err := fhir.ParseResource([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return r
}

// Whom a resource is about, and what does not make it about anybody.
//
// spec: RSP-01, RSP-07, RSP-08, RSP-09, RSP-12, RSP-14, RSP-15, RSP-16
// attack: B.18, B.19, B.91, B.92
func TestOwners(t *testing.T) {
	for _, row := range []struct {
		name, resource string
		want           []string
	}{
		{"a Patient is about itself", `{"resourceType":"Patient","id":"a","link":[{"other":{"reference":"Patient/b"}}]}`, []string{"a"}},
		{"a Patient without an id", `{"resourceType":"Patient"}`, nil},
		{"the subject", `{"resourceType":"Observation","subject":{"reference":"Patient/a"}}`, []string{"a"}},
		{"the subject, not the performer", `{"resourceType":"Observation","subject":{"reference":"Patient/a"},"performer":[{"reference":"Patient/b"}]}`, []string{"a"}},
		{"a subject of this server, absolute", `{"resourceType":"Observation","subject":{"reference":"https://ehr.example/fhir/Patient/a"}}`, []string{"a"}},
		{"a versioned subject", `{"resourceType":"Observation","subject":{"reference":"Patient/a/_history/3"}}`, []string{"a"}},
		{"a subject elsewhere", `{"resourceType":"Observation","subject":{"reference":"https://other.example/fhir/Patient/a"}}`, nil},
		{"a base that only begins like ours", `{"resourceType":"Observation","subject":{"reference":"https://ehr.example/fhirx/Patient/a"}}`, nil},
		{"a path before the type", `{"resourceType":"Observation","subject":{"reference":"x/Patient/a"}}`, nil},
		{"a subject by identifier, and a performer", `{"resourceType":"Observation","subject":{"identifier":{"value":"1"}},"performer":[{"reference":"Patient/a"}]}`, nil},
		{"a subject by its name, and a performer", `{"resourceType":"Observation","subject":{"display":"Alice"},"performer":[{"reference":"Patient/a"}]}`, nil},
		{"an empty subject, and a performer", `{"resourceType":"Observation","subject":{},"performer":[{"reference":"Patient/a"}]}`, nil},
		{"a contained subject, and a performer", `{"resourceType":"Observation","contained":[{"resourceType":"Patient","id":"a"}],"subject":{"reference":"#a"},"performer":[{"reference":"Patient/a"}]}`, nil},
		{"a Group, and a performer", `{"resourceType":"Observation","subject":{"reference":"Group/g"},"performer":[{"reference":"Patient/a"}]}`, nil},
		{"a subject that is a number, and a performer", `{"resourceType":"Observation","subject":5,"performer":[{"reference":"Patient/a"}]}`, nil},
		{"a subject in lists of lists, and a performer", `{"resourceType":"Observation","subject":[[{"reference":"Patient/b"}]],"performer":[{"reference":"Patient/a"}]}`, nil},
		{"no subject: who takes part, together", `{"resourceType":"Observation","performer":[{"reference":"Patient/b"},{"reference":"Practitioner/p"},{"reference":"Patient/a"},{"reference":"Patient/b"}]}`, []string{"a", "b"}},
		{"nobody at all", `{"resourceType":"Observation"}`, nil},
		{"another element that looks like a subject", `{"resourceType":"Observation","Subject":{"reference":"Patient/a"},"focus":[{"reference":"Patient/a"}]}`, nil},
		{"several actors", `{"resourceType":"Appointment","participant":[{"actor":{"reference":"Patient/b"}},{"actor":{"reference":"Practitioner/p"}},{"actor":{"reference":"Patient/a"}}]}`, []string{"a", "b"}},
		{"several accounts' subjects", `{"resourceType":"Account","subject":[{"reference":"Patient/a"},{"reference":"Patient/b"}]}`, []string{"a", "b"}},
		{"the beneficiary, not who pays", `{"resourceType":"Coverage","beneficiary":{"reference":"Patient/a"},"subscriber":{"reference":"Patient/b"},"payor":[{"reference":"Patient/c"}]}`, []string{"a"}},
		{"a patient element", `{"resourceType":"AllergyIntolerance","patient":{"reference":"Patient/a"},"recorder":{"reference":"Patient/b"}}`, []string{"a"}},
		{"the individual", `{"resourceType":"ResearchSubject","individual":{"reference":"Patient/a"}}`, []string{"a"}},
		{"a Device", `{"resourceType":"Device","patient":{"reference":"Patient/a"}}`, []string{"a"}},
		{"a Task", `{"resourceType":"Task","for":{"reference":"Patient/a"},"owner":{"reference":"Patient/b"}}`, []string{"a"}},
		{"a Task for an organization", `{"resourceType":"Task","for":{"reference":"Organization/o"}}`, nil},
		{"a list without a subject", `{"resourceType":"List","source":{"reference":"Patient/a"}}`, []string{"a"}},
		{"a message without a subject", `{"resourceType":"Communication","sender":{"reference":"Patient/a"},"recipient":[{"reference":"Patient/b"}]}`, []string{"a", "b"}},
		{"derived types tell nothing by themselves", `{"resourceType":"Provenance","target":[{"reference":"Patient/a"}]}`, nil},
		{"a Binary", `{"resourceType":"Binary","securityContext":{"reference":"Patient/a"}}`, nil},
		{"a Group lists patients and is about none", `{"resourceType":"Group","member":[{"entity":{"reference":"Patient/a"}}]}`, nil},
		{"a Person", `{"resourceType":"Person","link":[{"target":{"reference":"Patient/a"}}]}`, nil},
		{"a shared type", `{"resourceType":"PractitionerRole","practitioner":{"reference":"Patient/a"}}`, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := compartment.Owners(parse(t, row.resource), base).Required
			if diff := cmp.Diff(row.want, got); diff != "" && len(row.want)+len(got) > 0 {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// spec: RSP-12, SCOPE-17, SCOPE-26
func TestClasses(t *testing.T) {
	counts := map[compartment.Class]int{}
	for _, kind := range fhir.ResourceTypes() {
		class := compartment.ClassOf(kind)
		counts[class]++
		if (len(compartment.MemberParameters(kind)) > 0 || compartment.DerivationOf(kind) != compartment.None) != (class == compartment.Record) {
			t.Errorf("%s is %s", kind, class)
		}
		for _, p := range compartment.PrimaryParameters(kind) {
			if p.Type != search.TypeReference || !p.CanPointTo("Patient") {
				t.Errorf("%s says nothing about whom a %s is about", p.Name(), kind)
			}
		}
	}
	// 66 types of R4 without Person, AuditEvent and Group, and Device, Task, Binary.
	if want := 66 - 3 + 3; counts[compartment.Record] != want {
		t.Errorf("%d types about patients, want %d", counts[compartment.Record], want)
	}
	for _, kind := range []fhir.ResourceType{"Group", "Person", "AuditEvent", "Bundle", "Parameters", "Linkage", "Subscription", "MessageHeader", "Contract", "VerificationResult", "OperationOutcome", "GuidanceResponse", "", "*", "Banana"} {
		if got := compartment.ClassOf(kind); got != compartment.Closed {
			t.Errorf("%q is %s", kind, got)
		}
	}
	for _, kind := range []fhir.ResourceType{"Practitioner", "PractitionerRole", "Organization", "Location", "HealthcareService", "Endpoint", "Medication", "Substance", "Questionnaire", "ValueSet", "CodeSystem", "StructureDefinition"} {
		if got := compartment.ClassOf(kind); got != compartment.Shared {
			t.Errorf("%q is %s", kind, got)
		}
	}
}

// Whom a resource is about is read of references (search.Parameter.References).
func TestMembersAreReferences(t *testing.T) {
	for _, kind := range fhir.ResourceTypes() {
		for _, p := range append(compartment.MemberParameters(kind), compartment.PrimaryParameters(kind)...) {
			if p.Type != search.TypeReference {
				t.Errorf("%s is a %s", p.Name(), p.Type)
			}
		}
	}
}

func TestDerivations(t *testing.T) {
	for kind, want := range map[fhir.ResourceType]compartment.Derivation{
		"Provenance": compartment.FromTargets, "Binary": compartment.FromSecurityContextOrAttachers, "Observation": compartment.None, "": compartment.None,
	} {
		if got := compartment.DerivationOf(kind); got != want {
			t.Errorf("%s: %d", kind, got)
		}
	}
}
