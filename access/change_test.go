package access_test

import (
	"errors"
	"testing"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/smart"
)

// state is a resource with the patients that its own content is about.
func state(t testing.TB, text string) access.State {
	t.Helper()
	if text == "" {
		return access.State{}
	}
	r, err := fhir.ParseResource([]byte(text))
	if err != nil {
		t.Fatal(text, err)
	}
	return access.State{Resource: r, Owners: compartment.Owners(r, base)}
}

func lab(patient, more string) string { return observed(patient, "laboratory", more) }

func observed(patient, category, more string) string {
	return `{"resourceType":"Observation","id":"1","category":[{"coding":[{"system":"` + observationCategory + `","code":"` + category + `"}]}],"subject":{"reference":"Patient/` + patient + `"}` + more + `}`
}

// A write is judged by the old state and by the new one.
//
// spec: RSX-23, RSX-24, RSX-25, RSP-20, SCOPE-13
// attack: B.60, B.62, B.63, B.66, B.72, B.73
func TestChanges(t *testing.T) {
	const labs = "patient/Observation.cud?category=" + labs
	own := `{"resourceType":"Patient","id":"a","gender":"female"`
	for _, row := range []struct {
		name, scopes  string
		code          fhir.InteractionCode
		before, after string
		want          string // "": permitted; "hidden"; else refused
	}{
		{"create", "patient/Observation.c", fhir.Create, "", lab("a", ""), ""},
		{"RSX-25 create for another", "patient/Observation.c", fhir.Create, "", lab("b", ""), "refused"},
		{"RSP-20 create for nobody", "patient/Observation.c", fhir.Create, "", `{"resourceType":"Observation","id":"1"}`, "refused"},
		{"create for a group", "patient/Observation.c", fhir.Create, "", `{"resourceType":"Observation","id":"1","subject":{"reference":"Group/a"}}`, "refused"},
		{"B.60 create outside of the constraint", labs, fhir.Create, "", observed("a", "vital-signs", ""), "refused"},
		{"create inside of the constraint", labs, fhir.Create, "", lab("a", ""), ""},
		{"create of another type than was allowed", "patient/*.c", fhir.Create, "", `{"resourceType":"Practitioner","id":"p"}`, "refused"},
		{"create of a policy source in place of it", "patient/*.c", fhir.Create, "", `{"resourceType":"CareTeam","id":"t","subject":{"reference":"Patient/a"}}`, "refused"},
		{"update", "patient/Observation.u", fhir.Update, lab("a", ""), lab("a", `,"note":[{"text":"x"}]`), ""},
		{"patch", "patient/Observation.u", fhir.Patch, lab("a", ""), lab("a", `,"note":[{"text":"x"}]`), ""},
		{"RSX-23 update takes over", "patient/Observation.u", fhir.Update, lab("b", ""), lab("a", ""), "hidden"},
		{"RSX-23 update gives away", "patient/Observation.u", fhir.Update, lab("a", ""), lab("b", ""), "refused"},
		{"B.63 update of another's", "patient/Observation.u", fhir.Update, lab("b", ""), lab("b", ""), "hidden"},
		{"RSX-24 update into the constraint", labs, fhir.Update, observed("a", "vital-signs", ""), lab("a", ""), "hidden"},
		{"RSX-24 update out of the constraint", labs, fhir.Update, lab("a", ""), observed("a", "vital-signs", ""), "refused"},
		{"what can be read is told", labs + " patient/Observation.r", fhir.Update, observed("a", "vital-signs", ""), lab("a", ""), "refused"},
		{"another id", "patient/Observation.u", fhir.Update, lab("a", ""), `{"resourceType":"Observation","id":"2","subject":{"reference":"Patient/a"}}`, "refused"},
		{"B.72 a label goes", "patient/Observation.u", fhir.Update, lab("a", `,"meta":{"security":[{"code":"R"}]}`), lab("a", ""), "refused"},
		{"B.72 a tag comes", "patient/Observation.u", fhir.Update, lab("a", ""), lab("a", `,"meta":{"tag":[{"code":"x"}]}`), "refused"},
		{"labels in another spelling", "patient/Observation.u", fhir.Update, lab("a", `,"meta":{"security":[{"code":"R"}],"versionId":"1"}`), lab("a", `,"meta":{"security":[{"code":"\u0052"}]}`), ""},
		{"update of the own patient", "patient/Patient.u", fhir.Update, own + "}", own + `,"birthDate":"1980"}`, ""},
		{"update of the own patient, the rest as it was", "patient/Patient.u", fhir.Update, own + `,"generalPractitioner":[{"reference":"Practitioner/p"}]}`,
			own + `,"birthDate":"1980","generalPractitioner":[{"reference":"Practitioner/p"}]}`, ""},
		{"B.73 another practitioner", "patient/Patient.u", fhir.Update, own + `,"generalPractitioner":[{"reference":"Practitioner/p"}]}`,
			own + `,"generalPractitioner":[{"reference":"Practitioner/q"}]}`, "refused"},
		{"B.73 no practitioner", "patient/Patient.u", fhir.Update, own + `,"generalPractitioner":[{"reference":"Practitioner/p"}]}`, own + "}", "refused"},
		{"B.73 an organization", "patient/Patient.u", fhir.Update, own + "}", own + `,"managingOrganization":{"reference":"Organization/o"}}`, "refused"},
		{"B.91 a link", "patient/Patient.u", fhir.Update, own + "}", own + `,"link":[{"other":{"reference":"Patient/b"},"type":"seealso"}]}`, "refused"},
		{"delete", "patient/Observation.d", fhir.Delete, lab("a", ""), "", ""},
		{"B.66 delete of another's", "patient/Observation.d", fhir.Delete, lab("b", ""), "", "hidden"},
		{"delete outside of the constraint", labs, fhir.Delete, observed("a", "vital-signs", ""), "", "hidden"},
		{"delete in place of an update", "patient/Observation.u", fhir.Update, lab("a", ""), "", "refused"},
		{"create in place of an update", "patient/Observation.u", fhir.Update, "", lab("a", ""), "refused"},
		{"update in place of a create", "patient/Observation.c", fhir.Create, lab("a", ""), lab("a", ""), "refused"},
		{"a read", "patient/Observation.r", fhir.Read, lab("a", ""), lab("a", ""), "refused"},
		{"nothing becomes nothing", "patient/Observation.d", fhir.Delete, "", "", "refused"},
		{"no scope", "patient/Observation.r", fhir.Update, lab("a", ""), lab("a", ""), "refused"},
	} {
		t.Run(row.name, func(t *testing.T) {
			before, after := state(t, row.before), state(t, row.after)
			kind := after.Resource.Type()
			if kind == "" || kind == "CareTeam" || kind == "Practitioner" {
				kind = "Observation"
			}
			d := access.Decide(ofPatient("a", row.scopes).subject(), fhir.Interaction{Code: row.code, Type: kind, ID: "1"})
			change, err := d.Change(before, after)
			var refusal access.Refusal
			switch {
			case row.want == "":
				if err != nil || change.IsZero() || change.Creates() != (row.before == "") || change.Deletes() != (row.after == "") ||
					string(change.After().Resource.JSON()) != row.after {
					t.Errorf("%+v, %v", change, err)
				}
				return
			case row.want == "hidden" && !errors.Is(err, access.ErrHidden), row.want == "refused" && (!errors.As(err, &refusal) || refusal.Error() == ""):
				t.Errorf("%v, want %s", err, row.want)
			}
			if !change.IsZero() || change.Creates() || change.Deletes() {
				t.Errorf("refused, and there is %+v", change)
			}
		})
	}
	t.Run("the server's own work is no app's", func(t *testing.T) {
		d := access.System("test", base)
		if c, err := d.Change(access.State{}, state(t, lab("a", ""))); err == nil || !c.IsZero() || d.TargetView("Observation") != nil || d.Shows(state(t, lab("a", ""))) {
			t.Error(c, err)
		}
	})
	t.Run("nobody", func(t *testing.T) {
		var d access.Decision
		if c, err := d.Change(access.State{}, state(t, lab("a", ""))); err == nil || !c.IsZero() || d.TargetView("Observation") != nil || d.Shows(state(t, lab("a", ""))) {
			t.Error(c, err)
		}
	})
}

