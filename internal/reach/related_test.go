package reach_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/store"
)

const roleCodes = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"

// family are the rules: parents until the child comes of age, the others longer.
var family = fhirstore.TieRules{
	Standing: []fhirstore.Code{{System: roleCodes, Code: "GUARD"}, {System: roleCodes, Code: "POWATT"}},
	Parents:  []fhirstore.Code{{System: roleCodes, Code: "PRN"}, {System: roleCodes, Code: "MTH"}}, Majority: 18,
}

// related is an active RelatedPerson of a patient.
func related(id, patient, code, more string) string {
	return `{"resourceType":"RelatedPerson","id":"` + id + `","active":true,"patient":{"reference":"Patient/` + patient + `"},"relationship":[{"coding":[{"system":"` + roleCodes + `","code":"` + code + `"}]}]` + more + `}`
}

func minor(id, born string) string { return patient(id, `,"birthDate":"`+born+`"`) }

// A RelatedPerson stands for the patient as long as it says, and a parent until the child
// comes of age. What is not known stands for nobody.
//
// spec: LOGIN-20, RSP-21
// attack: B.73
func TestRelatedPersons(t *testing.T) {
	is := store.User{ID: "rep", Role: store.RoleRepresentative, FHIRUser: "RelatedPerson/x"}
	kid, grown := minor("kid", "2008-11-26"), minor("kid", "2008-11-25") // 18 tomorrow, and today
	for _, row := range []struct {
		name      string
		user      store.User
		resources []string
		want      []string
	}{
		{"power of attorney", is, []string{grown, related("x", "kid", "POWATT", "")}, []string{"kid"}},
		{"a guardian, of who is of age", is, []string{grown, related("x", "kid", "GUARD", "")}, []string{"kid"}},
		{"a guardian, and nobody knows when born", is, []string{patient("kid", ""), related("x", "kid", "GUARD", "")}, []string{"kid"}},
		{"a parent", is, []string{kid, related("x", "kid", "PRN", "")}, []string{"kid"}},
		{"a parent of who is of age today", is, []string{grown, related("x", "kid", "PRN", "")}, nil},
		{"a parent, and nobody knows when born", is, []string{patient("kid", ""), related("x", "kid", "PRN", "")}, nil},
		{"a parent, and born at no time", is, []string{patient("kid", `,"_birthDate":{"extension":[{"url":"urn:x","valueCode":"unknown"}]}`), related("x", "kid", "PRN", "")}, nil},
		{"a parent of who may be of age: the year", is, []string{minor("kid", "2008"), related("x", "kid", "PRN", "")}, nil},
		{"a parent of who may be of age: the month", is, []string{minor("kid", "2008-11"), related("x", "kid", "PRN", "")}, nil},
		{"a parent of who is not of age before next month", is, []string{minor("kid", "2008-12"), related("x", "kid", "PRN", "")}, []string{"kid"}},
		{"a parent of nobody who is there", is, []string{related("x", "kid", "PRN", "")}, nil},
		{"a parent who is the guardian as well", is, []string{grown, related("x", "kid", "PRN", "")[:len(related("x", "kid", "PRN", ""))-2] + `,{"coding":[{"system":"` + roleCodes + `","code":"GUARD"}]}]}`}, []string{"kid"}},
		{"a relationship that the operator did not name", is, []string{kid, related("x", "kid", "UNCLE", "")}, nil},
		{"of another system", is, []string{kid, `{"resourceType":"RelatedPerson","id":"x","active":true,"patient":{"reference":"Patient/kid"},"relationship":[{"coding":[{"system":"urn:evil","code":"POWATT"}]}]}`}, nil},
		{"no relationship", is, []string{kid, `{"resourceType":"RelatedPerson","id":"x","active":true,"patient":{"reference":"Patient/kid"}}`}, nil},
		{"not active", is, []string{`{"resourceType":"RelatedPerson","id":"x","active":false,"patient":{"reference":"Patient/kid"},"relationship":[{"coding":[{"system":"` + roleCodes + `","code":"POWATT"}]}]}`}, nil},
		{"nobody says that it is active", is, []string{`{"resourceType":"RelatedPerson","id":"x","patient":{"reference":"Patient/kid"},"relationship":[{"coding":[{"system":"` + roleCodes + `","code":"POWATT"}]}]}`}, nil},
		{"over", is, []string{kid, related("x", "kid", "POWATT", past)}, nil},
		{"to come", is, []string{kid, related("x", "kid", "POWATT", future)}, nil},
		{"a parent whose time is over", is, []string{kid, related("x", "kid", "PRN", past)}, nil},
		{"today", is, []string{kid, related("x", "kid", "PRN", now)}, []string{"kid"}},
		{"of somebody elsewhere", is, []string{kid, `{"resourceType":"RelatedPerson","id":"x","active":true,"patient":{"reference":"https://evil.test/fhir/Patient/kid"},"relationship":[{"coding":[{"system":"` + roleCodes + `","code":"POWATT"}]}]}`}, nil},
		{"another RelatedPerson", is, []string{kid, related("y", "kid", "POWATT", "")}, nil},
		{"beside others, by the account", store.User{ID: "rep", Role: store.RoleRepresentative, FHIRUser: "RelatedPerson/x", Represents: []store.Representation{{Patient: "tim"}}}, []string{kid, related("x", "kid", "MTH", "")}, []string{"kid", "tim"}},
		{"no link follows from the record", store.User{ID: "mum", Role: store.RolePatient, FHIRUser: "Patient/mum"}, []string{kid, related("x", "kid", "MTH", `,"identifier":[{"value":"mum"}]`)}, []string{"mum"}},
		{"a practitioner is no RelatedPerson", store.User{ID: "doc", Role: store.RolePractitioner, FHIRUser: "RelatedPerson/x"}, []string{kid, related("x", "kid", "POWATT", "")}, nil},
		{"an administrator", store.User{ID: "root", Role: store.RoleAdministrator, FHIRUser: "RelatedPerson/x"}, []string{kid, related("x", "kid", "POWATT", "")}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := openBy(t, family, row.resources...)
			set, err := c.Reach(t.Context(), row.user)
			if err != nil {
				t.Fatal(err)
			}
			if got := set.Patients().List(); !cmp.Equal(got, row.want) && len(got)+len(row.want) > 0 {
				t.Errorf("%v, want %v", got, row.want)
			}
		})
	}
	t.Run("the operator named no relationship", func(t *testing.T) {
		c := open(t, kid, related("x", "kid", "POWATT", ""))
		if got := c.reaches(t, is); len(got) > 0 || c.backend.calls > 0 {
			t.Errorf("%v, %d questions", got, c.backend.calls)
		}
	})
}

