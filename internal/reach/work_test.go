package reach_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir/search"
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

// A role that the operator named leads to everybody, without a list, while it is active.
//
// spec: RSP-18
// attack: B.73, GW-38
func TestRolesThatReachEverybody(t *testing.T) {
	rules := fhirstore.TieRules{Roles: []fhirstore.Code{{System: "urn:roles", Code: "chief"}}}
	having := func(id, code, more string) string {
		return `{"resourceType":"PractitionerRole","id":"` + id + `","practitioner":{"reference":"Practitioner/p1"},"code":[` + code + `]` + more + `}`
	}
	coded := func(system, code string) string {
		return `{"coding":[{"system":"urn:other","code":"x"},{"system":"` + system + `","code":"` + code + `"}]}`
	}
	chief := coded("urn:roles", "chief")
	asRole := store.User{ID: "role", Role: store.RolePractitioner, FHIRUser: "PractitionerRole/r1"}
	people := []string{patient("a", gp), patient("b", "")}
	for _, row := range []struct {
		name  string
		rules fhirstore.TieRules
		user  store.User
		more  []string
		want  []string
	}{
		{"the role", rules, doctor(), []string{having("r1", chief, "")}, []string{"*"}},
		{"the second concept", rules, doctor(), []string{having("r1", coded("urn:roles", "nurse")+","+chief, "")}, []string{"*"}},
		{"the second role", rules, doctor(), []string{having("r1", coded("urn:roles", "nurse"), ""), having("r2", chief, "")}, []string{"*"}},
		{"known as the role", rules, asRole, []string{having("r1", chief, "")}, []string{"*"}},
		{"the operator named none", fhirstore.TieRules{}, doctor(), []string{having("r1", chief, "")}, []string{"a"}},
		{"as a role, too", fhirstore.TieRules{}, asRole, []string{having("r1", chief, "")}, nil},
		{"another code", rules, doctor(), []string{having("r1", coded("urn:roles", "Chief"), "")}, []string{"a"}},
		{"of another system", rules, doctor(), []string{having("r1", coded("urn:evil", "chief"), "")}, []string{"a"}},
		{"without a system", rules, doctor(), []string{having("r1", `{"coding":[{"code":"chief"}]}`, "")}, []string{"a"}},
		{"in words only", rules, doctor(), []string{having("r1", `{"text":"chief"}`, "")}, []string{"a"}},
		{"a specialty is no role", rules, doctor(), []string{having("r1", "{}", `,"specialty":[`+chief+`]`)}, []string{"a"}},
		{"not active", rules, doctor(), []string{having("r1", chief, `,"active":false`)}, []string{"a"}},
		{"over", rules, doctor(), []string{having("r1", chief, past)}, []string{"a"}},
		{"to come", rules, doctor(), []string{having("r1", chief, future)}, []string{"a"}},
		{"today", rules, doctor(), []string{having("r1", chief, now)}, []string{"*"}},
		{"of somebody else", rules, doctor(), []string{`{"resourceType":"PractitionerRole","id":"r1","practitioner":{"reference":"Practitioner/p2"},"code":[` + chief + `]}`}, []string{"a"}},
		{"of nobody", rules, doctor(), []string{`{"resourceType":"PractitionerRole","id":"r1","code":[` + chief + `]}`}, []string{"a"}},
		{"disabled", rules, store.User{Role: store.RolePractitioner, FHIRUser: "Practitioner/p1", Disabled: true}, []string{having("r1", chief, "")}, nil},
		{"an administrator", rules, store.User{Role: store.RoleAdministrator, FHIRUser: "Practitioner/p1"}, []string{having("r1", chief, "")}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := openBy(t, row.rules, append(row.more, people...)...)
			if got := c.reaches(t, row.user); !cmp.Equal(got, row.want) && len(got)+len(row.want) > 0 {
				t.Errorf("%v, want %v", got, row.want)
			}
		})
	}

	t.Run("its patients are not read", func(t *testing.T) {
		c := openBy(t, rules, append(people, having("r1", chief, ""))...)
		c.backend.answered = func(q search.Query) {
			if q.Type != "PractitionerRole" {
				t.Errorf("%s was asked", q.Type)
			}
		}
		whom, err := c.Reach(t.Context(), doctor())
		if err != nil || whom.Patients().Len() > 0 || !whom.Contains("b") || whom.Contains("") || whom.IsNobody() || whom.Why("b") != access.ByRole {
			t.Errorf("%+v, %v", whom, err)
		}
		if _, only := whom.Only(); only {
			t.Error("everybody is one patient")
		}
	})
	t.Run("pickers find everybody", func(t *testing.T) {
		c := openBy(t, rules, append(people, having("r1", chief, ""), encounter("b-1", "b", "2026-01-01", ""))...)
		if got, err := c.Recent(t.Context(), doctor()); err != nil || len(got) != 2 {
			t.Errorf("%v, %v", got, err)
		}
		if got, _, err := c.Encounters(t.Context(), doctor(), "b"); err != nil || len(got) != 1 {
			t.Errorf("%v, %v", got, err)
		}
	})
	t.Run("when it ends, at once", func(t *testing.T) {
		c := openBy(t, rules, append(people, having("r1", chief, `,"period":{"end":"2026-11-25T12:00:01Z"}`))...)
		if _, until, err := c.ReachUntil(t.Context(), doctor()); err != nil || !until.Equal(noon.Add(time.Second+time.Millisecond)) {
			t.Errorf("it may be used until %v, %v", until, err)
		}
		c.now = noon.Add(time.Second + time.Millisecond)
		if got := c.reaches(t, doctor()); !cmp.Equal(got, []string{"a"}) {
			t.Errorf("%v", got)
		}
	})
}

