package reach_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/store"
)

const day = 24 * time.Hour

// visit is an Encounter of the patient a.
func visit(status, period, participants string) string {
	return `{"resourceType":"Encounter","id":"v","status":"` + status + `","class":{"code":"AMB"},"subject":{"reference":"Patient/a"}` + period + `,"participant":[` + participants + `]}`
}

func individual(ref, more string) string {
	return `{"individual":{"reference":"` + ref + `"}` + more + `}`
}

func between(start, end string) string {
	text := `,"period":{"start":"` + start + `"`
	if end != "" {
		text += `,"end":"` + end + `"`
	}
	return text + `}`
}

// Visits lead those who take part in them to the patient, until some time after they end.
//
// spec: RSP-18
// attack: B.73
func TestVisits(t *testing.T) {
	month := fhirstore.TieRules{Visits: 30 * day}
	me := individual("Practitioner/p1", "")
	for _, row := range []struct {
		name      string
		rules     fhirstore.TieRules
		resources []string
		want      []string
	}{
		{"it goes on", month, []string{visit("in-progress", between("2026-11-25T08:00:00Z", ""), me)}, []string{"a"}},
		{"it goes on since long ago", month, []string{visit("in-progress", between("2020-01-01", ""), me)}, []string{"a"}},
		{"arrived", month, []string{visit("arrived", between("2026-11-25", ""), me)}, []string{"a"}},
		{"by role", month, []string{role, visit("in-progress", between("2026-11-25", ""), individual("PractitionerRole/r1", ""))}, []string{"a"}},
		{"it ended within the time", month, []string{visit("finished", between("2026-10-01", "2026-10-26T12:00:00Z"), me)}, []string{"a"}},
		{"it ended a day before that", month, []string{visit("finished", between("2026-10-01", "2026-10-25T11:59:59Z"), me)}, nil},
		{"it ended on a day that is not over", month, []string{visit("finished", between("2026-10-01", "2026-10-26"), me)}, []string{"a"}},
		{"visits lead nobody", fhirstore.TieRules{}, []string{visit("in-progress", between("2026-11-25", ""), me)}, nil},
		{"planned", month, []string{visit("planned", between("2026-11-25", ""), me)}, nil},
		{"cancelled", month, []string{visit("cancelled", between("2026-11-24", "2026-11-25"), me)}, nil},
		{"entered in error", month, []string{visit("entered-in-error", between("2026-11-24", "2026-11-25"), me)}, nil},
		{"a state that there is not", month, []string{visit("", between("2026-11-24", ""), me)}, nil},
		{"over, and nobody knows since when", month, []string{visit("finished", between("2026-11-24", ""), me)}, nil},
		{"nobody knows when it began", month, []string{visit("in-progress", "", me)}, nil},
		{"an end that cannot be read", month, []string{visit("finished", `,"period":{"start":"2026-11-24","end":"soon"}`, me)}, nil},
		{"it begins tomorrow", month, []string{visit("in-progress", between("2026-11-26", ""), me)}, nil},
		{"somebody else", month, []string{visit("in-progress", between("2026-11-25", ""), individual("Practitioner/p2", ""))}, nil},
		{"somebody elsewhere", month, []string{visit("in-progress", between("2026-11-25", ""), individual("https://evil.test/fhir/Practitioner/p1", ""))}, nil},
		{"took part long ago", month, []string{visit("in-progress", between("2020-01-01", ""), individual("Practitioner/p1", `,"period":{"start":"2020-01-01","end":"2020-01-02"}`))}, nil},
		{"takes part tomorrow", month, []string{visit("in-progress", between("2026-11-25", ""), individual("Practitioner/p1", `,"period":{"start":"2026-11-26"}`))}, nil},
		{"no patient", month, []string{`{"resourceType":"Encounter","id":"v","status":"in-progress","class":{"code":"AMB"},"subject":{"reference":"Group/g"},"period":{"start":"2026-11-25"},"participant":[` + me + `]}`}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := openBy(t, row.rules, append(row.resources, patient("a", ""))...)
			if got := c.reaches(t, doctor()); !cmp.Equal(got, row.want) && len(got)+len(row.want) > 0 {
				t.Errorf("%v, want %v", got, row.want)
			}
		})
	}
}

