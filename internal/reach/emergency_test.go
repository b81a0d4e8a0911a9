package reach_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/store"
)

// emergencies is a resolver for a clinic that knows what is open.
func (c *clinic) emergencies(t *testing.T, list *[]store.Emergency, fault *error) *reach.Resolver {
	t.Helper()
	r, err := reach.New(reach.Deps{Backend: c.backend, Now: func() time.Time { return c.now }, Base: base,
		Emergencies: func(context.Context, store.UserID) ([]store.Emergency, error) { return *list, *fault }})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// An open emergency leads its practitioner to its patient, beside all others, to the moment
// at which it ends.
//
// spec: RSP-18
// attack: GW-38
func TestEmergenciesLeadToTheirPatient(t *testing.T) {
	c := open(t, patient("a", gp), patient("b", ""), patient("c", ""))
	lasts := store.Emergency{ID: "e", UserID: "doctor", Patient: "b", OpenedAt: noon, EndsAt: noon.Add(time.Minute)}
	over, ended, theirs := lasts, lasts, lasts
	over.EndsAt, ended.EndedAt, theirs.UserID = noon, noon.Add(-time.Second), "somebody"
	sick, patientRole := doctor(), store.User{ID: "doctor", Role: store.RolePatient, FHIRUser: "Patient/c"}
	sick.Disabled = true
	for _, row := range []struct {
		name string
		user store.User
		open store.Emergency
		want []string
	}{
		{"open", doctor(), lasts, []string{"a", "b"}}, {"over", doctor(), over, []string{"a"}}, {"ended by hand", doctor(), ended, []string{"a"}},
		{"somebody else's", doctor(), theirs, []string{"a"}}, {"disabled", sick, lasts, nil}, {"a patient", patientRole, lasts, []string{"c"}},
		{"an administrator", store.User{ID: "doctor", Role: store.RoleAdministrator}, lasts, nil},
	} {
		list, none := []store.Emergency{row.open}, error(nil)
		whom, err := c.emergencies(t, &list, &none).Reach(t.Context(), row.user)
		if got := whom.Patients().List(); err != nil || !slices.Equal(got, row.want) || whom.IsEverybody() {
			t.Errorf("%s: %v, %v, want %v", row.name, got, err, row.want)
		}
	}

	list, fault := []store.Emergency{lasts, {UserID: "doctor", Patient: "a", EndsAt: noon.Add(time.Hour)}}, error(nil)
	r := c.emergencies(t, &list, &fault)
	c.now = noon.Add(59 * time.Second)
	whom, until, err := r.ReachUntil(t.Context(), doctor())
	if err != nil || !until.Equal(lasts.EndsAt) || whom.Why("b") != access.ByEmergency || whom.Why("a") != access.ByEmergency|access.ByGeneralPractitioner {
		t.Errorf("%v until %v, %v", whom, until, err)
	}
	if c.now = lasts.EndsAt; c.now.Before(until) {
		t.Fatal(until)
	}
	if whom, err := r.Reach(t.Context(), doctor()); err != nil || whom.Contains("b") {
		t.Errorf("at its end: %v, %v", whom, err)
	}
	r.Forget()
	if fault = errors.New("disk gone"); true {
		if whom, err := r.Reach(t.Context(), doctor()); err == nil || !whom.IsNobody() {
			t.Errorf("the store is away: %v, %v", whom, err)
		}
	}
}

// A directory tells of who is not reached, by an exact search, who they are and no more; of
// too many nobody.
//
// spec: CTX-13
// attack: GW-38
func TestDirectory(t *testing.T) {
	rosa := func(id, more string) string {
		return patient(id, `,"name":[{"use":"maiden","family":"Berg","given":["Rosa"]},{"use":"official","family":"Vega","given":["Rosa","Maria"]},{"text":"Doña Rosa"}],"birthDate":"1971-03-09","gender":"female","telecom":[{"value":"1"}],"identifier":[{"system":"s","value":"R-1"}]`+more)
	}
	c := open(t, rosa("rosa", ""), rosa("reached", gp), rosa("old", `,"active":false`), patient("nameless", `,"birthDate":"1971-03-09"`), patient("year", `,"name":[{"family":"Vega","given":["Rosa"]}],"birthDate":"1971"`))
	is := []reach.Patient{{ID: "rosa", Name: "Rosa Maria Vega", BirthDate: "1971-03-09", Sex: "female"}}
	for _, row := range []struct {
		search reach.Search
		want   []reach.Patient
	}{
		{reach.Search{RecordNumber: "R-1"}, is}, {reach.Search{Name: "Rosa Vega", BirthDate: "1971-03-09"}, is}, {reach.Search{Name: "vega rosa maria", BirthDate: "1971-03-09"}, is},
		{reach.Search{Name: "Rosa Berg", BirthDate: "1971-03-09"}, is}, {reach.Search{Name: "doña rosa", BirthDate: "1971-03-09"}, is}, {reach.Search{Name: "Rosa Vega", BirthDate: "1971-03-09", RecordNumber: "R-1"}, is},
		{reach.Search{Name: "Maria Vega", BirthDate: "1971-03-09"}, nil}, {reach.Search{Name: "Ros Vega", BirthDate: "1971-03-09"}, nil}, {reach.Search{Name: "Vega", BirthDate: "1971-03-09"}, nil},
		{reach.Search{Name: "Rosa Vega"}, nil}, {reach.Search{Name: "Rosa Vega", BirthDate: "1971"}, nil}, {reach.Search{Name: "Rosa Vega", BirthDate: "1971-03-10"}, nil}, {reach.Search{BirthDate: "1971-03-09"}, nil},
		{reach.Search{RecordNumber: "r-1"}, nil}, {reach.Search{RecordNumber: "R-"}, nil}, {reach.Search{RecordNumber: "s|R-1"}, nil}, {reach.Search{RecordNumber: "R-1,R-2"}, nil}, {reach.Search{RecordNumber: "R-1", BirthDate: "1971"}, nil},
		{reach.Search{}, nil}, {reach.Search{Name: " , ", BirthDate: "1971-03-09"}, nil},
	} {
		got, err := c.Directory(t.Context(), doctor(), row.search)
		if diff := cmp.Diff(row.want, got); err != nil || diff != "" {
			t.Errorf("%+v: %v %s", row.search, err, diff)
		}
	}
	for _, id := range []string{"r1", "r2", "r3", "r4", "r5"} {
		c.load(t, rosa(id, ""))
	}
	if got, err := c.Directory(t.Context(), doctor(), reach.Search{RecordNumber: "R-1"}); err != nil || len(got) > 0 {
		t.Errorf("of six: %v, %v", got, err)
	}
	c.backend.err = errors.New("disk gone")
	if got, err := c.Directory(t.Context(), doctor(), reach.Search{RecordNumber: "R-1"}); err == nil || len(got) > 0 {
		t.Errorf("the store is away: %v, %v", got, err)
	}
}

// A role is held as long as it is active and lasts, by who has it.
//
// spec: RSP-18
func TestHoldsRole(t *testing.T) {
	code := []fhirstore.Code{{System: "urn:c", Code: "er"}, {System: "urn:c", Code: "icu"}}
	holder := func(of, code, more string) string {
		return `{"resourceType":"PractitionerRole","id":"r1","practitioner":{"reference":"` + of + `"},"code":[{"coding":[{"system":"urn:c","code":"` + code + `"}]}]` + more + `}`
	}
	byRole := doctor()
	byRole.FHIRUser = "PractitionerRole/r1"
	for name, row := range map[string]struct {
		user store.User
		role string
		want bool
	}{
		"held": {doctor(), holder("Practitioner/p1", "icu", ""), true}, "known as the role": {byRole, holder("Practitioner/p1", "er", ""), true},
		"over": {doctor(), holder("Practitioner/p1", "er", past), false}, "not active": {doctor(), holder("Practitioner/p1", "er", `,"active":false`), false},
		"another's": {doctor(), holder("Practitioner/p2", "er", ""), false}, "another code": {doctor(), holder("Practitioner/p1", "ward", ""), false},
		"no practitioner": {store.User{ID: "p", Role: store.RolePatient, FHIRUser: "Practitioner/p1"}, holder("Practitioner/p1", "er", ""), false},
	} {
		c := open(t, row.role)
		if got, err := c.HoldsRole(t.Context(), row.user, code); err != nil || got != row.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		if got, err := c.HoldsRole(t.Context(), row.user, nil); err != nil || got {
			t.Errorf("%s, and no roles are named: %v, %v", name, got, err)
		}
		if c.backend.err = errors.New("disk gone"); row.want {
			if got, err := c.HoldsRole(t.Context(), row.user, code); err == nil || got {
				t.Errorf("%s, and the store is away: %v, %v", name, got, err)
			}
		}
	}
}
