package catalogue_test

import (
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/smart"
)

// drawn is a resource of a random universe: of patient a, b or c. Nobody who asks
// reaches c.
type drawn struct {
	kind, id, about string
	text            string
}

// ofStranger: it may be changed without anybody's noticing.
func (d drawn) ofStranger() bool { return d.about == "c" }

var abouts = []string{"a", "a", "b", "c", "c"}

// refs are what references in a universe lead to; some lead nowhere.
var refs = []string{"Observation/o0", "Observation/o1", "Observation/o2", "Observation/o3", "Observation/o4", "Observation/o5", "Observation/none"}

func pick(t *rapid.T, what string, from ...string) string {
	return rapid.SampledFrom(from).Draw(t, what)
}

// universe draws some thirty resources.
func universe(t *rapid.T) []drawn {
	var all []drawn
	for _, p := range []string{"a", "b", "c"} {
		all = append(all, drawn{"Patient", p, p, person(t, p)})
	}
	for n := range 8 {
		all = append(all, observed(t, fmt.Sprint("o", n), pick(t, "about", abouts...)))
	}
	for n := range 3 {
		p := pick(t, "about", abouts...)
		all = append(all, drawn{"Condition", fmt.Sprint("c", n), p, thing("Condition", fmt.Sprint("c", n), subject(p)+ref("asserter", "Patient/"+pick(t, "asserter", "a", "b", "c")))})
		p = pick(t, "about", abouts...)
		all = append(all, drawn{"DiagnosticReport", fmt.Sprint("d", n), p, thing("DiagnosticReport", fmt.Sprint("d", n), coded+subject(p)+`,"result":[{"reference":"`+pick(t, "result", refs...)+`"},{"reference":"`+pick(t, "result", refs...)+`"}]`)})
		one, two := pick(t, "target", refs[:4]...), pick(t, "target", refs[:4]...)
		all = append(all, drawn{"Provenance", fmt.Sprint("p", n), "", thing("Provenance", fmt.Sprint("p", n), `,"target":[{"reference":"`+one+`"},{"reference":"`+two+`"}],"recorded":"2026-01-05T09:00:00Z","agent":[{"who":{"display":"x"}}]`)})
	}
	return append(all, drawn{"Practitioner", "p", "", thing("Practitioner", "p", "")})
}

func person(t *rapid.T, id string) string {
	return thing("Patient", id, `,"name":[{"family":"`+pick(t, "family", "Trap", "Other")+`"}],"gender":"`+pick(t, "gender", "male", "female")+`","birthDate":"`+pick(t, "born", "1980", "1990-02-01")+`"`)
}

func observed(t *rapid.T, id, about string) drawn {
	text := category(categories, pick(t, "category", "laboratory", "vital-signs")) + subject(about) + `,"performer":[{"reference":"` + pick(t, "performer", "Patient/a", "Patient/b", "Patient/c", "Practitioner/p") + `"}],` +
		`"hasMember":[{"reference":"` + pick(t, "member", refs...) + `"}],"effectiveDateTime":"` + pick(t, "date", "2024", "2024-02-03", "2025-01-01", "2023-05") + `","valueQuantity":{"value":` + pick(t, "value", "1", "2.50", "7") + `}`
	return drawn{"Observation", id, about, thing("Observation", id, text)}
}

// disturbed is the universe with everything of c drawn anew, some of it gone, and more
// added. What others are derived from stays somebody's.
func disturbed(t *rapid.T, u []drawn) []drawn {
	var other []drawn
	for _, r := range u {
		derivedFrom := slices.Contains(refs[:4], r.kind+"/"+r.id)
		switch {
		case !r.ofStranger():
			other = append(other, r)
		case r.kind == "Patient":
			other = append(other, drawn{r.kind, r.id, r.about, person(t, r.id)})
		case r.kind == "Observation":
			if derivedFrom || rapid.Bool().Draw(t, "kept") {
				other = append(other, observed(t, r.id, "c"))
			}
		}
	}
	for n := range 3 {
		other = append(other, observed(t, fmt.Sprint("0new", n), "c"), drawn{"Condition", fmt.Sprint("0new", n), "c", thing("Condition", fmt.Sprint("0new", n), subject("c")+ref("asserter", "Patient/a"))},
			drawn{"DiagnosticReport", fmt.Sprint("0new", n), "c", thing("DiagnosticReport", fmt.Sprint("0new", n), coded+subject("c")+`,"result":[{"reference":"`+pick(t, "result", refs...)+`"}]`)})
	}
	return other
}

func texts(u []drawn) []string {
	var list []string
	for _, r := range u {
		list = append(list, r.text)
	}
	return list
}

