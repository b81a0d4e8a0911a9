package sandbox_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/sandbox"
	"github.com/emberlatch/emberlatch/internal/store"
)

var today = time.Date(2026, 11, 25, 21, 0, 0, 0, time.UTC)

func generate(t testing.TB, people int) sandbox.Data {
	t.Helper()
	d, err := sandbox.Generate(people, today)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// parsed returns the resources as objects.
func parsed(t testing.TB, d sandbox.Data) []map[string]any {
	t.Helper()
	list := make([]map[string]any, len(d.Resources))
	for i, raw := range d.Resources {
		if err := json.Unmarshal(raw, &list[i]); err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
	}
	return list
}

// byKey returns the resources by "Type/id"; two of one key are an error.
func byKey(t testing.TB, d sandbox.Data) map[string]map[string]any {
	t.Helper()
	all := map[string]map[string]any{}
	for _, r := range parsed(t, d) {
		key := r["resourceType"].(string) + "/" + r["id"].(string)
		if all[key] != nil {
			t.Errorf("%s stands there twice", key)
		}
		all[key] = r
	}
	return all
}

// each calls f for every member of a tree of JSON values.
func each(v any, f func(name string, value any)) {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			f(name, value)
			each(value, f)
		}
	case []any:
		for _, item := range v {
			each(item, f)
		}
	}
}

func TestTheSameCallGivesTheSamePeople(t *testing.T) {
	first, second := generate(t, 20), generate(t, 20)
	if !slices.EqualFunc(first.Resources, second.Resources, bytes.Equal) {
		t.Error("the records of two calls differ")
	}
	if diff := cmp.Diff(first.People, second.People); diff != "" {
		t.Errorf("the logins of two calls differ: %s", diff)
	}
}

func TestMorePeopleLeaveTheOthersAsTheyAre(t *testing.T) {
	few, many := byKey(t, generate(t, 12)), byKey(t, generate(t, 30))
	for key, r := range few {
		if strings.HasPrefix(key, "Group/") {
			continue // panels grow
		}
		if !reflect.DeepEqual(r, many[key]) {
			t.Fatalf("%s differs: %s", key, cmp.Diff(r, many[key]))
		}
	}
}

func TestIDsAreFHIRIDsAndReferencesResolve(t *testing.T) {
	all := byKey(t, generate(t, 60))
	for key, r := range all {
		_, id, _ := strings.Cut(key, "/")
		if len(id) > 64 || strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") != "" {
			t.Errorf("%s: not an id of FHIR", key)
		}
		each(r, func(name string, value any) {
			target, isText := value.(string)
			isReference := isText && (name == "reference" || name == "url" && strings.HasPrefix(target, "Binary/"))
			if isReference && all[target] == nil {
				t.Errorf("%s: refers to %s, which is not there", key, target)
			}
		})
	}
}

func TestNothingHappensInTheFutureOrBeforeBirth(t *testing.T) {
	all := byKey(t, generate(t, 60))
	born := map[string]string{}
	for key, r := range all {
		if strings.HasPrefix(key, "Patient/") {
			born[key] = r["birthDate"].(string)
		}
	}
	for key, r := range all {
		who := subject(r)
		for _, name := range []string{"onsetDateTime", "recordedDate", "authoredOn", "effectiveDateTime", "issued", "occurrenceDateTime", "performedDateTime", "date"} {
			at, _ := r[name].(string)
			if at == "" {
				continue
			}
			if at[:10] > "2026-11-25" {
				t.Errorf("%s.%s: %s is in the future", key, name, at)
			}
			if at[:10] < born[who] {
				t.Errorf("%s.%s: %s is before the birth on %s", key, name, at, born[who])
			}
		}
	}
}

func subject(r map[string]any) string {
	for _, name := range []string{"subject", "patient", "beneficiary"} {
		if ref, ok := r[name].(map[string]any); ok {
			return ref["reference"].(string)
		}
	}
	return ""
}

// What an app may ask for is there to be read.
func TestEveryKindOfInformationIsThere(t *testing.T) {
	counts := map[string]int{}
	for _, r := range parsed(t, generate(t, 12)) {
		kind := r["resourceType"].(string)
		counts[kind]++
		for _, c := range array(r["category"]) {
			for _, coding := range array(object(c)["coding"]) {
				counts[kind+" "+object(coding)["code"].(string)]++
			}
		}
	}
	for _, kind := range []string{
		"Patient", "Practitioner", "PractitionerRole", "Organization", "Location", "RelatedPerson", "Group",
		"Condition problem-list-item", "MedicationRequest", "AllergyIntolerance", "Immunization", "Encounter", "Procedure",
		"Observation laboratory", "Observation vital-signs", "Observation social-history", "Observation survey", "DiagnosticReport LAB",
		"DocumentReference clinical-note", "Binary", "CareTeam", "CarePlan", "Goal", "Coverage", "Device", "Provenance",
	} {
		if counts[kind] == 0 {
			t.Errorf("no %s", kind)
		}
	}
}

