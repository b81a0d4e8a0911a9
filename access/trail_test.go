package access_test

import (
	"testing"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// The trail of a patient is opened by a patient/ scope that names it, for the patient and
// for those who stand for them; never by a wildcard, to people at work, or to services,
// and never for a change.
//
// spec: AUD-15
// attack: B.92, GW-19
func TestWhoOpensATrail(t *testing.T) {
	const scope = "patient/AuditEvent.rs"
	event, err := fhir.ParseResource([]byte(`{"resourceType":"AuditEvent","id":"x","type":{"system":"http://dicom.nema.org/resources/ontology/DCM","code":"110114"},"recorded":"2026-11-26T10:00:00Z","outcome":"4"}`))
	if err != nil {
		t.Fatal(err)
	}
	as := func(fhirUser, scopes string, reach ...string) token {
		return token{scopes: scopes, patient: "a", user: true, reach: reach, fhirUser: fhirUser}
	}
	for name, row := range map[string]struct {
		token
		line  string
		opens bool
		shows bool
	}{
		"the patient, a search":       {as("Patient/a", scope, "a"), "GET /AuditEvent", true, true},
		"the patient, a read":         {as("Patient/a", scope, "a"), "GET /AuditEvent/x", true, true},
		"who stands for them":         {as("RelatedPerson/r", scope, "a"), "GET /AuditEvent", true, true},
		"a parent with a record":      {as("Patient/mother", scope, "a", "mother"), "GET /AuditEvent", true, true},
		"a scope that narrows":        {as("Patient/a", "patient/AuditEvent.rs?outcome=4", "a"), "GET /AuditEvent", true, true},
		"a scope that narrows it out": {as("Patient/a", "patient/AuditEvent.rs?outcome=0", "a"), "GET /AuditEvent", true, false},
		"the patient was lost":        {as("Patient/a", scope), "GET /AuditEvent", true, false},
		"a search only":               {as("Patient/a", "patient/AuditEvent.s", "a"), "GET /AuditEvent/x", false, false},
		"a wildcard":                  {as("Patient/a", "patient/*.rs", "a"), "GET /AuditEvent", false, false},
		"a wildcard of version 1":     {as("Patient/a", "patient/*.read", "a"), "GET /AuditEvent", false, false},
		"a clinician":                 {as("Practitioner/p", scope, "a"), "GET /AuditEvent", false, false},
		"nobody knows who":            {as("", scope, "a"), "GET /AuditEvent", false, false},
		"user/":                       {as("Patient/a", "user/AuditEvent.rs", "a"), "GET /AuditEvent", false, false},
		"a service":                   {ofService("system/AuditEvent.rs", "a"), "GET /AuditEvent", false, false},
		"a service, patient/":         {ofService(scope, "a"), "GET /AuditEvent", false, false},
		"nobody in context":           {token{scopes: scope, user: true, reach: []string{"a"}, fhirUser: "Patient/a"}, "GET /AuditEvent", false, false},
		"a creation":                  {as("Patient/a", "patient/AuditEvent.cruds", "a"), "POST /AuditEvent", false, false},
		"a deletion":                  {as("Patient/a", "patient/AuditEvent.cruds", "a"), "DELETE /AuditEvent/x", false, false},
		"another type":                {as("Patient/a", scope+" patient/Observation.rs", "a"), "GET /Observation", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := access.Decide(row.subject(), request(t, row.line))
			patient, view := d.Trail()
			if (patient == "a") != row.opens || patient != "" && patient != "a" {
				t.Errorf("whose: %q, %v", patient, d.Reasons())
			}
			if got := search.Match(view, event, search.Owners{Required: []string{"a"}}, base); got != row.shows {
				t.Errorf("shown: %v", got)
			}
			if search.Match(view, event, search.Owners{Required: []string{"b"}}, base) || search.Match(view, event, search.Owners{}, base) {
				t.Error("what is about others is shown")
			}
			if d.View("AuditEvent") != nil || d.IncludeView("AuditEvent") != nil || d.Admits(event, search.Owners{Required: []string{"a"}}) {
				t.Error("a store shows events that it holds")
			}
		})
	}
	if patient, view := (access.Decision{}).Trail(); patient != "" || view != nil {
		t.Error("the zero decision opens a trail")
	}
}
