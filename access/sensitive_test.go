package access_test

import (
	"testing"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// careful is a token with the categories of the tests.
func careful(k token, app string) token {
	k.careful, k.app = true, app
	return k
}

// Who reads which category, in which app, of whom.
//
// attack: GW-40
func TestWhoReadsACategory(t *testing.T) {
	self := token{scopes: "patient/*.rs", patient: "a", user: true, reach: []string{"a"}, fhirUser: "Patient/a"}
	mother := token{scopes: "patient/*.rs user/*.rs", patient: "child", user: true, reach: []string{"a", "child"}, fhirUser: "Patient/a"}
	guardian := token{scopes: "patient/*.rs", patient: "a", user: true, reach: []string{"a"}, fhirUser: "RelatedPerson/r"}
	doctor, nobody := ofClinician("user/*.rs", "a"), token{scopes: "user/*.rs", user: true, reach: []string{"a"}, fhirUser: "Person/x"}
	service, everything := ofService("system/*.rs", "a"), token{scopes: "system/*.rs", ownAll: true}
	one := observation("1", "a")
	shared := about("Practitioner", "p")
	unlooked := one
	unlooked.unlooked = true
	for name, row := range map[string]struct {
		token
		thing
		want bool
	}{
		"a patient, about themselves":                {careful(self, ""), one.holding("hiv"), true},
		"in every app":                               {careful(self, "ehr"), one.holding("hiv"), true},
		"a category that is for others":              {careful(self, ""), one.holding("abuse"), false},
		"one of two":                                 {careful(self, ""), one.holding("hiv", "abuse"), false},
		"nobody's":                                   {careful(self, ""), one.holding("secret"), false},
		"nothing sensitive":                          {careful(self, ""), one, true},
		"nobody has looked":                          {careful(self, ""), unlooked, false},
		"without a configuration":                    {self, unlooked, true},
		"without a configuration, a category":        {self, one.holding("secret"), true},
		"a mother, about herself":                    {careful(mother, ""), one.holding("hiv"), true},
		"a mother, about herself, for others":        {careful(mother, ""), one.holding("abuse"), false},
		"a mother, about the child, for patients":    {careful(mother, ""), observation("2", "child").holding("hiv"), false},
		"a mother, about the child":                  {careful(mother, ""), observation("2", "child").holding("abuse"), true},
		"a mother, about the child, in another app":  {careful(mother, "ehr"), observation("2", "child").holding("abuse"), false},
		"a mother, about both, for patients":         {careful(mother, ""), about("Observation", "3", "a", "child").holding("hiv"), false},
		"a mother, about both":                       {careful(mother, ""), about("Observation", "3", "a", "child").holding("abuse"), true},
		"a guardian, for patients":                   {careful(guardian, ""), one.holding("hiv"), false},
		"a guardian":                                 {careful(guardian, "other"), one.holding("abuse"), true},
		"a guardian, in another app":                 {careful(guardian, "ehr"), one.holding("abuse"), false},
		"a practitioner in their app":                {careful(doctor, "ehr"), one.holding("hiv"), true},
		"a practitioner in another app":              {careful(doctor, ""), one.holding("hiv"), false},
		"the beginning of the name of the app":       {careful(doctor, "ehr2"), one.holding("hiv"), false},
		"a practitioner, nobody has looked":          {careful(doctor, "ehr"), unlooked, false},
		"who is not known":                           {careful(nobody, "ehr"), one.holding("hiv"), false},
		"who is not known, nothing sensitive":        {careful(nobody, "ehr"), one, true},
		"a service":                                  {careful(service, ""), one.holding("abuse"), true},
		"a service, for others":                      {careful(service, ""), one.holding("hiv"), false},
		"a service that reaches all":                 {careful(everything, ""), one.holding("hiv"), false},
		"a service that reaches all, in another app": {careful(everything, "ehr"), one.holding("abuse"), false},
		"a patient and a user without a user":        {careful(token{scopes: "patient/*.rs", patient: "a"}, ""), one.holding("abuse"), false},
		"a directory":                                {careful(self, ""), shared.holding("hiv"), false},
		"a directory, for a practitioner":            {careful(doctor, "ehr"), shared.holding("hiv"), true},
		"a directory, nothing sensitive":             {careful(self, ""), shared, true},
	} {
		if got := row.reads(t, row.thing); got != row.want {
			t.Errorf("%s: reads %v", name, got)
		}
		if got := row.finds(t, row.thing); got != row.want {
			t.Errorf("%s: finds %v", name, got)
		}
		d := access.Decide(row.subject(), find("Observation"))
		if got := d.AdmitsInclude(row.resource(t), row.owned()); got != row.want {
			t.Errorf("%s: comes along %v", name, got)
		}
	}
}

// The server's own page shows what the person reads in some app; it is no app for services.
func TestThePageOfTheServerIsNoApp(t *testing.T) {
	doctor := careful(ofClinician("user/*.rs", "a"), "none")
	one := observation("1", "a")
	if doctor.finds(t, one.holding("hiv")) {
		t.Error("shown in any app")
	}
	doctor.page = true
	if !doctor.finds(t, one.holding("hiv")) || doctor.finds(t, one.holding("abuse")) {
		t.Error("a page shows something else than apps of that audience")
	}
}

// Explain names a row that is withheld, and only such a one.
func TestWithheldRowsHaveTheirReason(t *testing.T) {
	doctor := careful(ofClinician("user/Observation.rs?_tag=s|x", "a"), "")
	tagged := observation("1", "a")
	tagged.tag = []coding{{"s", "x"}}
	self := careful(token{scopes: "openid fhirUser", user: true, fhirUser: "Practitioner/p", reach: []string{"a"}}, "")
	for name, row := range map[string]struct {
		token
		thing
		want access.Reason
	}{
		"withheld":                {doctor, tagged.holding("hiv"), access.RowWithheld},
		"seen":                    {doctor, tagged, access.RowInView},
		"withheld and not tagged": {doctor, observation("1", "a").holding("hiv"), access.RowNotMatching},
		"withheld, of others":     {doctor, observation("1", "b").holding("hiv"), access.RowOfOthers},
		"their own record":        {self, about("Practitioner", "p").holding("hiv"), access.RowWithheld},
	} {
		if got := access.Decide(row.subject(), read(row.thing)).Row(row.resource(t), row.owned()); got != row.want {
			t.Errorf("%s: %s, want %s", name, got, row.want)
		}
	}
}

// What is withheld is not changed, is hidden, and is not made.
//
// attack: GW-40, B.60, B.72
func TestWhatIsWithheldIsNotWritten(t *testing.T) {
	doctor := careful(ofClinician("user/*.cruds", "a"), "")
	state := func(r thing) access.State { return access.State{Resource: r.resource(t), Owners: r.owned()} }
	plain, held := observation("1", "a"), observation("1", "a").holding("hiv")
	decide := func(code fhir.InteractionCode) access.Decision {
		return access.Decide(doctor.subject(), fhir.Interaction{Code: code, Type: "Observation", ID: "1"})
	}
	for name, c := range map[string]struct {
		code          fhir.InteractionCode
		before, after access.State
		want          string
	}{
		"an update of what is withheld":  {fhir.Update, state(held), state(plain), "hidden"},
		"a deletion of what is withheld": {fhir.Delete, state(held), access.State{}, "hidden"},
		"an update that makes it so":     {fhir.Update, state(plain), state(held), "refused"},
		"a creation":                     {fhir.Create, access.State{}, state(held), "refused"},
		"an update":                      {fhir.Update, state(plain), state(plain), ""},
	} {
		d := decide(c.code)
		_, err := d.Change(c.before, c.after)
		got := ""
		switch {
		case err == access.ErrHidden: //nolint:errorlint // returned bare
			got = "hidden"
		case err != nil:
			got = "refused"
		}
		if got != c.want {
			t.Errorf("%s: %q (%v), want %q", name, got, err, c.want)
		}
		if d.Shows(state(held)) || !d.Shows(state(plain)) {
			t.Errorf("%s: what is shown", name)
		}
	}
}

// An export is without what is withheld, and so is the trail.
//
// attack: GW-40, B.86, B.92
func TestExportsAndTrailsAreCleared(t *testing.T) {
	d := access.DecideExport(careful(ofService("system/*.rs", "a"), "").subject(), "Observation")
	for holds, want := range map[string]bool{"abuse": true, "hiv": false} {
		r := observation("1", "a").holding(holds)
		if got := d.Admits(r.resource(t), r.owned()); got != want {
			t.Errorf("%s is exported: %v", holds, got)
		}
	}
	self := careful(token{scopes: "patient/AuditEvent.rs", patient: "a", user: true, reach: []string{"a"}, fhirUser: "Patient/a"}, "")
	_, view := access.Decide(self.subject(), find("AuditEvent")).Trail()
	event := about("AuditEvent", "x", "a")
	for holds, want := range map[string]bool{"hiv": true, "abuse": false} {
		r := event.holding(holds)
		if got := search.Match(view, r.resource(t), r.owned(), base); got != want {
			t.Errorf("an event about %s is shown: %v", holds, got)
		}
	}
}

// Whoever has nothing withheld asks for no more than before.
func TestNothingWithheldAddsNothing(t *testing.T) {
	service := ofService("system/*.rs", "a")
	service.ownAll = true
	self := token{scopes: "patient/*.rs", patient: "a", user: true, reach: []string{"a"}, fhirUser: "Patient/a"}
	mother := token{scopes: "user/*.rs", user: true, reach: []string{"a", "b"}, fhirUser: "Patient/a"}
	for name, row := range map[string]struct {
		token
		want string
	}{
		"no configuration":   {self, "owned a"},
		"one's own record":   {careful(self, ""), "and(owned a; without abuse secret)"},
		"that and another's": {careful(mother, ""), "and(owned a b; without hiv secret, of a without abuse secret)"},
		"everything":         {careful(service, ""), "without hiv secret"},
	} {
		d := access.Decide(row.subject(), find("Observation"))
		if got := show(d.View("Observation")); got != row.want {
			t.Errorf("%s: %s, want %s", name, got, row.want)
		}
		if d.Withholds() != row.careful {
			t.Errorf("%s: withholds %v", name, d.Withholds())
		}
	}
}
