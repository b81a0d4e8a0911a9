package access_test

import (
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
)

func patientWithObservations() map[string]thing {
	lab, vital := coding{observationCategory, "laboratory"}, coding{observationCategory, "vital-signs"}
	return map[string]thing{
		"lab":          observation("lab", "a", lab),
		"vital":        observation("vital", "a", vital),
		"both":         observation("both", "a", coding{observationCategory, "survey"}, lab),
		"other-system": observation("other-system", "a", coding{"http://other.example", "laboratory"}),
		"no-system":    observation("no-system", "a", coding{"", "laboratory"}),
		"none":         observation("none", "a"),
		"bob-lab":      observation("bob-lab", "b", lab),
	}
}

// spec: SCOPE-27, SCOPE-34, SCOPE-35, SCOPE-36, RSG-01, RSG-02, RSG-03, RSG-04, RSG-05, RSG-06, RSG-07, RSG-08, RSG-11, RSG-12, RSG-13, RSG-14
// attack: SC-12, SC-15, SC-16, B.3
func TestConstrainedScopes(t *testing.T) {
	all := patientWithObservations()
	for _, row := range []struct {
		name, scopes string
		reads, finds []string
	}{
		{"RSG-08 system and code", "patient/Observation.rs?category=" + labs, []string{"lab", "both"}, []string{"lab", "both"}},
		{"RSG-08 a code of any system", "patient/Observation.rs?category=laboratory", []string{"lab", "both", "other-system", "no-system"}, []string{"lab", "both", "other-system", "no-system"}},
		{"RSG-08 a code without system", "patient/Observation.rs?category=|laboratory", []string{"no-system"}, []string{"no-system"}},
		{"RSG-06 any of several categories", "patient/Observation.rs?category=" + observationCategory + "|survey", []string{"both"}, []string{"both"}},
		{"RSG-12 two scopes", "patient/Observation.rs?category=" + labs + " patient/Observation.rs?category=" + vitals, []string{"lab", "both", "vital"}, []string{"lab", "both", "vital"}},
		{"SCOPE-34 two alternatives", "patient/Observation.rs?category=" + labs + "," + vitals, []string{"lab", "both", "vital"}, []string{"lab", "both", "vital"}},
		{"SCOPE-34 two conditions", "patient/Observation.rs?category=" + labs + "&category=" + observationCategory + "|survey", []string{"both"}, []string{"both"}},
		{"SCOPE-34 two scopes, one of them with two conditions", "patient/Observation.rs?category=" + labs + "&category=survey patient/Observation.rs?category=" + vitals, []string{"both", "vital"}, []string{"both", "vital"}},
		{"SCOPE-34 conditions on different parameters", "patient/Observation.rs?_tag=x patient/Observation.rs?category=" + vitals, []string{"vital"}, []string{"vital"}},
		{"SCOPE-35 search only", "patient/Observation.s?category=" + labs, nil, []string{"lab", "both"}},
		{"SCOPE-35 read only", "patient/Observation.r?category=" + labs, []string{"lab", "both"}, nil},
		{"RSG-13 with the whole type", "patient/Observation.rs patient/Observation.rs?category=" + labs, []string{"lab", "both", "vital", "other-system", "no-system", "none"}, []string{"lab", "both", "vital", "other-system", "no-system", "none"}},
		{"RSG-13 with the wildcard", "patient/*.read patient/Observation.rs?category=" + labs, []string{"lab", "both", "vital", "other-system", "no-system", "none"}, []string{"lab", "both", "vital", "other-system", "no-system", "none"}},
		{"RSG-13 whole for search, constrained for read", "patient/Observation.s patient/Observation.r?category=" + labs, []string{"lab", "both"}, []string{"lab", "both", "vital", "other-system", "no-system", "none"}},
		{"SC-12 another patient", "patient/Observation.rs?patient=b", nil, nil},
		{"SC-15 version 1 write with constrained read", "patient/Observation.write patient/Observation.r?category=" + labs, []string{"lab", "both"}, nil},
		{"constrained on another type", "patient/Condition.rs?category=" + labs, nil, nil},
		{"user level, constrained, beside patient level", "user/Observation.rs?category=" + labs + " patient/Observation.rs?category=" + vitals, []string{"lab", "both", "vital", "bob-lab"}, []string{"lab", "both", "vital", "bob-lab"}},
		{"user level, constrained, beside the whole patient", "user/Observation.rs?category=" + labs + " patient/Observation.rs", []string{"lab", "both", "vital", "other-system", "no-system", "none", "bob-lab"}, []string{"lab", "both", "vital", "other-system", "no-system", "none", "bob-lab"}},
		{"patient level, constrained, beside the whole user", "user/Observation.rs patient/Observation.rs?category=" + labs, []string{"lab", "both", "vital", "other-system", "no-system", "none", "bob-lab"}, []string{"lab", "both", "vital", "other-system", "no-system", "none", "bob-lab"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			caller := token{scopes: row.scopes, patient: "a", user: true, reach: []string{"a", "b"}}
			reads, finds := map[string]bool{}, map[string]bool{}
			for _, id := range row.reads {
				reads[id] = true
			}
			for _, id := range row.finds {
				finds[id] = true
			}
			for id, r := range all {
				if got := caller.reads(t, r); got != reads[id] {
					t.Errorf("reads %s: %v", id, got)
				}
				if got := caller.finds(t, r); got != finds[id] {
					t.Errorf("finds %s: %v", id, got)
				}
			}
		})
	}
}