func array(v any) []any { list, _ := v.([]any); return list }

func object(v any) map[string]any { o, _ := v.(map[string]any); return o }

// Profiles, codes, units and ranges make a record look like US Core.
func TestObservationsHaveCodesUnitsAndRanges(t *testing.T) {
	trend := map[string]int{}
	for _, r := range parsed(t, generate(t, 12)) {
		if r["resourceType"] != "Observation" {
			continue
		}
		profiles := array(object(r["meta"])["profile"])
		if len(profiles) != 1 || !strings.HasPrefix(profiles[0].(string), "http://hl7.org/fhir/us/core/StructureDefinition/us-core-") {
			t.Errorf("%s: profiles %v", r["id"], profiles)
		}
		coding := object(array(object(r["code"])["coding"])[0])
		if coding["system"] != "http://loinc.org" {
			t.Errorf("%s: coded in %v", r["id"], coding["system"])
		}
		if q := object(r["valueQuantity"]); q != nil && (q["system"] != "http://unitsofmeasure.org" || q["code"] == "" || q["value"].(float64) <= 0) {
			t.Errorf("%s: value %v", r["id"], q)
		}
		if strings.Contains(r["id"].(string), "-lab-") {
			trend[subject(r)+" "+coding["code"].(string)]++
			if len(array(r["referenceRange"])) != 1 {
				t.Errorf("%s: no reference range", r["id"])
			}
		}
	}
	if n := trend["Patient/maria 4548-4"]; n < 5 {
		t.Errorf("%d values of HbA1c of Maria, too few for a trend", n)
	}
}

// A flag says the same as the range.
func TestInterpretationAgreesWithTheRange(t *testing.T) {
	outside := 0
	for _, r := range parsed(t, generate(t, 30)) {
		ranges := array(r["referenceRange"])
		if len(ranges) == 0 {
			continue
		}
		value := object(r["valueQuantity"])["value"].(float64)
		low := object(object(ranges[0])["low"])["value"].(float64)
		high := object(object(ranges[0])["high"])["value"].(float64)
		want := "N"
		if value < low {
			want = "L"
		}
		if value > high {
			want = "H"
		}
		if want != "N" {
			outside++
		}
		got := object(array(object(array(r["interpretation"])[0])["coding"])[0])["code"]
		if got != want {
			t.Errorf("%s: %v of %v to %v is flagged %v", r["id"], value, low, high, got)
		}
	}
	if outside == 0 {
		t.Error("nobody has a value outside of its range")
	}
}

// A note's content stands under the protection of the note.
func TestNotesSayWhoseContextProtectsTheirContent(t *testing.T) {
	all := byKey(t, generate(t, 12))
	notes := 0
	for key, r := range all {
		if r["resourceType"] != "Binary" {
			continue
		}
		notes++
		context, _ := object(r["securityContext"])["reference"].(string)
		if all[context] == nil || !strings.HasPrefix(subject(all[context]), "Patient/") {
			t.Errorf("%s: security context %q leads to no patient", key, context)
		}
		text, err := base64.StdEncoding.DecodeString(r["data"].(string))
		if err != nil || len(text) == 0 {
			t.Errorf("%s: no text: %v", key, err)
		}
	}
	if notes == 0 {
		t.Error("no notes")
	}
}

func TestPhoneNumbersAreOfTheRangeForFiction(t *testing.T) {
	for _, r := range parsed(t, generate(t, 60)) {
		for _, c := range array(r["telecom"]) {
			number, _ := object(c)["value"].(string)
			if object(c)["system"] == "phone" && (!strings.HasPrefix(number, "555-01") || len(number) != 8) {
				t.Errorf("%s: phone %s", r["id"], number)
			}
			if object(c)["system"] == "email" && !strings.HasSuffix(number, "example.org") {
				t.Errorf("%s: address %s", r["id"], number)
			}
		}
	}
}

