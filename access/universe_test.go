package access_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/smart"
)

const base = "http://localhost/fhir"

const (
	observationCategory = "http://terminology.hl7.org/CodeSystem/observation-category"
	labs                = observationCategory + "|laboratory"
	vitals              = observationCategory + "|vital-signs"
)

// coding is system and code.
type coding [2]string

// thing is a resource as far as access looks at it.
type thing struct {
	kind, id string
	owners   []string
	category []coding
	tag      []coding
	// holds are categories of sensitive content; unlooked: nobody has looked for them.
	holds    []string
	unlooked bool
}

func (r thing) owned() search.Owners {
	o := search.Owners{Required: r.owners}
	if !r.unlooked {
		o.Sensitivity = search.Classified(r.holds...)
	}
	return o
}

// holding is the same with categories of sensitive content.
func (r thing) holding(categories ...string) thing {
	r.holds = categories
	return r
}

// readers of the categories of every test: hiv is read by patients about themselves in
// every app, and by practitioners in the app ehr; abuse by those who stand for patients and
// by services, in app; secret by nobody.
var readers = map[string][]access.Reader{
	"hiv":    {{Audience: access.AudiencePatient, Apps: []string{"*"}}, {Audience: access.AudiencePractitioner, Apps: []string{"ehr"}}},
	"abuse":  {{Audience: access.AudienceRepresentative, Apps: []string{"other", "app"}}, {Audience: access.AudienceService, Apps: []string{"app"}}},
	"secret": nil,
}

func (r thing) resource(t testing.TB) fhir.Resource {
	t.Helper()
	content := map[string]any{"resourceType": r.kind, "id": r.id}
	if len(r.category) > 0 {
		var concepts []any
		for _, c := range r.category {
			concepts = append(concepts, map[string]any{"coding": []any{codingJSON(c)}})
		}
		content["category"] = concepts
	}
	if len(r.tag) > 0 {
		var tags []any
		for _, c := range r.tag {
			tags = append(tags, codingJSON(c))
		}
		content["meta"] = map[string]any{"tag": tags}
	}
	b, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := fhir.ParseResource(b)
	if err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return parsed
}

func codingJSON(c coding) map[string]any {
	m := map[string]any{"code": c[1]}
	if c[0] != "" {
		m["system"] = c[0]
	}
	return m
}

// about makes a resource about patients.
func about(kind, id string, owners ...string) thing { return thing{kind: kind, id: id, owners: owners} }

// observation makes one of a patient with categories.
func observation(id, owner string, category ...coding) thing {
	return thing{kind: "Observation", id: id, owners: []string{owner}, category: category}
}

// token is what a caller comes with.
type token struct {
	scopes    string
	patient   string
	user      bool
	reach     []string
	everybody bool // the user reaches all
	ageLeads  bool
	fhirUser  string
	// ownAll and own: what the client reaches by itself.
	ownAll bool
	own    []string
	// careful: something is withheld, and app asks; empty: "app" does. page: a page of the
	// server asks.
	careful bool
	app     string
	page    bool
}

func (k token) subject() access.Subject {
	own, _ := fhir.ParseReference(k.fhirUser, "")
	f := access.Facts{
		ClientID: "app", GrantID: "grant", Scopes: smart.NewScopeSet(strings.Split(k.scopes, " ")), Patient: k.patient,
		HasUser: k.user, Reach: search.NewIDSet(k.reach...), Everybody: k.everybody, AgeLeads: k.ageLeads, FHIRUser: own, Base: base,
		Own: access.Own{All: k.ownAll, Patients: search.NewIDSet(k.own...)},
	}
	if k.user {
		f.UserID = "user"
	}
	if k.careful {
		f.Sensitive = access.NewSensitive(readers)
	}
	if k.app != "" {
		f.ClientID = k.app
	}
	f.OwnPage = k.page
	return access.NewSubject(f)
}

// ofPatient is the token of a patient app for one patient, who is the user.
func ofPatient(patient, scopes string) token {
	return token{scopes: scopes, patient: patient, user: true, reach: []string{patient}}
}

// ofService is the token of a client that acts for itself and reaches patients.
func ofService(scopes string, own ...string) token { return token{scopes: scopes, own: own} }

// ofClinician is the token of somebody who reaches patients, with none in context.
func ofClinician(scopes string, reach ...string) token {
	return token{scopes: scopes, user: true, reach: reach, fhirUser: "Practitioner/p"}
}

func (k token) reads(t testing.TB, r thing) bool {
	t.Helper()
	return access.Decide(k.subject(), read(r)).Admits(r.resource(t), r.owned())
}

func (k token) finds(t testing.TB, r thing) bool {
	t.Helper()
	return access.Decide(k.subject(), find(r.kind)).Admits(r.resource(t), r.owned())
}

func read(r thing) fhir.Interaction {
	return fhir.Interaction{Code: fhir.Read, Type: fhir.ResourceType(r.kind), ID: r.id}
}

func find(kind string) fhir.Interaction {
	return fhir.Interaction{Code: fhir.SearchType, Type: fhir.ResourceType(kind)}
}

