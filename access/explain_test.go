package access_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
)

// Each rule has its reason, by a name that stays.
func TestEachRuleHasItsReason(t *testing.T) {
	patient := func(scopes string) token {
		return token{scopes: scopes, patient: "a", user: true, reach: []string{"a"}, fhirUser: "Practitioner/p"}
	}
	for _, row := range []struct {
		token
		line string
		want access.Reason
	}{
		{patient("patient/*.rs"), "GET /Observation/1", "scope.patient"},
		{patient("user/Observation.s patient/Observation.r"), "GET /Observation", "scope.user"},
		{ofService("system/*.rs", "a"), "GET /Observation/1", "scope.system"},
		{patient("openid fhirUser"), "GET /Practitioner/p", "self"},
		{patient("openid fhirUser"), "GET /Practitioner/q", "scope.missing"},
		{patient("patient/Observation.s"), "GET /Observation/1", "scope.missing"},
		{ofClinician("patient/Observation.r", "a"), "GET /Observation/1", "scope.without-effect"},
		{token{scopes: "user/Observation.r"}, "GET /Observation/1", "scope.without-effect"},
		{ofService("system/*.rs"), "GET /Observation/1", "scope.without-effect"},
		{patient("patient/*.cruds"), "POST /Patient", "scope.without-effect"},
		{patient("patient/*.cruds"), "GET /Group/1", "type.closed"},
		{patient("patient/*.rs"), "GET /AuditEvent", "type.closed"},
		{patient("patient/AuditEvent.rs"), "GET /AuditEvent", "scope.without-effect"},
		{token{scopes: "patient/AuditEvent.rs", patient: "a", user: true, reach: []string{"a"}, fhirUser: "Patient/a"}, "GET /AuditEvent", "trail.patient"},
		{patient("patient/*.cruds"), "POST /Practitioner", "type.not-changed"},
		{patient("patient/*.cruds"), "POST /", "interaction.not-offered"},
	} {
		if got := access.Decide(row.subject(), request(t, row.line)).Reason(); got != row.want {
			t.Errorf("%s by %q: %s, want %s", row.line, row.scopes, got, row.want)
		}
	}
	var zero access.Decision
	if got := zero.Reason(); got != access.NothingAllows {
		t.Errorf("the zero decision: %q", got)
	}
	if got := access.System("who reaches whom", base).Reason(); got != access.ServerItself {
		t.Errorf("the server: %q", got)
	}
}

// Why a row is seen or not.
func TestEachRowHasItsReason(t *testing.T) {
	const laboratory = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
	lost := token{scopes: "patient/Observation.r", patient: "a", user: true, reach: []string{"b"}}
	for name, row := range map[string]struct {
		token
		thing
		want access.Reason
	}{
		"own":               {ofClinician("user/*.rs", "a"), observation("1", "a"), access.RowInView},
		"another's":         {ofClinician("user/*.rs", "a"), observation("1", "b"), access.RowOfOthers},
		"of both":           {ofClinician("user/*.rs", "a"), about("Observation", "1", "a", "b"), access.RowOfOthers},
		"of nobody":         {ofClinician("user/*.rs", "a"), about("Observation", "1"), access.RowOfNobody},
		"another category":  {ofClinician("user/Observation.rs?category="+laboratory, "a"), observation("1", "a"), access.RowNotMatching},
		"the patient lost":  {lost, observation("1", "a"), access.NobodyIsReached},
		"nobody is reached": {ofClinician("user/*.rs"), observation("1", "a"), access.NobodyIsReached},
		"no scope":          {ofClinician("user/Condition.rs", "a"), observation("1", "a"), access.ScopeMissing},
	} {
		if got := access.Decide(row.subject(), read(row.thing)).Row(row.resource(t), row.owned()); got != row.want {
			t.Errorf("%s: %s, want %s", name, got, row.want)
		}
	}
}

// What is explained is what is decided: a scope covers when the gate opens, and a
// row is in the view when it is admitted.
func TestExplanationsAgreeWithDecisions(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		k, r := drawToken().Draw(rt, "token"), drawThing().Draw(rt, "resource")
		for _, i := range []fhir.Interaction{read(r), find(r.kind), {Code: fhir.SearchSystem}, {Code: fhir.Update, Type: fhir.ResourceType(r.kind), ID: r.id}} {
			d, found := access.Decide(k.subject(), i), access.Explain(k.subject(), i)
			covered := slices.ContainsFunc(found, access.Finding.Covers)
			if covered != (d.Allowed() && d.Reason() != access.OwnRecord) && d.Reason() != access.TypeNotChanged {
				rt.Errorf("%s %s: %s, findings %+v", i.Code, i.Type, d.Reason(), found)
			}
			if got, want := d.Row(r.resource(t), r.owned()) == access.RowInView, d.Admits(r.resource(t), r.owned()); got != want {
				rt.Errorf("%s/%s: in view %v, admitted %v", r.kind, r.id, got, want)
			}
		}
	})
}