// The answer to a write holds what may be read, and only a write that may be told of
// is told openly that it is refused.
//
// spec: RSX-22
// attack: B.68
func TestWhatAWriteShows(t *testing.T) {
	mine, vital, foreign := state(t, lab("a", "")), state(t, observed("a", "vital-signs", "")), state(t, lab("b", ""))
	for _, row := range []struct {
		name, scopes string
		shows        []access.State
		hides        []access.State
		names        []access.State
	}{
		{"changes only", "patient/Observation.u", nil, []access.State{mine, vital, foreign, {}}, []access.State{mine, vital}},
		{"changes and reads", "patient/Observation.ru", []access.State{mine, vital}, []access.State{foreign}, []access.State{mine, vital}},
		{"changes some and reads all", "patient/Observation.r patient/Observation.u?category=" + labs, []access.State{mine, vital}, []access.State{foreign}, []access.State{mine, vital}},
		{"changes some", "patient/Observation.u?category=" + labs, nil, []access.State{mine}, []access.State{mine}},
		{"reads", "patient/Observation.r user/Observation.u", []access.State{mine}, []access.State{foreign}, []access.State{mine, vital}},
	} {
		d := access.Decide(ofPatient("a", row.scopes).subject(), fhir.Interaction{Code: fhir.Update, Type: "Observation", ID: "1"})
		for _, s := range row.shows {
			if !d.Shows(s) || d.Edits(s) != nil {
				t.Errorf("%s: %s is not shown", row.name, s.Resource.JSON())
			}
		}
		for _, s := range row.hides {
			if d.Shows(s) || d.Edits(s) == nil {
				t.Errorf("%s: %s is shown", row.name, s.Resource.JSON())
			}
		}
		for _, s := range []access.State{mine, vital, foreign} {
			want := false
			for _, named := range row.names {
				want = want || string(named.Resource.JSON()) == string(s.Resource.JSON())
			}
			r := thing{kind: "Observation", id: "1", owners: s.Owners.Required, category: []coding{{observationCategory, "laboratory"}}}
			if string(s.Resource.JSON()) == string(vital.Resource.JSON()) {
				r.category[0][1] = "vital-signs"
			}
			if got := evaluate(d.TargetView("Observation"), r); got != want {
				t.Errorf("%s: %s may be named: %v", row.name, s.Resource.JSON(), got)
			}
		}
	}
	lost := access.Decide(token{scopes: "patient/Observation.r user/Observation.u", user: true, reach: []string{"a"}}.subject(), fhir.Interaction{Code: fhir.Update, Type: "Observation"})
	if got := show(lost.TargetView("Observation")); got != "owned a" {
		t.Errorf("without a patient in context: %s", got)
	}
	only := access.Decide(token{scopes: "patient/Observation.u user/Observation.r", user: true, reach: []string{"b"}, patient: "a"}.subject(), fhir.Interaction{Code: fhir.Update, Type: "Observation"})
	if got := show(only.TargetView("Observation")); got != "owned b" {
		t.Errorf("the patient is reached no longer: %s", got)
	}
}