// On the birthday it has ended, without anything that was written.
//
// spec: LOGIN-20, RSP-21
// attack: B.112
func TestAParentStandsUntilTheChildComesOfAge(t *testing.T) {
	mother := store.User{ID: "mother", Role: store.RoleRepresentative, FHIRUser: "RelatedPerson/x"}
	midnight := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	c := openBy(t, family, minor("kid", "2008-11-26"), related("x", "kid", "MTH", ""))
	c.now = midnight.Add(-time.Second)
	if got := c.reaches(t, mother); !cmp.Equal(got, []string{"kid"}) {
		t.Fatalf("%v", got)
	}
	if _, until, err := c.ReachUntil(t.Context(), mother); err != nil || !until.Equal(midnight) {
		t.Errorf("it may be used until %v, %v", until, err)
	}
	c.now = midnight.Add(-time.Millisecond)
	if got := c.reaches(t, mother); !cmp.Equal(got, []string{"kid"}) {
		t.Errorf("just before: %v", got)
	}
	c.now = midnight
	if got := c.reaches(t, mother); len(got) > 0 {
		t.Errorf("of age: %v", got)
	}
}

// Where nobody comes of age a parent stands as long as the RelatedPerson says.
func TestNobodyComesOfAge(t *testing.T) {
	rules := family
	rules.Majority = 0
	c := openBy(t, rules, minor("kid", "1950-01-01"), related("x", "kid", "MTH", ""))
	if got := c.reaches(t, store.User{ID: "m", Role: store.RoleRepresentative, FHIRUser: "RelatedPerson/x"}); !cmp.Equal(got, []string{"kid"}) {
		t.Errorf("%v", got)
	}
}

// The person who chooses is told whom they stand for, as what, and how long.
//
// spec: LOGIN-20
func TestPeopleByRelatedPersons(t *testing.T) {
	for name, row := range map[string]struct {
		related, born, word string
		until               time.Time
	}{
		"a mother":            {related("x", "kid", "MTH", ""), "2012-05-01", "child", time.Date(2030, 5, 1, 0, 0, 0, 0, time.UTC)},
		"a power of attorney": {related("x", "kid", "POWATT", `,"period":{"end":"2027-01-31"}`), "1950-01-01", "power-of-attorney", time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)},
		"a guardian":          {related("x", "kid", "GUARD", ""), "1950-01-01", "guardian", time.Time{}},
		"in other words":      {`{"resourceType":"RelatedPerson","id":"x","active":true,"patient":{"reference":"Patient/kid"},"relationship":[{"coding":[{"system":"urn:court","code":"7"}],"text":"by court order"}]}`, "1950-01-01", "by court order", time.Time{}},
	} {
		rules := family
		rules.Standing = append([]fhirstore.Code{{System: "urn:court", Code: "7"}}, rules.Standing...)
		c := openBy(t, rules, minor("kid", row.born), row.related)
		got, err := c.People(t.Context(), store.User{ID: "carer", Role: store.RoleRepresentative, FHIRUser: "RelatedPerson/x"})
		want := []reach.Patient{{ID: "kid", Name: "Patient kid", BirthDate: row.born, Relationship: row.word, Until: row.until}}
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Error(name, err, d)
		}
	}
}
