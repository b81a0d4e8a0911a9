package fhirsql_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/fhirstore/fhirsql"
	"github.com/emberlatch/emberlatch/internal/testdb"
	"github.com/emberlatch/emberlatch/smart"
)

const (
	lab   = "http://terminology.hl7.org/CodeSystem/observation-category"
	loinc = "http://loinc.org"
)

// one draws one of the choices; a nil choice stands for an absent element.
func one(t *rapid.T, choices ...any) any { return rapid.SampledFrom(choices).Draw(t, "choice") }

func to(ref string) object { return object{"reference": ref} }

func concept(system, code string) object {
	return object{"coding": []any{object{"system": system, "code": code}}}
}

// patients: three records, in every spelling, and what only looks like one.
var patients = []any{
	to("Patient/a"), to("Patient/a"), to("Patient/b"), to("Patient/c"), to(base + "/Patient/a"), to("Patient/a/_history/1"),
	to("https://other.example/fhir/Patient/a"), to("Patient/ab"), to("Group/g"), to("#a"), object{"display": "a"},
	object{"identifier": object{"value": "a"}}, object{"reference": "Patient/b", "identifier": object{"system": "urn:i", "value": "a"}}, nil,
}

// components of an observation: what one says of the pressure, another does not.
var components = []any{
	nil, nil,
	[]any{object{"code": concept("urn:x", "sys"), "valueQuantity": object{"value": json.Number("120"), "unit": "mm"}}, object{"code": concept("urn:x", "dia"), "valueQuantity": object{"value": json.Number("80"), "unit": "mm"}}},
	[]any{object{"code": concept("urn:x", "sys"), "valueQuantity": object{"value": json.Number("80"), "unit": "mm"}}, object{"code": concept("urn:x", "dia"), "valueQuantity": object{"value": json.Number("120")}}},
	[]any{object{"code": concept("", "sys"), "valueCodeableConcept": concept("urn:y", "high")}, object{"code": concept("urn:x", "dia"), "valueCodeableConcept": concept("urn:y", "low")}},
	[]any{object{"code": concept("urn:x", "dia"), "valueQuantity": object{"unit": "mm"}}, object{"valueQuantity": object{"value": json.Number("120")}}},
}

var sources = []any{object{"source": "http://a/b"}, object{"source": "http://a/bc"}, object{"source": "http://a/b/c"}, object{"source": "http://a/b/"}, object{"source": "http://a"}, nil}

var dates = []any{"2023", "2024-02", "2024-02-29", "2024-02-29T10:00:00Z", "2024-03-01T00:30:00+02:00", "2024-02-29T10:00:00.500Z", nil}

var periods = []any{object{"start": "2024-01-01"}, object{"end": "2024-03"}, object{"start": "2024-02-01", "end": "2024-02-29"}, nil}

var quantities = []any{
	object{"value": json.Number("5.4"), "system": "http://unitsofmeasure.org", "code": "mg", "unit": "mg"},
	object{"value": json.Number("5.40"), "unit": "mg"}, object{"value": json.Number("-3")}, object{"value": json.Number("5.35")},
	object{"value": json.Number("1e1"), "code": "g"}, object{"value": json.Number("0.00001")}, object{"unit": "mg", "code": "mg"}, nil,
}

var statuses = []any{"final", "amended", "active"}