// show writes a view down.
func show(e search.Expr) string {
	switch e := e.(type) {
	case nil:
		return "nothing"
	case search.And:
		return "and" + showAll(e)
	case search.Or:
		return "or" + showAll(e)
	case search.Holds:
		return e.Clause.Parameter.Name() + " " + e.Clause.String()
	case search.OwnedBy:
		list := ""
		for _, id := range e.Patients.List() {
			list += " " + id
		}
		return "owned" + list
	case search.Cleared:
		text := "without " + strings.Join(e.Withheld.List(), " ")
		if e.Own != "" {
			text += ", of " + e.Own + " without " + strings.Join(e.OwnWithheld.List(), " ")
		}
		return text
	case search.IsResource:
		return "is " + e.Reference.String()
	}
	return "?"
}

func showAll(parts []search.Expr) string {
	text := "("
	for i, p := range parts {
		if i > 0 {
			text += "; "
		}
		text += show(p)
	}
	return text + ")"
}

// A backend is quickest when a view is one condition.
func TestViewsAreShort(t *testing.T) {
	const category = "Observation.category category="
	for _, row := range []struct{ name, scopes, kind, reads, finds, brings string }{
		{"one patient", "patient/*.rs", "Observation", "owned a", "owned a", "owned a"},
		{"one patient, said three times", "patient/*.rs patient/Observation.rs patient/Observation.read", "Observation", "owned a", "owned a", "owned a"},
		{"levels side by side", "patient/*.rs user/Observation.rs", "Observation", "owned a b", "owned a b", "owned a b"},
		{"letters apart", "patient/Observation.r user/Observation.s", "Observation", "owned a", "owned a b", "owned a b"},
		{"a part of the whole", "patient/*.rs patient/Observation.rs?category=x", "Observation", "owned a", "owned a", "owned a"},
		{"a wider part", "patient/*.rs user/Observation.rs?category=x", "Observation", "or(owned a; and(owned a b; " + category + "x))", "or(owned a; and(owned a b; " + category + "x))", "or(owned a; and(owned a b; " + category + "x))"},
		{"one constraint", "patient/Observation.rs?category=x", "Observation", "and(owned a; " + category + "x)", "and(owned a; " + category + "x)", "and(owned a; " + category + "x)"},
		{"constraints on one parameter", "patient/Observation.r?category=x patient/Observation.rs?category=y patient/Observation.s?category=x", "Observation",
			"and(owned a; " + category + "x,y)", "and(owned a; " + category + "y,x)", "and(owned a; " + category + "x,y)"},
		{"two constraints at once", "patient/Observation.s?category=x&status=final", "Observation", "nothing", "and(owned a; " + category + "x; Observation.status status=final)", "and(owned a; " + category + "x; Observation.status status=final)"},
		{"constraints of two kinds", "patient/Observation.s?category=x&status=final patient/Observation.s?code=c", "Observation",
			"nothing", "and(owned a; or(and(" + category + "x; Observation.status status=final); Observation.code code=c))", "and(owned a; or(and(" + category + "x; Observation.status status=final); Observation.code code=c))"},
		{"a shared type", "patient/*.rs", "Location", "and()", "and()", "and()"},
		{"a shared type, constrained", "patient/Location.rs?status=active", "Location", "and(Location.status status=active)", "and(Location.status status=active)", "and(Location.status status=active)"},
		{"a wildcard, constrained", "patient/*.rs?_tag=x", "Condition", "and(owned a; Condition._tag _tag=x)", "and(owned a; Condition._tag _tag=x)", "and(owned a; Condition._tag _tag=x)"},
		{"a closed type", "patient/*.rs user/Group.rs", "Group", "nothing", "nothing", "nothing"},
		{"no type", "patient/*.rs", "", "nothing", "nothing", "nothing"},
		{"no scope on the type", "patient/Observation.rs", "Condition", "nothing", "nothing", "nothing"},
		{"who logged in", "openid fhirUser patient/Observation.rs", "Practitioner", "is Practitioner/p", "nothing", "nothing"},
		{"who logged in, and a scope", "openid fhirUser patient/*.rs", "Practitioner", "and()", "and()", "and()"},
	} {
		t.Run(row.name, func(t *testing.T) {
			// A scope on Encounter opens both gates, whatever the row is about.
			s := token{scopes: row.scopes + " patient/Encounter.rs", patient: "a", user: true, reach: []string{"a", "b"}, fhirUser: "Practitioner/p"}.subject()
			r, f := access.Decide(s, read(about("Encounter", "e"))), access.Decide(s, find("Encounter"))
			kind := fhir.ResourceType(row.kind)
			if got := show(r.View(kind)); got != row.reads {
				t.Errorf("reads %s, want %s", got, row.reads)
			}
			if got := show(f.View(kind)); got != row.finds {
				t.Errorf("finds %s, want %s", got, row.finds)
			}
			if got := show(f.IncludeView(kind)); got != row.brings {
				t.Errorf("brings %s, want %s", got, row.brings)
			}
		})
	}
	t.Run("the own Patient is in the own record", func(t *testing.T) {
		for scopes, want := range map[string]string{
			"openid fhirUser patient/*.rs":              "owned a",
			"openid fhirUser patient/Patient.rs?_tag=x": "or(and(owned a; Patient._tag _tag=x); is Patient/a)",
			"openid fhirUser patient/Observation.rs":    "is Patient/a",
		} {
			s := token{scopes: scopes, patient: "a", user: true, reach: []string{"a"}, fhirUser: "Patient/a"}.subject()
			if got := show(access.Decide(s, read(about("Patient", "a"))).View("Patient")); got != want {
				t.Errorf("%s: %s, want %s", scopes, got, want)
			}
		}
	})
}
