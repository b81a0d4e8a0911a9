package page_test

import (
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/emberlatch/emberlatch/internal/page"
)

func row(group, typ, id, value, label string) page.ScopeRow {
	return page.ScopeRow{Group: group, Type: typ, Choices: []page.ScopeChoice{{ID: id, Value: value, Label: label, Ticked: true}}}
}

// labelOf is what a person reads beside the checkbox of a scope.
func labelOf(t *testing.T, doc *html.Node, value string) string {
	t.Helper()
	box := find(doc, "input", "type", "checkbox", "value", value)
	if box == nil {
		t.Fatalf("there is no checkbox for %s", value)
	}
	return words(find(doc, "label", "for", attr(box, "id")))
}

// Scopes are told in plain words: by group, by type where a group has several, by
// what may be written; a type without words is named.
//
// spec: CONS-02, CONS-03, CONS-04
func TestScopesInPlainWords(t *testing.T) {
	p := page.Approve{
		Shell: shell("/approve"), App: page.App{Name: "GrowthTracker", Status: "checked"},
		Read: []page.ScopeRow{
			row("patient", "Patient", "a", "patient/Patient.rs", ""),
			row("medicines", "MedicationRequest", "b", "patient/MedicationRequest.rs", "type.MedicationRequest"),
			row("medicines", "MedicationStatement", "c", "patient/MedicationStatement.rs", "type.MedicationStatement"),
			row("observations", "Observation", "d", "patient/Observation.rs?category=laboratory", "part.laboratory"),
			row("observations", "Observation", "e", "patient/Observation.rs?code=1", "patient/Observation.rs?code=1"),
			row("devices", "Device", "f", "patient/Device.rs", "type.Device"),
			row("reports", "Kaleidoscope", "g", "patient/Kaleidoscope.rs", "type.Kaleidoscope"),
			row("other", "VisionPrescription", "h", "patient/VisionPrescription.rs", ""),
			row("other", "Flag", "i", "patient/Flag.rs", ""),
		},
		Write: []page.ScopeRow{
			row("answers", "QuestionnaireResponse", "j", "patient/QuestionnaireResponse.c", "access.create"),
			row("care", "Goal", "k", "patient/Goal.cud", "access.delete"), row("care", "CarePlan", "l", "patient/CarePlan.u", "access.update"),
			row("problems", "Condition", "m", "patient/Condition.write", "access.delete"),
		},
	}
	rows := map[string]struct{ theirs, own string }{
		"patient/Patient.rs":                         {"About the person name, date of birth, address, phone, language", "About you name, date of birth, address, phone, language"},
		"patient/MedicationRequest.rs":               {"prescriptions", "prescriptions"},
		"patient/MedicationStatement.rs":             {"what the person says they take", "what you say you take"},
		"patient/Observation.rs?category=laboratory": {"Lab results", "Lab results"},
		"patient/Observation.rs?code=1":              {"patient/Observation.rs?code=1", "patient/Observation.rs?code=1"},
		"patient/Device.rs":                          {"Devices implants, monitors", "Devices implants, monitors"},
		"patient/Kaleidoscope.rs":                    {"Reports of tests: Kaleidoscope laboratory and imaging reports", "Reports of tests: Kaleidoscope laboratory and imaging reports"},
		"patient/VisionPrescription.rs":              {"Other health information (VisionPrescription)", "Other health information (VisionPrescription)"},
		"patient/Flag.rs":                            {"Other health information (Flag)", "Other health information (Flag)"},
		"patient/QuestionnaireResponse.c":            {"Answers given: add forms, housing, food, transport", "Answers you gave: add forms, housing, food, transport"},
		"patient/Goal.cud":                           {"goals: add, change and delete", "goals: add, change and delete"},
		"patient/CarePlan.u":                         {"plans: change", "plans: change"},
		"patient/Condition.write":                    {"Health problems: add, change and delete diagnoses now and in the past", "Health problems: add, change and delete diagnoses now and in the past"},
	}
	_, theirs := render(t, sample{"", 200, p}, "en")
	p.HasPatient, p.Patient = true, page.Person{Name: "Maria Lopez", Self: true}
	_, own := render(t, sample{"", 200, p}, "en")
	for value, want := range rows {
		if got := labelOf(t, theirs, value); got != want.theirs {
			t.Errorf("%s: %q, want %q", value, got, want.theirs)
		}
		if got := labelOf(t, own, value); got != want.own {
			t.Errorf("%s, own record: %q, want %q", value, got, want.own)
		}
	}
	if group := find(own, "input", "id", "b").Parent.Parent; group.Data != "fieldset" || !strings.HasPrefix(words(group), "Medicines") {
		t.Errorf("the medicines do not stand below their name: <%s> %s", group.Data, words(group))
	}
}

// An end that the person cannot choose is told all the same.
//
// spec: CONS-08
func TestEndOfLastingAccessIsTold(t *testing.T) {
	p := page.Approve{Shell: shell("/approve"), App: page.App{Name: "GrowthTracker", Status: "test"}, Offline: &page.Duration{Scope: "offline_access", Until: noon.AddDate(1, 0, 0)}}
	_, doc := render(t, sample{"", 200, p}, "es")
	if got := labelOf(t, doc, "offline_access"); !strings.Contains(got, "hasta el 4 de mayo de 2027") {
		t.Errorf("got %q", got)
	}
}