// fresh makes a resource of a type with drawn elements.
var fresh = marked(map[string]func(t *rapid.T) object{
	"Patient": func(t *rapid.T) object {
		return object{"name": one(t, []any{object{"family": "Peña", "given": []any{"José"}}}, []any{object{"family": "pen"}}, nil),
			"birthDate": one(t, "1980-01-02", "1980", nil), "gender": one(t, "female", "male"),
			"link":                 one(t, []any{object{"other": to("Patient/a"), "type": "seealso"}}, nil),
			"generalPractitioner":  one(t, []any{to("Practitioner/p"), to("Organization/o")}, []any{to("Organization/o")}, nil),
			"managingOrganization": one(t, to("Organization/o"), nil)}
	},
	"Observation": func(t *rapid.T) object {
		return object{"status": one(t, statuses...), "subject": one(t, patients...), "code": concept(loinc, "1-8"),
			"category":          []any{one(t, concept(lab, "laboratory"), concept(lab, "vital-signs"), concept("urn:x", "laboratory"), concept("", "laboratory"))},
			"performer":         []any{one(t, to("Patient/a"), to("Patient/b"), to("Practitioner/p"))},
			"effectiveDateTime": one(t, dates...), "valueQuantity": one(t, quantities...),
			"component": one(t, components...), "meta": one(t, sources...),
			"encounter": one(t, to("Encounter/0"), nil), "hasMember": one(t, []any{to("Observation/1")}, nil)}
	},
	"Condition": func(t *rapid.T) object {
		return object{"subject": one(t, patients...), "asserter": one(t, to("Patient/b"), to("Practitioner/p"), nil), "onsetDateTime": one(t, dates...),
			"clinicalStatus": concept("urn:s", one(t, "active", "resolved").(string)), "encounter": one(t, to("Encounter/1"), nil)}
	},
	"Encounter": func(t *rapid.T) object {
		return object{"status": one(t, statuses...), "class": object{"system": "urn:c", "code": "AMB"}, "subject": one(t, patients...), "period": one(t, periods...)}
	},
	"DiagnosticReport": func(t *rapid.T) object {
		return object{"status": one(t, statuses...), "subject": one(t, patients...), "effectivePeriod": one(t, periods...),
			"result": []any{to("Observation/0"), one(t, to("Observation/1"), to("Observation/none"))}}
	},
	"AllergyIntolerance": func(t *rapid.T) object {
		return object{"patient": one(t, patients...), "recorder": one(t, to("Patient/c"), to("Practitioner/p"), nil), "recordedDate": one(t, dates...)}
	},
	"Coverage": func(t *rapid.T) object {
		return object{"status": one(t, statuses...), "beneficiary": one(t, patients...), "subscriber": one(t, to("Patient/b"), nil),
			"payor": []any{one(t, to("Organization/o"), to("Patient/a"))}}
	},
	"DocumentReference": func(t *rapid.T) object {
		return object{"status": one(t, statuses...), "subject": one(t, patients...), "author": one(t, []any{to("Patient/c")}, nil),
			"relatesTo": []any{object{"code": one(t, "replaces", "appends"), "target": to("DocumentReference/1")}, object{"code": "signs", "target": one(t, to("DocumentReference/2"), to("DocumentReference/1"))}},
			"content":   []any{object{"attachment": object{"url": one(t, "Binary/0", "Binary/1", "Binary/2", base+"/Binary/0")}}}}
	},
	"Binary": func(t *rapid.T) object {
		return object{"contentType": "text/plain", "securityContext": one(t, to("Patient/a"), to("Observation/0"), to("Patient/none"), to("Provenance/3"), nil, nil)}
	},
	"Provenance": func(t *rapid.T) object {
		return object{"recorded": "2024-02-29T10:00:00Z", "target": []any{one(t, to("Observation/0"), to("Patient/a"), to("Condition/none"), to("Provenance/2")),
			one(t, to("Observation/1"), to("Condition/0"), to("Practitioner/p"), to("Provenance/0"), to("Provenance/1"), to("Binary/0"), to("Group/g"), to("MedicationRequest/0"))}}
	},
	"Device": func(t *rapid.T) object { return object{"status": one(t, statuses...), "patient": one(t, patients...)} },
	"List": func(t *rapid.T) object {
		return object{"status": "current", "mode": "working", "subject": one(t, patients...), "source": one(t, to("Patient/b"), to("Practitioner/p"), nil),
			"entry": []any{object{"item": one(t, to("Observation/0"), to("Observation/2"), to("Patient/a"))}, object{"item": one(t, to("Observation/3"), to("Patient/b"), to("Organization/o"))}}}
	},
	"MedicationRequest": func(t *rapid.T) object {
		return object{"status": one(t, statuses...), "intent": "order", "subject": one(t, patients...), "medicationReference": one(t, to("Medication/m"), to("Medication/m"), to("Medication/n"), to("Medication/none"), nil)}
	},
	"Medication":   func(t *rapid.T) object { return object{"status": one(t, statuses...)} },
	"Practitioner": func(t *rapid.T) object { return object{"name": []any{object{"family": "Doe"}}} },
	"Organization": func(t *rapid.T) object { return object{"name": one(t, "Clinic", "clínica")} },
	"Group":        func(t *rapid.T) object { return object{"member": []any{object{"entity": to("Patient/a")}}} },
})