// What follows is the model written a second time, from its definitions and with
// nothing of the code that it judges: texts are taken apart by hand.

var clinical = regexp.MustCompile(`^(patient|user|system)/(\*|[A-Za-z]+)\.(read|write|\*|c?r?u?d?s?)(\?(.+))?$`)

var sharedKinds = []string{"Practitioner", "Organization", "Location"}

var recordKinds = []string{"Patient", "Observation", "Condition", "RelatedPerson", "Provenance", "Binary", "Device", "Task"}

// lettersOf spells a word of version 1 out.
func lettersOf(word string) string {
	switch word {
	case "read":
		return "rs"
	case "write":
		return "cud"
	case "*":
		return "cruds"
	}
	return word
}

// grounds: whom a level reaches of a kind.
func (k token) grounds(level string, r thing, letter byte) bool {
	if !writable(level, r.kind, letter) {
		return false
	}
	if level == "system" {
		return k.groundsOfService(r, letter)
	}
	if slices.Contains(sharedKinds, r.kind) {
		return (letter == 'r' || letter == 's') && (level == "patient" && k.patient != "" || level == "user" && k.user)
	}
	if !slices.Contains(recordKinds, r.kind) {
		return false
	}
	if level == "user" && k.user && k.everybody {
		return true
	}
	if len(r.owners) == 0 {
		return false
	}
	for _, owner := range r.owners {
		if k.user && !k.everybody && !slices.Contains(k.reach, owner) {
			return false
		}
		if level == "patient" && owner != k.patient {
			return false
		}
	}
	return level == "patient" || level == "user" && k.user
}

// writable: who reaches whom is not an app's to say.
func writable(level, kind string, letter byte) bool {
	switch {
	case letter == 'r' || letter == 's':
		return true
	case kind == "RelatedPerson":
		return false
	case kind == "Patient":
		return letter == 'u' || letter == 'c' && level == "system"
	}
	return true
}

// groundsOfService: nobody stands behind it.
func (k token) groundsOfService(r thing, letter byte) bool {
	record := slices.Contains(recordKinds, r.kind)
	if k.user || k.patient != "" || !k.ownAll && len(k.own) == 0 || !record && !slices.Contains(sharedKinds, r.kind) {
		return false
	}
	if letter != 'r' && letter != 's' && (!record || r.kind == "Patient" && letter == 'c' && !k.ownAll) {
		return false
	}
	if k.ownAll || !record {
		return true
	}
	return len(r.owners) > 0 && !slices.ContainsFunc(r.owners, func(id string) bool { return !slices.Contains(k.own, id) })
}

// fulfils: token semantics on category and _tag.
func (r thing) fulfils(query string) bool {
	if query == "" {
		return true
	}
	for _, pair := range strings.Split(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		has := r.category
		if name == "_tag" {
			has = r.tag
		}
		if !slices.ContainsFunc(strings.Split(value, ","), func(wanted string) bool {
			system, code, exact := strings.Cut(wanted, "|")
			if !exact {
				system, code = "", wanted
			}
			return slices.ContainsFunc(has, func(c coding) bool {
				return (!exact || c[0] == system) && (exact && code == "" || c[1] == code)
			})
		}) {
			return false
		}
	}
	return true
}

// cleared: whoever stands behind the token reads all that the resource holds.
func (k token) cleared(r thing) bool {
	if !k.careful {
		return true
	}
	who, own := "", false
	switch kind, id, _ := strings.Cut(k.fhirUser, "/"); {
	case !k.user && k.patient == "":
		who = "service"
	case !k.user:
	case kind == "Practitioner":
		who = "practitioner"
	case kind == "Patient" || kind == "RelatedPerson":
		who, own = "representative", kind == "Patient" && slices.Equal(r.owners, []string{id})
	}
	app := k.app == "" || k.app == "app"
	if r.unlooked || slices.Contains(r.holds, "secret") {
		return false
	}
	return (!slices.Contains(r.holds, "hiv") || own || who == "practitioner" && !app) &&
		(!slices.Contains(r.holds, "abuse") || app && !own && (who == "representative" || who == "service"))
}

// covers is C.1 of the design for any of some letters.
func (k token) covers(r thing, letters string) bool {
	return k.cleared(r) && slices.ContainsFunc(strings.Split(k.scopes, " "), func(text string) bool {
		m := clinical.FindStringSubmatch(text)
		if m == nil || m[2] != "*" && m[2] != r.kind || !r.fulfils(m[5]) {
			return false
		}
		for i := range letters {
			if strings.Contains(lettersOf(m[3]), letters[i:i+1]) && k.grounds(m[1], r, letters[i]) {
				return true
			}
		}
		return false
	})
}

// isSelf is the rule of OIDC-15.
func (k token) isSelf(r thing) bool {
	has := func(name string) bool { return slices.Contains(strings.Split(k.scopes, " "), name) }
	return k.cleared(r) && k.user && has("openid") && (has("fhirUser") || has("profile")) && k.fhirUser == r.kind+"/"+r.id
}