// What a reference may name without a scope to read it.
func TestWhatAWriterKnows(t *testing.T) {
	ref := func(text string) fhir.Reference {
		r, _ := fhir.ParseReference(text, "")
		return r
	}
	create := fhir.Interaction{Code: fhir.Create, Type: "Observation"}
	caller := token{scopes: "openid fhirUser user/Observation.c", user: true, reach: []string{"a"}, fhirUser: "Practitioner/p"}
	d := access.Decide(caller.subject(), create)
	caller.scopes = "user/Observation.c"
	stranger := access.Decide(caller.subject(), create)
	about := state(t, lab("a", ""))
	if !d.Knows(ref("Patient/a"), about) || !d.Knows(ref("Practitioner/p"), about) {
		t.Error("the patient, or who logged in, is not known")
	}
	if d.Knows(ref("Patient/b"), about) || d.Knows(ref("Practitioner/q"), about) || d.Knows(ref("Observation/a"), about) || stranger.Knows(ref("Practitioner/p"), about) {
		t.Error("too much is known")
	}
	var zero access.Decision
	if zero.Knows(ref("Patient/a"), about) || access.System("x", base).Knows(ref("Patient/a"), about) {
		t.Error("nobody knows something")
	}
}

// What no scope can do is neither granted nor possible; everything else is.
//
// spec: SCOPE-16
// attack: B.73, B.74
func TestPossible(t *testing.T) {
	for _, row := range []struct {
		level smart.Level
		kind  fhir.ResourceType
		want  string
	}{
		{smart.LevelPatient, "Observation", "cruds"}, {smart.LevelPatient, "*", "cruds"}, {smart.LevelPatient, "Patient", "rus"},
		{smart.LevelUser, "Patient", "rus"}, {smart.LevelSystem, "Patient", "crus"}, {smart.LevelUser, "Practitioner", "rs"},
		{smart.LevelSystem, "SearchParameter", "rs"}, {smart.LevelUser, "CareTeam", "rs"}, {smart.LevelSystem, "RelatedPerson", "rs"},
		{smart.LevelPatient, "Encounter", "rs"}, {smart.LevelPatient, "Consent", "rs"}, {smart.LevelUser, "Group", ""}, {smart.LevelUser, "AuditEvent", ""}, {smart.LevelPatient, "AuditEvent", "rs"},
		{smart.LevelPatient, "Binary", "cruds"}, {smart.LevelPatient, "Provenance", "cruds"},
	} {
		got := ""
		for _, letter := range []byte("cruds") {
			if access.Possible(row.level, row.kind, letter) {
				got += string(letter)
			}
		}
		if got != row.want {
			t.Errorf("%s/%s: %q, want %q", row.level, row.kind, got, row.want)
		}
	}
	if !access.IsPolicySource("CareTeam", "") || !access.IsPolicySource("Patient", "link") || access.IsPolicySource("Patient", "") || access.IsPolicySource("Observation", "link") {
		t.Error("policy sources")
	}
}