// The people that tutorials and tests rely on.
func TestPeopleHaveTheirParts(t *testing.T) {
	d := generate(t, 12)
	all := byKey(t, d)
	roles := map[store.Role]int{}
	panels := map[string][]string{}
	taken := map[string]bool{}
	for _, p := range d.People {
		roles[p.Role]++
		if p.FHIRUser != "" && all[p.FHIRUser] == nil {
			t.Errorf("%s is %s, which is not there", p.Username, p.FHIRUser)
		}
		for _, id := range p.Patients {
			if all["Patient/"+id] == nil {
				t.Errorf("%s reaches %s, which is not there", p.Username, id)
			}
		}
		if p.Role == store.RolePractitioner {
			panels[p.Username] = p.Patients
		}
		taken[p.FHIRUser] = true
	}
	want := map[store.Role]int{store.RolePatient: 2, store.RoleRepresentative: 2, store.RolePractitioner: 3, store.RoleAdministrator: 1}
	if diff := cmp.Diff(want, roles); diff != "" {
		t.Errorf("roles differ: %s", diff)
	}
	for _, id := range panels["chen"] {
		if slices.Contains(panels["silva"], id) {
			t.Errorf("%s is of both panels", id)
		}
	}
	if len(panels["chen"]) == 0 || len(panels["silva"]) == 0 {
		t.Errorf("panels are %v", panels)
	}
	for _, e := range d.Enrolment {
		who := all["Patient/"+e.Patient]
		name := object(array(who["name"])[0])
		got := []any{array(name["given"])[0], name["family"], who["birthDate"]}
		if diff := cmp.Diff([]any{e.Given, e.Family, e.BirthDate}, got); diff != "" {
			t.Errorf("the invitation and the record differ: %s", diff)
		}
		if taken["Patient/"+e.Patient] {
			t.Errorf("%s has a login before enrolling", e.Patient)
		}
	}
	if len(d.Enrolment) == 0 {
		t.Error("nobody can enrol")
	}
}

// A panel is told in three ways that agree: a group, the care teams, the general practitioner.
func TestPanelsAgree(t *testing.T) {
	d := generate(t, 25)
	all := byKey(t, d)
	for _, p := range d.People {
		if p.Role != store.RolePractitioner {
			continue
		}
		_, id, _ := strings.Cut(p.FHIRUser, "/")
		group := all["Group/"+id+"-panel"]
		if object(group["managingEntity"])["reference"] != p.FHIRUser {
			t.Errorf("the panel of %s is managed by %v", id, group["managingEntity"])
		}
		var members, general, teams []string
		for _, m := range array(group["member"]) {
			members = append(members, strings.TrimPrefix(object(object(m)["entity"])["reference"].(string), "Patient/"))
		}
		for key, r := range all {
			switch {
			case strings.HasPrefix(key, "Patient/") && object(array(r["generalPractitioner"])[0])["reference"] == p.FHIRUser:
				general = append(general, r["id"].(string))
			case strings.HasPrefix(key, "CareTeam/") && object(object(array(r["participant"])[0])["member"])["reference"] == p.FHIRUser:
				teams = append(teams, strings.TrimPrefix(subject(r), "Patient/"))
			}
		}
		want := slices.Sorted(slices.Values(p.Patients))
		for name, got := range map[string][]string{"group": members, "general practitioner": general, "care team": teams} {
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s of %s differs: %s", name, id, diff)
			}
		}
	}
}

// Whoever represents somebody does so while that is right: a child until 18.
func TestRepresentationEndsWithChildhood(t *testing.T) {
	d := generate(t, 6)
	all := byKey(t, d)
	for _, p := range d.People {
		for _, r := range p.Represents {
			if !slices.Contains(p.Patients, r.Patient) {
				t.Errorf("%s represents %s and does not reach them", p.Username, r.Patient)
			}
			if r.Relationship != "child" {
				continue
			}
			born, err := time.Parse(time.DateOnly, all["Patient/"+r.Patient]["birthDate"].(string))
			if err != nil || !r.Until.Equal(born.AddDate(18, 0, 0)) {
				t.Errorf("%s represents %s until %s (born %s, %v)", p.Username, r.Patient, r.Until, born, err)
			}
		}
	}
}

func TestAsManyPeopleAsAreAskedFor(t *testing.T) {
	for asked, want := range map[int]int{-1: 6, 0: 6, 6: 6, 7: 7, 150: 150} {
		patients := 0
		for _, raw := range generate(t, asked).Resources {
			if bytes.Contains(raw, []byte(`"resourceType":"Patient"`)) {
				patients++
			}
		}
		if patients != want {
			t.Errorf("asked for %d: %d patients, want %d", asked, patients, want)
		}
	}
}

func BenchmarkGenerate(b *testing.B) {
	for b.Loop() {
		generate(b, 12)
	}
}