// kinds in a fixed order, and the ids of each.
var kinds = []string{"Patient", "Observation", "Condition", "Encounter", "DiagnosticReport", "AllergyIntolerance", "Coverage",
	"DocumentReference", "Binary", "Provenance", "Device", "List", "MedicationRequest", "Medication", "Practitioner", "Organization", "Group"}

func idsOf(kind string) []string {
	switch kind {
	case "Patient":
		return []string{"a", "b", "c", "ab"}
	case "Medication":
		return []string{"m", "n"}
	case "Practitioner", "Organization", "Group":
		return []string{string(kind[0] + 'a' - 'A')}
	case "Observation":
		return []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}
	}
	return []string{"0", "1", "2", "3"}
}

func (u *universe) draw(t *rapid.T) {
	for _, kind := range kinds {
		for _, id := range idsOf(kind) {
			u.things = append(u.things, made(kind, id, fresh[kind](t)))
		}
	}
	u.things = rapid.Permutation(u.things).Draw(t, "order of loading")
}

// made leaves out absent elements.
func made(kind, id string, content object) *thing {
	for name, v := range content {
		if v == nil {
			delete(content, name)
		}
	}
	content["resourceType"], content["id"] = kind, id
	return &thing{kind: kind, id: id, content: content}
}

// conditions that are asked of a type.
var conditions = map[string][][2]string{
	"": {{"_id", "0,1,a"}, {"_id", "none"}},
	"Patient": {{"name", "pen"}, {"family:exact", "Peña"}, {"given:contains", "OS"}, {"birthdate", "1980"}, {"birthdate", "lt1981"}, {"gender:not", "male"},
		{"link:missing", "true"}, {"link", "a"}},
	"Observation": {{"category", "laboratory"}, {"category", lab + "|laboratory"}, {"category", "|laboratory"}, {"category", "urn:x|"}, {"category:not", "vital-signs,none"},
		{"patient", "a"}, {"patient", "Patient/a,Patient/b"}, {"subject:Patient", "a"}, {"subject", base + "/Patient/b"}, {"subject", "Group/g"}, {"subject:missing", "true"},
		{"performer", "Patient/b"}, {"performer", "p"}, {"date", "2024-02"}, {"date", "ge2024-02-29"}, {"date", "ne2024"}, {"date", "gt2024-02-29T10:00:00Z"},
		{"date", "sa2023"}, {"date", "eb2024-03"}, {"date", "le2024-02-29T10:00:00Z"}, {"date", "lt2024-02"}, {"date:missing", "true"},
		{"value-quantity", "5.4"}, {"value-quantity", "5.40"}, {"value-quantity", "ne5.4"}, {"value-quantity", "gt5.35"}, {"value-quantity", "le-3"},
		{"value-quantity", "5.4|http://unitsofmeasure.org|mg"}, {"value-quantity", "5.4||mg"}, {"value-quantity", "ge10||g"}, {"value-quantity", "sa-4"}, {"value-quantity", "eb6||mg"}, {"value-quantity:missing", "false"},
		{"status", "final,active"}, {"status:not", "final"}, {"encounter", "0"}, {"has-member", "Observation/1"}, {"code", loinc + "|1-8"},
		{"code-value-quantity", "1-8$gt5"}, {"code-value-quantity", loinc + "|1-8$5.4|http://unitsofmeasure.org|mg"}, {"code-value-quantity", "none$5.4,1-8$le-3"},
		{"component-code-value-quantity", "sys$gt100"}, {"component-code-value-quantity", "urn:x|sys$120||mm,dia$lt100"}, {"combo-code-value-quantity", "sys$120"},
		{"combo-code-value-quantity", "1-8$gt5,dia$80||mm"}, {"component-code-value-concept", "sys$high"}, {"combo-code-value-concept", "urn:x|dia$urn:y|"}, {"component-code-value-concept", "|sys$low"},
		{"subject:identifier", "a"}, {"subject:identifier", "urn:i|a"}, {"subject:identifier", "|a,none"}, {"patient:identifier", "a"}, {"performer:identifier", "a"},
		{"_source", "http://a/b"}, {"_source:below", "http://a/b"}, {"_source:below", "http://a/"}, {"_source:above", "http://a/b/c/d"}, {"_source:above", "http://a/bc"}},
	"Condition":          {{"patient", "a"}, {"clinical-status", "active"}, {"onset-date", "2024"}, {"asserter", "Patient/b"}, {"encounter:missing", "false"}, {"subject", "Patient/c"}},
	"Encounter":          {{"class", "urn:c|AMB"}, {"date", "ge2024-02"}, {"date", "2024-02"}, {"date", "eb2024-04"}, {"patient", "b"}, {"status", "amended"}},
	"DiagnosticReport":   {{"result", "Observation/1"}, {"date", "lt2024-02"}, {"subject", "a"}},
	"AllergyIntolerance": {{"recorder", "Patient/c"}, {"date", "ge2024"}, {"patient", "Patient/a"}},
	"Coverage":           {{"subscriber", "b"}, {"payor", "Organization/o"}, {"beneficiary", "Patient/a"}},
	"DocumentReference":  {{"status", "final"}, {"patient", "a"}, {"relationship", "replaces$DocumentReference/1"}, {"relationship", "signs$1"}, {"relationship", "replaces$2"}},
	"Provenance":         {{"target", "Observation/0"}, {"recorded", "2024-02-29"}},
	"MedicationRequest":  {{"medication", "Medication/m"}, {"patient", "a"}},
	"Practitioner":       {{"name", "do"}, {"family:exact", "doe"}},
	"Organization":       {{"name:contains", "lin"}},
}