// Where how long somebody reaches a patient goes by the age, no app changes a birth date;
// it is set with the patient.
//
// attack: B.73
func TestABirthDateStaysWhereAgeLeads(t *testing.T) {
	const patient, earlier, later = `{"resourceType":"Patient","id":"a","gender":"female"`, `,"birthDate":"2008-11-25"}`, `,"birthDate":"2010-11-25"}`
	for name, row := range map[string]struct {
		before, after string
		refused       bool
	}{
		"a later one: a parent would stand for longer": {patient + earlier, patient + later, true},
		"one where there was none":                     {patient + "}", patient + later, true},
		"none any more":                                {patient + earlier, patient + "}", true},
		"the same":                                     {patient + earlier, patient + `,"language":"en"` + earlier, false},
	} {
		for _, leads := range []bool{true, false} {
			d := access.Decide(token{scopes: "patient/Patient.u", patient: "a", user: true, reach: []string{"a"}, ageLeads: leads}.subject(), fhir.Interaction{Code: fhir.Update, Type: "Patient", ID: "a"})
			if _, err := d.Change(state(t, row.before), state(t, row.after)); (err != nil) != (row.refused && leads) {
				t.Errorf("%s, age leads %v: %v", name, leads, err)
			}
		}
	}
	d := access.Decide(token{scopes: "system/Patient.c", ownAll: true, ageLeads: true}.subject(), fhir.Interaction{Code: fhir.Create, Type: "Patient"})
	if _, err := d.Change(access.State{}, state(t, patient+later)); err != nil {
		t.Errorf("a new patient: %v", err)
	}
	if !access.IsPolicySource("Patient", "birthDate") || access.IsPolicySource("Patient", "gender") {
		t.Error("what says how long")
	}
}