// The time after a visit passes by itself: nothing has to be written.
//
// spec: RSP-18
func TestAVisitEndsByTheClock(t *testing.T) {
	c := openBy(t, fhirstore.TieRules{Visits: day}, patient("a", ""), visit("finished", between("2026-11-24", "2026-11-24T13:00:00Z"), individual("Practitioner/p1", "")))
	if got := c.reaches(t, doctor()); len(got) != 1 {
		t.Fatalf("%v", got)
	}
	c.now = noon.Add(time.Hour + 3*time.Second)
	if got := c.reaches(t, doctor()); len(got) != 0 {
		t.Errorf("a day after it ended: %v", got)
	}
}

// A role at an Organization leads to the patients whom it manages, where the operator
// wants that.
//
// spec: RSP-18
// attack: B.73
func TestOrganizations(t *testing.T) {
	wide := fhirstore.TieRules{Organizations: true}
	at := func(id, organization, more string) string {
		return `{"resourceType":"PractitionerRole","id":"` + id + `","practitioner":{"reference":"Practitioner/p1"},"organization":{"reference":"` + organization + `"}` + more + `}`
	}
	managed := func(id, organization string) string {
		return patient(id, `,"managingOrganization":{"reference":"`+organization+`"}`)
	}
	people := []string{managed("a", "Organization/o"), managed("b", "Organization/o2"), patient("c", `,"generalPractitioner":[{"reference":"Organization/o"}]`), managed("d", "Organization/o")}
	asRole := store.User{ID: "role", Role: store.RolePractitioner, FHIRUser: "PractitionerRole/r1"}
	for _, row := range []struct {
		name  string
		rules fhirstore.TieRules
		user  store.User
		more  []string
		want  []string
	}{
		{"of theirs", wide, doctor(), []string{at("r1", "Organization/o", "")}, []string{"a", "d"}},
		{"of two", wide, doctor(), []string{at("r1", "Organization/o", ""), at("r2", "Organization/o2", "")}, []string{"a", "b", "d"}},
		{"known as the role", wide, asRole, []string{at("r1", "Organization/o", "")}, []string{"a", "d"}},
		{"the operator does not want it", fhirstore.TieRules{}, doctor(), []string{at("r1", "Organization/o", "")}, nil},
		{"as a role, too", fhirstore.TieRules{}, asRole, []string{at("r1", "Organization/o", "")}, nil},
		{"not active", wide, doctor(), []string{at("r1", "Organization/o", `,"active":false`)}, nil},
		{"over", wide, doctor(), []string{at("r1", "Organization/o", past)}, nil},
		{"to come", wide, doctor(), []string{at("r1", "Organization/o", future)}, nil},
		{"elsewhere", wide, doctor(), []string{at("r1", "https://evil.test/fhir/Organization/o", "")}, nil},
		{"no Organization", wide, doctor(), []string{at("r1", "Practitioner/o", "")}, nil},
		{"of somebody else", wide, doctor(), []string{`{"resourceType":"PractitionerRole","id":"r1","practitioner":{"reference":"Practitioner/p2"},"organization":{"reference":"Organization/o"}}`}, nil},
		{"no role", wide, doctor(), nil, nil},
		{"an Organization in a care team brings nobody in", wide, doctor(), []string{at("r1", "Organization/o", ""), team("t", "active", "Patient/c", member("Organization/o", ""), "")}, []string{"a", "d"}},
		{"a patient", wide, store.User{ID: "p", Role: store.RolePatient, FHIRUser: "Patient/b"}, []string{at("r1", "Organization/o", "")}, []string{"b"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := openBy(t, row.rules, append(row.more, people...)...)
			if got := c.reaches(t, row.user); !cmp.Equal(got, row.want) && len(got)+len(row.want) > 0 {
				t.Errorf("%v, want %v", got, row.want)
			}
		})
	}
}

// When the operator changes the rules, what was stored before is judged by the new ones.
func TestRulesThatChange(t *testing.T) {
	c := openBy(t, fhirstore.TieRules{}, patient("a", ""), visit("in-progress", between("2026-11-25", ""), individual("Practitioner/p1", "")))
	if got := c.said(t, doctor()); len(got) != 0 {
		t.Fatalf("%v", got)
	}
	for _, step := range []struct {
		rules fhirstore.TieRules
		want  int
	}{{fhirstore.TieRules{Visits: day}, 1}, {fhirstore.TieRules{Visits: day}, 1}, {fhirstore.TieRules{}, 0}} {
		next := c.by(t, step.rules)
		if err := next.backend.Complete(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got := next.reaches(t, doctor()); len(got) != step.want {
			t.Errorf("%s: %v", step.rules, got)
		}
	}
}