var sorts = map[string][]string{"Observation": {"date", "-date", "status", "-_id"}, "Encounter": {"date", "-date"}, "Patient": {"birthdate", "-birthdate", "gender"}}

var includes = map[string][]string{"Observation": {"Observation:subject", "Observation:has-member", "Observation:performer", "Observation:encounter"},
	"DiagnosticReport": {"DiagnosticReport:result"}, "Coverage": {"Coverage:subscriber", "Coverage:payor"}, "Patient": {"Patient:link"}, "Provenance": {"Provenance:target"}, "MedicationRequest": {"MedicationRequest:medication"}}

var revIncludes = map[string][]string{"Patient": {"Observation:performer", "Observation:patient", "Patient:link", "Coverage:payor", "Group:member", "Provenance:target"},
	"Observation": {"Provenance:target", "DiagnosticReport:result", "Observation:has-member"}, "Encounter": {"Observation:encounter", "Condition:encounter"},
	"Practitioner": {"Observation:performer"}, "Medication": {"MedicationRequest:medication"}, "MedicationRequest": {"Provenance:target"}}

func drawQuestion(t *rapid.T) question {
	q := question{Kind: rapid.SampledFrom(append([]string{"Observation", "Observation", "Patient"}, kinds...)).Draw(t, "type")}
	possible := slices.Concat(conditions[""], conditions[q.Kind], conditions[q.Kind], joined[q.Kind], joined[q.Kind])
	for range rapid.IntRange(0, 2).Draw(t, "conditions") {
		q.Where = append(q.Where, rapid.SampledFrom(possible).Draw(t, "condition"))
	}
	q.Sort = rapid.SampledFrom(append([]string{"", "_id"}, sorts[q.Kind]...)).Draw(t, "sort")
	q.Include = rapid.SampledFrom(append([]string{""}, includes[q.Kind]...)).Draw(t, "include")
	q.RevInclude = rapid.SampledFrom(append([]string{""}, revIncludes[q.Kind]...)).Draw(t, "revinclude")
	q.More = rapid.SliceOfN(rapid.SampledFrom(slices.Concat(further[""], further[q.Kind], further[q.Kind])), 0, 2).Draw(t, "further includes")
	return q
}

func (q question) parameters() url.Values {
	v := url.Values{}
	for _, w := range q.Where {
		v.Add(w[0], w[1])
	}
	for name, value := range map[string]string{"_sort": q.Sort, "_include": q.Include, "_revinclude": q.RevInclude} {
		if value != "" {
			v.Add(name, value)
		}
	}
	for _, i := range q.More {
		v.Add(i[0], i[1])
	}
	return v
}

