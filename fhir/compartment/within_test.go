package compartment_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// Compartment searches find members of their root, and nothing by half an id.
//
// spec: RSP-01, RSP-03, RSP-08
// attack: B.31
func TestWithin(t *testing.T) {
	for _, row := range []struct {
		name, root, resource string
		want                 bool
	}{
		{"the record of a patient", "Patient/a", `{"resourceType":"Observation","id":"1","subject":{"reference":"Patient/a"}}`, true},
		{"of another patient", "Patient/a", `{"resourceType":"Observation","id":"1","subject":{"reference":"Patient/b"}}`, false},
		{"an id that begins alike", "Patient/a", `{"resourceType":"Observation","id":"1","subject":{"reference":"Patient/ab"}}`, false},
		{"performer is not enough", "Patient/a", `{"resourceType":"Observation","id":"1","subject":{"reference":"Patient/b"},"performer":[{"reference":"Patient/a"}]}`, false},
		{"about others as well", "Patient/a", `{"resourceType":"Account","id":"1","subject":[{"reference":"Patient/a"},{"reference":"Patient/b"}]}`, false},
		{"the patient", "Patient/a", `{"resourceType":"Patient","id":"a"}`, true},
		{"a linked patient", "Patient/a", `{"resourceType":"Patient","id":"b","link":[{"other":{"reference":"Patient/a"}}]}`, false},
		{"a Device", "Patient/a", `{"resourceType":"Device","id":"1","patient":{"reference":"Patient/a"}}`, true},
		{"a closed type", "Patient/a", `{"resourceType":"Group","id":"1","member":[{"entity":{"reference":"Patient/a"}}]}`, false},
		{"a shared type", "Patient/a", `{"resourceType":"Practitioner","id":"a"}`, false},
		{"an encounter's observation", "Encounter/e", `{"resourceType":"Observation","id":"1","encounter":{"reference":"Encounter/e"}}`, true},
		{"an encounter's observation, absolute", "Encounter/e", `{"resourceType":"Observation","id":"1","encounter":{"reference":"https://ehr.example/fhir/Encounter/e/_history/2"}}`, true},
		{"an encounter elsewhere", "Encounter/e", `{"resourceType":"Observation","id":"1","encounter":{"reference":"https://other.example/fhir/Encounter/e"}}`, false},
		{"another encounter's", "Encounter/e", `{"resourceType":"Observation","id":"1","encounter":{"reference":"Encounter/f"}}`, false},
		{"the encounter", "Encounter/e", `{"resourceType":"Encounter","id":"e"}`, true},
		{"another encounter", "Encounter/e", `{"resourceType":"Encounter","id":"f"}`, false},
		{"a type outside of the compartment", "Encounter/e", `{"resourceType":"Patient","id":"e"}`, false},
		{"a practitioner's patient", "Practitioner/p", `{"resourceType":"Patient","id":"a","generalPractitioner":[{"reference":"Practitioner/p"}]}`, true},
		{"the practitioner", "Practitioner/p", `{"resourceType":"Practitioner","id":"p"}`, true},
		{"a type of the same id", "Practitioner/p", `{"resourceType":"Patient","id":"a","generalPractitioner":[{"reference":"PractitionerRole/p"}]}`, false},
		{"a related person's", "RelatedPerson/r", `{"resourceType":"AllergyIntolerance","id":"1","asserter":{"reference":"RelatedPerson/r"}}`, true},
		{"a device's, one of two ways", "Device/d", `{"resourceType":"Observation","id":"1","device":{"reference":"Device/d"}}`, true},
		{"a device's, the other way", "Device/d", `{"resourceType":"Observation","id":"1","subject":{"reference":"Device/d"}}`, true},
		{"a type that is no root", "Observation/o", `{"resourceType":"DiagnosticReport","id":"1","result":[{"reference":"Observation/o"}]}`, false},
		{"no root", "", `{"resourceType":"Observation","id":"1"}`, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			root, _ := fhir.ParseReference(row.root, "")
			r := parse(t, row.resource)
			within := compartment.Within(root, r.Type(), base)
			if got := search.Match(within, r, compartment.Owners(r, base), base); got != row.want {
				t.Errorf("%#v: %v", within, got)
			}
		})
	}
}

// A search in a patient's compartment finds what is about that patient.
//
// spec: RSP-01, RSP-08
func TestWithinAPatientIsOwnedByThatPatient(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		ids := rapid.SampledFrom([]string{"Patient/a", "Patient/b", "Patient/aa", "Group/a", "https://other.example/fhir/Patient/a", "#a", base + "/Patient/a"})
		element := rapid.SampledFrom([]string{"subject", "performer", "focus", "encounter", "specimen"})
		content := map[string]any{"resourceType": "Observation", "id": "1"}
		for range rapid.IntRange(0, 3).Draw(rt, "references") {
			content[element.Draw(rt, "element")] = map[string]string{"reference": ids.Draw(rt, "to")}
		}
		b, err := json.Marshal(content)
		if err != nil {
			rt.Fatal(err)
		}
		r := parse(t, string(b))
		owners := compartment.Owners(r, base)
		got := search.Match(compartment.Within(fhir.Reference{Type: "Patient", ID: "a"}, "Observation", base), r, owners, base)
		if want := len(owners.Required) == 1 && owners.Required[0] == "a"; got != want {
			rt.Errorf("%s: found %v, owners %v", b, got, owners.Required)
		}
	})
}

// The generated table says what the official definitions say.
//
// spec: RSP-01, RSP-08
func TestOfficialDefinitions(t *testing.T) {
	dir := os.Getenv("EMBERLATCH_DATA")
	if dir == "" {
		dir = "../../../shared/data"
	}
	for _, root := range []fhir.ResourceType{"Encounter", "RelatedPerson", "Practitioner", "Device"} {
		b, err := os.ReadFile(filepath.Join(dir, "definitions", "r4", fmt.Sprintf("compartmentdefinition-%s.json", lower(root))))
		if err != nil {
			t.Skip("the official definitions are not here; set EMBERLATCH_DATA to the folder of test data")
		}
		var definition struct {
			Resource []struct {
				Code  fhir.ResourceType
				Param []string
			}
		}
		if err := json.Unmarshal(b, &definition); err != nil {
			t.Fatal(err)
		}
		if len(definition.Resource) < 100 {
			t.Fatalf("%s lists %d types", root, len(definition.Resource))
		}
		for _, member := range definition.Resource {
			want := map[string]bool{}
			for _, code := range member.Param {
				if code != "{def}" {
					want[code] = true
				}
			}
			parts, _ := compartment.Within(fhir.Reference{Type: root, ID: "x"}, member.Code, base).(search.Or)
			got := map[string]bool{}
			for _, p := range parts {
				if h, ok := p.(search.Holds); ok {
					got[h.Clause.Parameter.Code] = true
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s/%s: %v, want %v", root, member.Code, got, want)
			}
		}
	}
}

func lower(t fhir.ResourceType) string {
	b := []byte(t)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
