package fhirsql_test

import (
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The oracle answers questions about a small universe by walking plain JSON. It
// shares nothing with what it judges: it reads the official SearchParameter
// texts and interprets them, and has its own idea of owners, scopes and views.

type object = map[string]any

// thing is one resource of a universe.
type thing struct {
	kind, id string
	content  object
	was      []object // what an app has changed it from
	gone     bool     // an app has deleted it
}

func (r *thing) ref() string { return r.kind + "/" + r.id }

func (r *thing) json(t testing.TB) string {
	b, err := json.Marshal(r.content)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// definitions are the official search parameters: type → code → what it says.
type definitions map[string]map[string]definition

type definition struct {
	kind  string
	paths []string
	// places and parts of a composite.
	places, parts []string
}

// readDefinitions reads the official texts.
func readDefinitions(t testing.TB) definitions {
	t.Helper()
	f, err := os.Open(filepath.Join(dataDir(t), "definitions/r4/search-parameters.json.gz"))
	if err != nil {
		t.Skip("the official definitions are not here; set EMBERLATCH_DATA")
	}
	defer f.Close()
	gz, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var bundle struct {
		Entry []struct {
			Resource struct {
				Code, Type, Expression string
				Base                   []string
				Component              []struct{ Expression string }
			}
		}
	}
	if err := json.NewDecoder(gz).Decode(&bundle); err != nil {
		t.Fatal(err)
	}
	all := definitions{}
	for _, e := range bundle.Entry {
		p := e.Resource
		for _, b := range p.Base {
			d := definition{kind: p.Type}
			for _, path := range strings.Split(p.Expression, " | ") {
				if strings.HasPrefix(path, b+".") || strings.HasPrefix(path, "("+b+".") {
					d.paths = append(d.paths, path)
				}
			}
			for _, c := range p.Component {
				d.places = strings.Split(p.Expression, " | ")
				d.parts = append(d.parts, c.Expression)
			}
			if all[b] == nil {
				all[b] = map[string]definition{}
			}
			all[b][p.Code] = d
		}
	}
	return all
}

// choiceTypes are the types that [x] elements take in the universe.
var choiceTypes = []string{"DateTime", "Period", "Quantity", "CodeableConcept", "String", "Reference"}

// values interprets one parameter on one resource.
func (d definitions) values(r *thing, code string) []any {
	var out []any
	for _, path := range d[r.kind][code].paths {
		out = append(out, interpret(path, r.content)...)
	}
	return out
}

func interpret(path string, root object) []any {
	as := ""
	if inner, ok := strings.CutPrefix(path, "("); ok {
		path, as, _ = strings.Cut(strings.TrimSuffix(inner, ")"), " as ")
	}
	onlyPatients := false
	path, onlyPatients = strings.CutSuffix(path, ".where(resolve() is Patient)")
	if head, rest, ok := strings.Cut(path, ".as("); ok {
		path, as = head, strings.TrimSuffix(rest, ")")
	}
	at := []any{root}
	steps := strings.Split(path, ".")[1:]
	for i, name := range steps {
		kind := ""
		if i == len(steps)-1 {
			kind = as
		}
		var next []any
		for _, v := range at {
			next = append(next, step(v, name, kind)...)
		}
		at = next
	}
	if !onlyPatients {
		return at
	}
	return slices.DeleteFunc(at, func(v any) bool { return !toPatient.MatchString(referenceText(v)) })
}

// toPatient is what a reference to a patient looks like, here or on another server:
// nothing is fetched to find out (part D of the design of access).
var toPatient = regexp.MustCompile(`(^|/)Patient/[^/]+(/_history/[^/]+)?$`)

func step(v any, name, kind string) []any {
	o, _ := v.(object)
	found, ok := o[name]
	for _, c := range choiceTypes {
		if !ok && (kind == "" || strings.EqualFold(kind, c)) {
			found, ok = o[name+c]
		}
	}
	if list, many := found.([]any); many {
		return list
	}
	if !ok {
		return nil
	}
	return []any{found}
}

func referenceText(v any) string {
	o, _ := v.(object)
	s, _ := o["reference"].(string)
	return s
}

// local splits a local literal reference.
func local(s string) (kind, id string, ok bool) {
	parts := strings.Split(strings.TrimPrefix(s, base+"/"), "/")
	if len(parts) != 2 && (len(parts) != 4 || parts[2] != "_history") {
		return "", "", false
	}
	return parts[0], parts[1], true
}

// universe is everything there is.
type universe struct {
	defs   definitions
	things []*thing
}

func (u *universe) find(ref string) *thing {
	for _, r := range u.things {
		if r.ref() == ref {
			return r
		}
	}
	return nil
}

// aboutElement says whom a type is about, memberElements who else takes part
// (part C.1 of the design).
var aboutElement = map[string]string{
	"Observation": "subject", "Condition": "subject", "Encounter": "subject", "DiagnosticReport": "subject",
	"DocumentReference": "subject", "AllergyIntolerance": "patient", "Coverage": "beneficiary", "Device": "patient", "List": "subject", "MedicationRequest": "subject",
}

var memberElements = map[string][]string{
	"Observation": {"performer"}, "Condition": {"asserter"}, "DocumentReference": {"author"},
	"AllergyIntolerance": {"recorder", "asserter"}, "Coverage": {"policyHolder", "subscriber", "payor"}, "List": {"source"},
}

var sharedKinds = []string{"Practitioner", "Organization", "Medication"}

// owners are the patients who must all be granted; none: nobody sees it. Each
// part of what a resource derives from must be about somebody, by itself or over
// further steps.
func (u *universe) owners(r *thing) []string {
	var all []string
	for _, part := range append(u.allSources(r), r) {
		somebody := own(part)
		for _, source := range u.allSources(part) {
			somebody = append(somebody, own(source)...)
		}
		if len(somebody) == 0 {
			return nil
		}
		all = append(all, own(part)...)
	}
	return all
}

// allSources are the sources over any number of steps.
func (u *universe) allSources(r *thing) []*thing {
	var all []*thing
	for next := u.sources(r); len(next) > 0; next = next[1:] {
		if !slices.Contains(all, next[0]) {
			all = append(all, next[0])
			next = append(next, u.sources(next[0])...)
		}
	}
	return all
}

// sources are what a Provenance or a Binary derives its owners from, without the
// shared kinds, which are about nobody.
func (u *universe) sources(r *thing) []*thing {
	return slices.DeleteFunc(u.rawSources(r), func(s *thing) bool { return slices.Contains(sharedKinds, s.kind) })
}

// rawSources are the same with the shared kinds.
func (u *universe) rawSources(r *thing) (all []*thing) {
	switch context, secured := r.content["securityContext"]; {
	case r.kind == "Provenance":
		all = u.targets(step(r.content, "target", ""))
	case r.kind == "Binary" && secured:
		all = u.targets([]any{context})
	case r.kind == "Binary":
		for _, other := range u.things {
			if slices.ContainsFunc(append(other.was, other.content), func(c object) bool { return attaches(c, r.id) }) {
				all = append(all, other)
			}
		}
	}
	return all
}

func attaches(content object, binary string) bool {
	for _, c := range step(content, "content", "") {
		for _, a := range step(c, "attachment", "") {
			if k, id, ok := local(a.(object)["url"].(string)); ok && k == "Binary" && id == binary {
				return true
			}
		}
	}
	return false
}

// own are the patients that a resource names itself.
func own(r *thing) []string {
	if r.kind == "Patient" {
		return []string{r.id}
	}
	about := step(r.content, aboutElement[r.kind], "")
	if len(about) > 0 {
		return patientsIn(about)
	}
	var all []string
	for _, name := range memberElements[r.kind] {
		all = append(all, patientsIn(step(r.content, name, ""))...)
	}
	return all
}

func patientsIn(references []any) []string {
	var ids []string
	for _, v := range references {
		if k, id, ok := local(referenceText(v)); ok && k == "Patient" {
			ids = append(ids, id)
		}
	}
	return ids
}

// targets are those of the references that are here.
func (u *universe) targets(references []any) []*thing {
	var all []*thing
	for _, v := range references {
		if k, id, ok := local(referenceText(v)); ok {
			if target := u.find(k + "/" + id); target != nil {
				all = append(all, target)
			}
		}
	}
	return all
}

// grant is what a token says.
type grant struct {
	Scopes    []string
	Patient   string
	HasUser   bool
	Reach     []string
	Everybody bool     // the user reaches all
	AgeLeads  bool     // no app changes a birth date
	OwnAll    bool     // what the client reaches by itself
	Own       []string // as well
	// App asks, and FHIRUser stands behind it, from whom something is withheld.
	App, FHIRUser string
	Careful       bool
}

// sees: some scope with one of the letters covers the resource.
func (u *universe) sees(g grant, r *thing, letters string) bool {
	shared := slices.Contains(sharedKinds, r.kind)
	_, known := aboutElement[r.kind]
	if !shared && !known && r.kind != "Patient" && r.kind != "Provenance" && r.kind != "Binary" {
		return false
	}
	return slices.ContainsFunc(g.Scopes, func(scope string) bool {
		level, rest, _ := strings.Cut(scope, "/")
		head, query, _ := strings.Cut(rest, "?")
		kind, permissions, _ := strings.Cut(head, ".")
		if whole, ok := map[string]string{"read": "rs", "*": "cruds", "write": "cud"}[permissions]; ok {
			permissions = whole
		}
		if kind != "*" && kind != r.kind || !strings.ContainsAny(permissions, letters) {
			return false
		}
		for _, pair := range strings.Split(query, "&") {
			name, value, constrained := strings.Cut(pair, "=")
			if constrained && !u.holds(r, name, value) {
				return false
			}
		}
		return g.ground(level, shared, u.owners(r)) && u.cleared(g, r)
	})
}

func (g grant) ground(level string, shared bool, owners []string) bool {
	var may []string
	switch {
	case level == "patient" && g.Patient != "":
		if !g.HasUser || g.Everybody || slices.Contains(g.Reach, g.Patient) {
			may = []string{g.Patient}
		}
	case level == "user" && g.HasUser:
		if g.Everybody {
			return true
		}
		may = g.Reach
	case level == "system" && !g.HasUser && g.Patient == "" && (g.OwnAll || len(g.Own) > 0):
		if g.OwnAll {
			return true
		}
		may = g.Own
	default:
		return false
	}
	if shared {
		return true
	}
	return len(owners) > 0 && !slices.ContainsFunc(owners, func(o string) bool { return !slices.Contains(may, o) })
}
