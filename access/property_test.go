package access_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/smart"
)

var patientIDs = []string{"a", "b", "c"}

func drawThing() *rapid.Generator[thing] {
	return rapid.Custom(func(t *rapid.T) thing {
		kind := rapid.SampledFrom(slices.Concat(recordKinds, sharedKinds, []string{"Group", "AuditEvent", "Bundle", "Observation", "Observation"})).Draw(t, "kind")
		r := thing{kind: kind, id: rapid.SampledFrom(patientIDs).Draw(t, "id")}
		r.owners = rapid.SliceOfNDistinct(rapid.SampledFrom(patientIDs), 0, 2, rapid.ID).Draw(t, "owners")
		if kind == "Patient" {
			r.owners = []string{r.id}
		}
		r.holds = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"hiv", "abuse", "secret"}), 0, 2, rapid.ID).Draw(t, "sensitive")
		r.unlooked = rapid.IntRange(0, 9).Draw(t, "nobody has looked") == 0
		codings := rapid.SliceOfN(rapid.SampledFrom([]coding{{"s", "x"}, {"s", "y"}, {"t", "x"}, {"", "x"}}), 0, 2)
		r.tag = codings.Draw(t, "tag")
		if kind == "Observation" || kind == "Condition" {
			r.category = codings.Draw(t, "category")
		}
		return r
	})
}

func drawScopes(least int) *rapid.Generator[[]string] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
		if rapid.IntRange(0, 4).Draw(t, "name") == 0 {
			return rapid.SampledFrom([]string{"openid", "fhirUser", "profile", "launch/patient", "nonsense", "patient/Observation.sr"}).Draw(t, "text")
		}
		kind := rapid.SampledFrom([]string{"*", "*", "Observation", "Observation", "Condition", "Patient", "Practitioner", "Group"}).Draw(t, "type")
		word := rapid.SampledFrom([]string{"r", "s", "rs", "cud", "cruds", "us", "read", "write", "*"}).Draw(t, "permissions")
		text := rapid.SampledFrom([]string{"patient", "user", "system"}).Draw(t, "level") + "/" + kind + "." + word
		query := ""
		switch {
		case strings.Contains(" read write * ", " "+word+" "):
		case kind == "Observation" || kind == "Condition":
			query = rapid.SampledFrom([]string{"", "?category=s|x", "?category=x", "?category=s|", "?category=s|x,t|x", "?category=s|x&_tag=x", "?category=s|x&category=y", "?_tag=s|y"}).Draw(t, "query")
		default:
			query = rapid.SampledFrom([]string{"", "", "?_tag=s|x", "?_tag=|x", "?_tag=x,y"}).Draw(t, "query")
		}
		return text + query
	}), least, 6)
}

func drawToken() *rapid.Generator[token] {
	return rapid.Custom(func(t *rapid.T) token {
		return token{
			scopes:    strings.Join(drawScopes(1).Draw(t, "scopes"), " "),
			patient:   rapid.SampledFrom(append([]string{""}, patientIDs...)).Draw(t, "patient"),
			user:      rapid.Bool().Draw(t, "user"),
			reach:     rapid.SliceOfNDistinct(rapid.SampledFrom(patientIDs), 0, 3, rapid.ID).Draw(t, "reach"),
			fhirUser:  rapid.SampledFrom([]string{"", "Practitioner/a", "Patient/b", "RelatedPerson/c"}).Draw(t, "fhirUser"),
			ownAll:    rapid.IntRange(0, 3).Draw(t, "all") == 0,
			everybody: rapid.IntRange(0, 3).Draw(t, "everybody") == 0,
			careful:   rapid.Bool().Draw(t, "something is withheld"),
			app:       rapid.SampledFrom([]string{"", "ehr"}).Draw(t, "app"),
			own:       rapid.SliceOfNDistinct(rapid.SampledFrom(patientIDs), 0, 3, rapid.ID).Draw(t, "own"),
		}
	})
}

// The decision is the model of the definitions: for a read, a search, a write,
// and for what comes along.
//
// spec: SCOPE-14, SCOPE-17, SCOPE-34, SCOPE-36, RSG-11, RSP-07, RSP-19
func TestDecisionsAgreeWithTheModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		k, r := drawToken().Draw(rt, "token"), drawThing().Draw(rt, "resource")
		resource, owners, s := r.resource(t), r.owned(), k.subject()
		for letter, i := range map[string]fhir.Interaction{
			"r": read(r), "s": find(r.kind),
			"c": {Code: fhir.Create, Type: fhir.ResourceType(r.kind)}, "u": {Code: fhir.Update, Type: fhir.ResourceType(r.kind), ID: r.id},
		} {
			want := k.covers(r, letter) || letter == "r" && k.isSelf(r) && !slices.Contains([]string{"Group", "AuditEvent", "Bundle"}, r.kind)
			d := access.Decide(s, i)
			if got := d.Admits(resource, owners); got != want {
				rt.Errorf("%s of %s/%s: %v, the model says %v (%q)", letter, r.kind, r.id, got, want, d.Reasons())
			}
			if want && !d.Allowed() {
				rt.Errorf("%s of %s/%s is covered, and the gate is shut", letter, r.kind, r.id)
			}
		}
		for _, other := range []string{"Observation", "Practitioner"} {
			d := access.Decide(s, find(other))
			if got, want := d.AdmitsInclude(resource, owners), d.Allowed() && k.covers(r, "rs"); got != want {
				rt.Errorf("%s/%s along with %s: %v, the model says %v", r.kind, r.id, other, got, want)
			}
			if got, want := d.Admits(resource, owners), d.Allowed() && k.covers(r, "s"); got != want {
				rt.Errorf("%s/%s joined from %s: %v, the model says %v", r.kind, r.id, other, got, want)
			}
		}
	})
}