// No answer outlives what it was made of: what ends within the two seconds that answers are
// kept ends them.
//
// spec: RSP-18
// attack: B.112
func TestAnAnswerEndsWithWhatItIsMadeOf(t *testing.T) {
	const soon = `"2026-11-25T12:00:01Z"`
	end := noon.Add(time.Second + time.Millisecond)
	carer := store.User{ID: "carer", Role: store.RoleRepresentative, Represents: []store.Representation{{Patient: "a", Until: end}}}
	for name, row := range map[string]struct {
		user      store.User
		resources []string
	}{
		"a care team":      {doctor(), []string{team("t", "active", "Patient/a", member("Practitioner/p1", ""), `,"period":{"end":`+soon+`}`)}},
		"a part in it":     {doctor(), []string{team("t", "active", "Patient/a", member("Practitioner/p1", `,"period":{"end":`+soon+`}`), "")}},
		"a visit":          {doctor(), []string{visit("finished", `,"period":{"start":"2026-11-24","end":"2026-11-25T11:00:01Z"}`, individual("Practitioner/p1", ""))}},
		"a role":           {doctor(), []string{`{"resourceType":"PractitionerRole","id":"r1","practitioner":{"reference":"Practitioner/p1"},"period":{"end":` + soon + `}}`, patient("a", `,"generalPractitioner":[{"reference":"PractitionerRole/r1"}]`)}},
		"a member":         {doctor(), []string{`{"resourceType":"Group","id":"g","type":"person","actual":true,"managingEntity":{"reference":"Practitioner/p1"},"member":[{"entity":{"reference":"Patient/a"},"period":{"end":` + soon + `}}]}`}},
		"a representation": {carer, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c := openBy(t, fhirstore.TieRules{Visits: time.Hour}, append(row.resources, patient("z", ""))...)
			if got := c.reaches(t, row.user); !cmp.Equal(got, []string{"a"}) {
				t.Fatalf("%v", got)
			}
			if _, until, err := c.ReachUntil(t.Context(), row.user); err != nil || !until.Equal(end) {
				t.Errorf("it may be used until %v, %v", until, err)
			}
			c.now = end.Add(-time.Millisecond)
			if got := c.reaches(t, row.user); !cmp.Equal(got, []string{"a"}) {
				t.Errorf("before the end: %v", got)
			}
			c.now = end
			if got := c.reaches(t, row.user); len(got) > 0 {
				t.Errorf("after the end: %v", got)
			}
		})
	}
}

// Each way to a patient is told, for the record.
//
// spec: RSP-18
func TestWaysAreTold(t *testing.T) {
	rules := fhirstore.TieRules{Visits: day, Organizations: true}
	c := openBy(t, rules, patient("a", gp+`,"managingOrganization":{"reference":"Organization/o"}`),
		`{"resourceType":"PractitionerRole","id":"r1","practitioner":{"reference":"Practitioner/p1"},"organization":{"reference":"Organization/o"}}`,
		team("t", "active", "Patient/b", member("Practitioner/p1", ""), ""), visit("in-progress", between("2026-11-25", ""), individual("PractitionerRole/r1", "")),
		`{"resourceType":"Group","id":"g","type":"person","actual":true,"managingEntity":{"reference":"Practitioner/p1"},"member":[{"entity":{"reference":"Patient/c"}}]}`)
	whom, err := c.Reach(t.Context(), doctor())
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string][]string{"a": {"general-practitioner", "visit", "organization"}, "b": {"care-team"}, "c": {"panel"}, "d": nil} {
		if got := whom.Why(id).List(); !cmp.Equal(got, want) {
			t.Errorf("%s: %v, want %v", id, got, want)
		}
	}
	mother := store.User{ID: "mother", Role: store.RolePatient, FHIRUser: "Patient/m", Represents: []store.Representation{{Patient: "a"}}}
	if whom, err = c.Reach(t.Context(), mother); err != nil || whom.Why("m") != access.BySelf || whom.Why("a") != access.ByRepresentation {
		t.Errorf("%v, %v", whom, err)
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