var drawnScopes = []string{"patient/*.rs", "patient/*.r", "patient/*.s", "patient/Observation.rs" + laboratory, "patient/Observation.r?category=vital-signs", "patient/Patient.rs", "user/*.rs", "user/Observation.rs", "user/Observation.s" + laboratory,
	"user/Condition.rs", "user/Provenance.rs", "user/DiagnosticReport.rs", "patient/Practitioner.r", "patient/Observation.cruds"}

// grants are a random token, and two whose scopes are its.
type grants struct {
	both, one, two access.Facts
	scopes         [2][]string
}

func drawGrants(t *rapid.T) grants {
	some := rapid.SliceOfNDistinct(rapid.SampledFrom(drawnScopes), 1, 3, rapid.ID)
	g := grants{scopes: [2][]string{some.Draw(t, "scopes"), some.Draw(t, "more")}}
	f := access.Facts{ClientID: "app", UserID: "u", HasUser: true, Base: base, Patient: pick(t, "patient", "a", "b", ""),
		Reach: search.NewIDSet(strings.Split(pick(t, "reach", "a", "a,b", "b"), ",")...)}
	with := func(scopes []string) access.Facts { f := f; f.Scopes = smart.NewScopeSet(scopes); return f }
	g.one, g.two, g.both = with(g.scopes[0]), with(g.scopes[1]), with(slices.Concat(g.scopes[0], g.scopes[1]))
	return g
}

// plainQueries have no pages, so that what they find can be compared as a set.
var plainQueries = map[string][]string{
	"Observation": {"", "patient=a", "patient=c", "patient=a,b,c", "performer=Patient/c", "category=laboratory", "category:not=laboratory", "category:missing=true", "date=ge2024", "status=final", "value-quantity=gt2", "_id=o0,o1,o2", "has-member=Observation/o1", "_sort=date", "_sort=-date,_id",
		"_include=Observation:has-member&_include=Observation:performer", "_revinclude=Provenance:target", "_revinclude=Observation:has-member&_revinclude=DiagnosticReport:result",
		"subject:Patient.name=Trap", "has-member.status=final", "has-member.performer=Patient/c", "performer:Patient.gender=male", "_has:DiagnosticReport:result:status=final", "_has:Observation:has-member:performer=Patient/c"},
	"Patient":          {"", "name=trap", "gender=male", "birthdate=lt1985", "_revinclude=Observation:performer", "_revinclude=Condition:asserter", "_has:Observation:performer:status=final", "_has:Condition:asserter:patient=c"},
	"Condition":        {"", "asserter=Patient/a", "asserter:Patient.name=Trap", "patient=c", "_include=Condition:asserter"},
	"DiagnosticReport": {"", "result=Observation/o1", "_include=DiagnosticReport:result", "_include=DiagnosticReport:result&_include:iterate=Observation:has-member", "result.performer=Patient/c"},
	"Provenance":       {"target=Observation/o0", "target=Observation/o1,Observation/o2", "_id=p0,p1,p2"},
	"Practitioner":     {"", "_revinclude=Observation:performer"},
}

// drawRequest is a method and a path; plain: a search whose pages are one.
func drawRequest(t *rapid.T) (method, path string, plain bool) {
	kinds := []string{"Observation", "Observation", "Observation", "Patient", "Condition", "DiagnosticReport", "Provenance", "Practitioner"}
	kind := pick(t, "type", kinds...)
	id := pick(t, "id", map[string][]string{"Observation": {"o0", "o1", "o2", "o3", "o4", "0new0", "none"}, "Patient": {"a", "b", "c"}, "Condition": {"c0", "c1", "0new0"}, "DiagnosticReport": {"d0", "d1", "0new0"}, "Provenance": {"p0", "p1"}, "Practitioner": {"p"}}[kind]...)
	switch rapid.IntRange(0, 9).Draw(t, "form") {
	case 0:
		return pick(t, "method", "GET", "HEAD"), "/" + kind + "/" + id, false
	case 1:
		return "GET", "/" + kind + "/" + id + pick(t, "history", "/_history/1", "/_history", "/_history/2"), false
	case 2:
		return "GET", pick(t, "whole", "/Patient/a/Observation", "/Patient/c/Observation", "/Patient/a/$everything?_count=100", "/Patient/c/$everything", "/_history?_count=100", "/Observation/_history?_count=5", "/Condition/_history"), false
	case 3, 4:
		return "GET", "/" + kind + "?" + pick(t, "query", plainQueries[kind]...) + pick(t, "page", "&_count=1", "&_count=2", "&_summary=count", "&_count=2&_total=accurate", "&_elements=id&_count=3"), false
	}
	return "GET", "/" + kind + "?_count=200&" + pick(t, "query", plainQueries[kind]...), true
}