// evaluate is search.Match written a second time.
func evaluate(e search.Expr, r thing) bool {
	switch e := e.(type) {
	case search.And:
		return !slices.ContainsFunc(e, func(p search.Expr) bool { return !evaluate(p, r) })
	case search.Or:
		return slices.ContainsFunc(e, func(p search.Expr) bool { return evaluate(p, r) })
	case search.Holds:
		return r.fulfils(e.Clause.String())
	case search.OwnedBy:
		return len(r.owners) > 0 && !slices.ContainsFunc(r.owners, func(id string) bool { return !e.Patients.Contains(id) })
	case search.Cleared:
		withheld := e.Withheld
		if e.Own != "" && slices.Equal(r.owners, []string{e.Own}) {
			withheld = e.OwnWithheld
		}
		return withheld.Len() == 0 || !r.unlooked && !slices.ContainsFunc(r.holds, withheld.Contains)
	case search.IsResource:
		return e.Reference.String() == r.kind+"/"+r.id
	}
	return false
}

// The filter that a backend gets and the check at the door say the same.
//
// spec: RSP-07, RSG-11
func TestFilterAndAdmitAgree(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		k, r := drawToken().Draw(rt, "token"), drawThing().Draw(rt, "resource")
		kind := fhir.ResourceType(r.kind)
		for _, i := range []fhir.Interaction{read(r), find(r.kind), find("Observation"), {Code: fhir.SearchSystem}, {Code: fhir.Update, Type: "Observation", ID: "a"}} {
			d := access.Decide(k.subject(), i)
			if got, want := d.Admits(r.resource(t), r.owned()), evaluate(d.View(kind), r); got != want {
				rt.Errorf("admitted %v, filter %s says %v", got, show(d.View(kind)), want)
			}
			if got, want := d.AdmitsInclude(r.resource(t), r.owned()), evaluate(d.IncludeView(kind), r); got != want {
				rt.Errorf("admitted along %v, filter %s says %v", got, show(d.IncludeView(kind)), want)
			}
		}
	})
}

// Fewer scopes, fewer patients within reach: never more to see.
//
// spec: SCOPE-14, RSG-14, RT-08
func TestLessNeverSeesMore(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		large, r := drawToken().Draw(rt, "token"), drawThing().Draw(rt, "resource")
		small := large
		list := strings.Split(large.scopes, " ")
		small.scopes = strings.Join(list[:rapid.IntRange(0, len(list)).Draw(rt, "kept")], " ")
		if len(large.reach) > 0 && rapid.Bool().Draw(rt, "narrower") {
			small.reach, small.everybody = large.reach[1:], false
		}
		if len(large.own) > 0 && rapid.Bool().Draw(rt, "narrower client") {
			small.own, small.ownAll = large.own[1:], false
		}
		if small.reads(t, r) && !large.reads(t, r) || small.finds(t, r) && !large.finds(t, r) {
			rt.Errorf("%q sees %s/%s, %q does not", small.scopes, r.kind, r.id, large.scopes)
		}
	})
}

// What two lists of scopes grant together is what each grants.
//
// spec: SCOPE-12, SCOPE-14, RSG-12, RSP-19
// attack: SC-15
func TestScopesAreAUnion(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		one, r := drawToken().Draw(rt, "token"), drawThing().Draw(rt, "resource")
		one.fhirUser = "" // openid of one list and fhirUser of the other would meet
		two, both := one, one
		two.scopes = strings.Join(drawScopes(1).Draw(rt, "more"), " ")
		both.scopes = one.scopes + " " + two.scopes
		if got, want := both.reads(t, r), one.reads(t, r) || two.reads(t, r); got != want {
			rt.Errorf("reads %v, each by itself %v", got, want)
		}
		if got, want := both.finds(t, r), one.finds(t, r) || two.finds(t, r); got != want {
			rt.Errorf("finds %v, each by itself %v", got, want)
		}
	})
}

// What is asked for and what is registered: the order of the two changes nothing
// of what is seen, and neither list is exceeded.
//
// spec: SCOPE-45
func TestIntersectionCommutes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		k, r := drawToken().Draw(rt, "token"), drawThing().Draw(rt, "resource")
		other := k
		other.scopes = strings.Join(drawScopes(1).Draw(rt, "registered"), " ")
		asked, registered := smart.NewScopeSet(strings.Split(k.scopes, " ")), smart.NewScopeSet(strings.Split(other.scopes, " "))
		one, two := k, k
		one.scopes, two.scopes = smart.Allowed(asked, registered).String(), smart.Allowed(registered, asked).String()
		if one.reads(t, r) != two.reads(t, r) || one.finds(t, r) != two.finds(t, r) {
			rt.Errorf("%q and %q see %s/%s differently", one.scopes, two.scopes, r.kind, r.id)
		}
		if one.finds(t, r) && !(k.finds(t, r) && other.finds(t, r)) || one.reads(t, r) && !(k.reads(t, r) && other.reads(t, r)) {
			rt.Errorf("%q sees %s/%s; it was made of %q and %q", one.scopes, r.kind, r.id, k.scopes, other.scopes)
		}
	})
}

func TestNobodySeesAnything(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := drawThing().Draw(rt, "resource")
		var zero access.Decision
		var nobody access.Subject
		for _, d := range []access.Decision{zero, access.Decide(nobody, read(r)), access.Decide(nobody, find(r.kind))} {
			if d.Allowed() || d.Admits(r.resource(t), r.owned()) || d.AdmitsInclude(r.resource(t), r.owned()) {
				rt.Errorf("%s/%s is seen", r.kind, r.id)
			}
		}
	})
}