var scopes = []string{"patient/*.rs", "patient/*.read", "patient/*.s", "patient/Patient.rs", "patient/Observation.rs?category=" + lab + "|laboratory",
	"patient/Observation.s?category=laboratory", "patient/Observation.r?date=ge2024-02&status=final", "patient/Observation.r", "patient/Condition.s", "user/*.rs",
	"user/Observation.rs", "user/Observation.s?status=final,active", "user/Patient.s", "user/Provenance.rs", "user/Binary.r", "patient/Practitioner.r",
	"patient/Coverage.write", "system/*.rs", "user/Encounter.cruds", "patient/DocumentReference.rs", "patient/DiagnosticReport.s"}

// systemScopes are those of backend services.
var systemScopes = []string{"system/*.rs", "system/*.read", "system/Observation.rs", "system/Patient.s", "system/Observation.rs?category=" + lab + "|laboratory",
	"system/Provenance.rs", "system/Practitioner.r", "system/Encounter.cruds", "system/Condition.write"}

func drawGrant(t *rapid.T) grant { return drawScoped(t).standing(t) }

func drawScoped(t *rapid.T) grant {
	if rapid.IntRange(0, 4).Draw(t, "service") == 0 {
		return grant{
			Scopes: rapid.SliceOfNDistinct(rapid.SampledFrom(systemScopes), 1, 3, rapid.ID).Draw(t, "scopes"),
			OwnAll: rapid.IntRange(0, 2).Draw(t, "all") == 0, Own: rapid.SampledFrom([][]string{{"a"}, {"a", "b"}, {"b", "c"}, {}}).Draw(t, "own"),
		}
	}
	return grant{
		Scopes:  rapid.SliceOfNDistinct(rapid.SampledFrom(scopes), 1, 4, rapid.ID).Draw(t, "scopes"),
		Patient: rapid.SampledFrom([]string{"a", "a", "b", ""}).Draw(t, "patient"), HasUser: rapid.IntRange(0, 4).Draw(t, "user") > 0,
		Reach:     rapid.SampledFrom([][]string{{"a"}, {"a", "b"}, {"b", "c"}, {"a", "b", "c", "ab"}, {}}).Draw(t, "reach"),
		Everybody: rapid.IntRange(0, 5).Draw(t, "everybody") == 0,
	}
}

func (g grant) subject() access.Subject {
	f := access.Facts{ClientID: g.App, GrantID: "g", HasUser: g.HasUser, Reach: search.NewIDSet(g.Reach...), Everybody: g.Everybody, AgeLeads: g.AgeLeads,
		Own: access.Own{All: g.OwnAll, Patients: search.NewIDSet(g.Own...)}, Patient: g.Patient, Scopes: smart.NewScopeSet(g.Scopes), Base: base}
	f.FHIRUser, _ = fhir.ParseReference(g.FHIRUser, "")
	if g.Careful {
		f.Sensitive = categories.Policy()
	}
	return access.NewSubject(f)
}

// world gives an empty database for every drawn universe; the next one takes it away.
type world func(t *rapid.T) (d *db.DB, done func())

// worlds are the databases that universes are drawn in.
var worlds = map[string]func(t *testing.T) world{
	"sqlite": func(t *testing.T) world {
		dir, n := t.TempDir(), 0
		return func(rt *rapid.T) (*db.DB, func()) {
			n++
			d, err := db.Open(context.Background(), db.Config{URL: testdb.SQLiteAt(t, filepath.Join(dir, fmt.Sprint(n)))})
			if err != nil {
				rt.Fatal(err)
			}
			return d, func() { _ = d.Close() }
		}
	},
	"postgres": func(t *testing.T) world {
		ctx := context.Background()
		d, err := db.Open(ctx, db.Config{URL: testdb.PostgreSQL(t)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = d.Close() })
		return func(*rapid.T) (*db.DB, func()) {
			testdb.DeleteRecords(t, d)
			return d, func() {}
		}
	},
}

// inEachWorld runs a law in both, on PostgreSQL in half as many universes: what differs
// there is the words of statements.
func inEachWorld(t *testing.T, law func(t *testing.T, open func(t *testing.T) world)) {
	for name, open := range worlds {
		t.Run(name, func(t *testing.T) {
			if name == "postgres" {
				halve(t, "rapid.checks")
			}
			law(t, open)
		})
	}
}

// halve halves a number among the flags until the test ends.
func halve(t *testing.T, name string) {
	t.Helper()
	whole := flag.Lookup(name).Value.String()
	n, err := strconv.Atoi(whole)
	if err == nil {
		err = flag.Set(name, strconv.Itoa(max(n/2, 1)))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = flag.Set(name, whole) }) // it was that before
}

func (w world) load(t *rapid.T, u *universe) (*fhirsql.Store, func()) {
	d, done := w(t)
	s, err := fhirsql.New(fhirsql.Deps{DB: d, Base: base, Sensitive: categories, Now: func() time.Time { return time.Unix(1e9, 0) }})
	if err == nil {
		err = s.Classify(context.Background(), nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	texts := make([]string, len(u.things))
	for i, r := range u.things {
		b, err := json.Marshal(r.content)
		if err != nil {
			t.Fatal(err)
		}
		texts[i] = string(b)
	}
	// In two loads, so that targets and attachers come later than what derives from them.
	for _, part := range [][]string{texts[:len(texts)/2], texts[len(texts)/2:]} {
		if report, err := s.Load(context.Background(), of(part...), nil); err != nil || len(report.Failures) > 0 {
			t.Fatal(err, report.Failures)
		}
	}
	return s, done
}

// page asks the store; the count is the size of a page.
func page(t *rapid.T, s *fhirsql.Store, g grant, q question, count, cursor string) (fhirstore.Page, bool) {
	kind := fhir.ResourceType(q.Kind)
	parameters := q.parameters()
	parameters.Set("_count", count)
	parameters.Set("_total", "accurate")
	parsed, err := search.Parse(kind, parameters, base)
	if err != nil {
		t.Fatal(q, err)
	}
	parsed.Cursor = cursor
	d := access.Decide(g.subject(), fhir.Interaction{Code: fhir.SearchType, Type: kind})
	p, err := s.Search(context.Background(), d, parsed)
	if err != nil {
		t.Fatal(q, err)
	}
	return p, d.Allowed()
}

func refs(records []fhirstore.Record) []string {
	var all []string
	for _, r := range records {
		all = append(all, r.Resource.Reference().String())
	}
	return all
}

// searches compares all pages, totals and includes with the oracle's.
func searches(t *rapid.T, s *fhirsql.Store, u *universe, g grant, q question) {
	want := u.answer(g, q)
	cursor := ""
	for {
		p, allowed := page(t, s, g, q, "3", cursor)
		if !allowed && len(want) > 0 || p.Total != len(u.answer(g, q)) {
			t.Fatalf("%+v %+v: allowed %v, total %d, want %d", g, q, allowed, p.Total, len(u.answer(g, q)))
		}
		here := want[:min(3, len(want))]
		want = want[len(here):]
		var names []string
		for _, r := range here {
			names = append(names, r.ref())
		}
		if diff := cmp.Diff(names, refs(p.Matches)); diff != "" {
			t.Fatalf("%+v %+v: matches (-oracle +store):\n%s", g, q, diff)
		}
		if diff := cmp.Diff(u.included(g, q, here), refs(p.Includes)); diff != "" {
			t.Fatalf("%+v %+v: includes (-oracle +store):\n%s", g, q, diff)
		}
		if cursor = p.Next; cursor == "" {
			break
		}
	}
	if len(want) > 0 {
		t.Fatalf("%+v %+v: %d matches are on no page", g, q, len(want))
	}
}

// reading compares one read with the oracle.
func reading(t *rapid.T, s *fhirsql.Store, u *universe, g grant, r *thing) {
	ref := fhir.Reference{Type: fhir.ResourceType(r.kind), ID: r.id}
	d := access.Decide(g.subject(), fhir.Interaction{Code: fhir.Read, Type: ref.Type, ID: ref.ID})
	_, err := s.Read(context.Background(), d, ref)
	if want := u.sees(g, r, "r"); (err == nil) != want || err != nil && !errors.Is(err, fhirstore.ErrNotFound) {
		t.Fatalf("%+v reads %s: %v, want %v", g, ref, err, want)
	}
}

// More than ten thousand random universes, grants and questions: the store and
// the policy answer what the oracle answers.
//
// spec: RSP-01, RSP-02, RSP-03, RSP-06, RSG-01, RSG-03, RSG-08, RSX-14, RSX-15, SCOPE-34, SCOPE-35
// attack: B.3, B.20, B.21, B.22, B.27, B.42, B.43, B.44, B.45, B.46, B.47, B.48
func TestStoreAgreesWithTheOracle(t *testing.T) {
	inEachWorld(t, func(t *testing.T, open func(t *testing.T) world) { agrees(t, open(t)) })
}

func agrees(t *testing.T, w world) {
	defs, cases := readDefinitions(t), 0
	defer func() { t.Logf("cases: %d", cases) }()
	rapid.Check(t, func(t *rapid.T) {
		u := &universe{defs: defs}
		u.draw(t)
		s, done := w.load(t, u)
		defer done()
		for range 15 {
			g := drawGrant(t)
			for range 7 {
				searches(t, s, u, g, drawQuestion(t))
				cases++
			}
			cases++
			reading(t, s, u, g, rapid.SampledFrom(u.things).Draw(t, "read"))
		}
	})
}

// bytesOf is everything that an answer says.
func bytesOf(p fhirstore.Page) []byte {
	var b bytes.Buffer
	for _, r := range slices.Concat(p.Matches, p.Includes) {
		fmt.Fprintf(&b, "%s %d %v %v\n", r.Resource.JSON(), r.Version, r.UpdatedAt, r.Owners)
	}
	fmt.Fprintf(&b, "%d %v %s", p.Total, p.HasTotal, p.Next)
	return b.Bytes()
}

// without is the universe with everything of a stranger changed or gone and more
// of it added. What others derive their owners from stays as it is.
func (u *universe) without(t *rapid.T, stranger string) *universe {
	other := &universe{defs: u.defs}
	for _, r := range u.things {
		strange := aboutElement[r.kind] != "" && slices.Equal(u.owners(r), []string{stranger}) &&
			r.kind != "DocumentReference" && !slices.Contains([]string{"Observation/0", "Observation/1", "Condition/0", "MedicationRequest/0"}, r.ref())
		switch {
		case !strange:
			other.things = append(other.things, r)
		case rapid.Bool().Draw(t, "changed, not removed"):
			content := fresh[r.kind](t)
			content[aboutElement[r.kind]] = to("Patient/" + stranger)
			other.things = append(other.things, made(r.kind, r.id, content))
		}
	}
	for i, kind := range []string{"Observation", "Condition", "Encounter", "DiagnosticReport", "Coverage"} {
		content := fresh[kind](t)
		content[aboutElement[kind]] = to("Patient/" + stranger)
		other.things = append(other.things, made(kind, fmt.Sprint("00", i), content))
	}
	other.things = rapid.Permutation(other.things).Draw(t, "another order of loading")
	return other
}

// Changing, adding and removing what lies outside of the view changes no byte of
// any answer.
//
// attack: B.12, B.38, B.45, B.46, B.47, B.48
func TestWhatIsHiddenChangesNoByte(t *testing.T) {
	inEachWorld(t, func(t *testing.T, open func(t *testing.T) world) { doesNotInterfere(t, open(t), open(t)) })
}

func doesNotInterfere(t *testing.T, w, v world) {
	defs, cases := readDefinitions(t), 0
	defer func() { t.Logf("cases: %d", cases) }()
	rapid.Check(t, func(t *rapid.T) {
		u := &universe{defs: defs}
		u.draw(t)
		other := u.without(t, "c")
		one, closeOne := w.load(t, u)
		defer closeOne()
		two, closeTwo := v.load(t, other)
		defer closeTwo()
		for range 10 {
			g, q := drawGrant(t), drawQuestion(t)
			isStranger := func(p string) bool { return p == "c" }
			g.Reach, g.Own, g.OwnAll = slices.DeleteFunc(slices.Clone(g.Reach), isStranger), slices.DeleteFunc(slices.Clone(g.Own), isStranger), false
			g.Everybody = false
			x, _ := page(t, one, g, q, "4", "")
			y, _ := page(t, two, g, q, "4", "")
			if diff := cmp.Diff(string(bytesOf(x)), string(bytesOf(y))); diff != "" {
				t.Fatalf("%+v %+v: the answer tells of hidden data:\n%s", g, q, diff)
			}
			cases++
		}
	})
}
