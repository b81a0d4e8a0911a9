package reach_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/fhirstore/fhirsql"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/sensitive"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/testdb"
)

const base = "https://ehr.example.org/fhir"

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// counting is a backend that counts what it is asked, and can be down.
type counting struct {
	*fhirsql.Store
	calls int
	err   error
	// answered is called with what was found, before it is returned.
	answered func(search.Query)
}

func (b *counting) Search(ctx context.Context, d access.Decision, q search.Query) (fhirstore.Page, error) {
	b.calls++
	if b.err != nil {
		return fhirstore.Page{}, b.err
	}
	page, err := b.Store.Search(ctx, d, q)
	if b.answered != nil {
		b.answered(q)
	}
	return page, err
}

func (b *counting) Read(ctx context.Context, d access.Decision, ref fhir.Reference) (fhirstore.Record, error) {
	b.calls++
	if b.err != nil {
		return fhirstore.Record{}, b.err
	}
	return b.Store.Read(ctx, d, ref)
}

// clinic is a resolver with its store and its clock.
type clinic struct {
	*reach.Resolver
	backend *counting
	db      *db.DB
	now     time.Time

	categories *sensitive.Categories
}

func open(t testing.TB, resources ...string) *clinic {
	t.Helper()
	return openWith(t, fhirstore.TieRules{}, nil, resources...)
}

// openBy is the same with more rules of who leads to whom.
func openBy(t testing.TB, rules fhirstore.TieRules, resources ...string) *clinic {
	t.Helper()
	return openWith(t, rules, nil, resources...)
}

// openClassified is the same with categories of sensitive content.
func openClassified(t testing.TB, categories *sensitive.Categories, resources ...string) *clinic {
	t.Helper()
	return openWith(t, fhirstore.TieRules{}, categories, resources...)
}

func openWith(t testing.TB, rules fhirstore.TieRules, categories *sensitive.Categories, resources ...string) *clinic {
	t.Helper()
	ctx := context.Background()
	d, err := db.Open(ctx, db.Config{URL: testdb.SQLite(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	c := (&clinic{db: d, now: noon, categories: categories}).by(t, rules)
	c.load(t, resources...)
	return c
}

// by is the same database, with other rules.
func (c *clinic) by(t testing.TB, rules fhirstore.TieRules) *clinic {
	t.Helper()
	s, err := fhirsql.New(fhirsql.Deps{DB: c.db, Base: base, Now: time.Now, Ties: rules, Sensitive: c.categories})
	if err == nil {
		err = s.Classify(context.Background(), nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	next := &clinic{backend: &counting{Store: s}, db: c.db, now: c.now, categories: c.categories}
	next.Resolver, err = reach.New(reach.Deps{
		Backend: next.backend, Now: func() time.Time { return next.now }, Base: base, Ties: rules, Sensitive: c.categories.Policy(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func (c *clinic) load(t testing.TB, resources ...string) {
	t.Helper()
	report, err := c.backend.Load(context.Background(), of(resources), nil)
	if err != nil || len(report.Failures) > 0 {
		t.Fatal(err, report.Failures)
	}
}

func of(resources []string) iter.Seq[fhirstore.Incoming] {
	return func(yield func(fhirstore.Incoming) bool) {
		for _, r := range resources {
			if !yield(fhirstore.Incoming{JSON: []byte(r), Origin: "test"}) {
				return
			}
		}
	}
}

func (c *clinic) reaches(t testing.TB, u store.User) []string {
	t.Helper()
	changing := c.backend.answered != nil // in the middle of the search
	set, err := c.Reach(context.Background(), u)
	if err != nil {
		t.Fatal(err)
	}
	ids := slices.Clone(set.Patients().List())
	slices.Sort(ids)
	if set.IsEverybody() {
		ids = append(ids, "*")
	}
	if u.Role == store.RolePractitioner && !u.Disabled && !changing {
		if said := c.said(t, u); !slices.Equal(said, ids) {
			t.Errorf("a statement says that %s reaches %v, a search %v", u.FHIRUser, said, ids)
		}
	}
	return ids
}

// said is whom the condition of a statement says that a practitioner reaches; * is
// everybody, and nobody is named beside.
func (c *clinic) said(t testing.TB, u store.User) []string {
	t.Helper()
	rows, err := c.db.Query(context.Background(), `SELECT DISTINCT substr(p.leads_to, 9) AS id FROM fhir_tie p
WHERE p.leads_to LIKE 'Patient/%' AND `+c.backend.Reaches("$1", "substr(p.leads_to, 9)", "$2")+` ORDER BY id`, u.FHIRUser, c.now.UnixMilli())
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	ids := []string{}
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		if id == "*" { // comes first
			return []string{"*"}
		}
		ids = append(ids, id)
	}
	return ids
}

func doctor() store.User {
	return store.User{ID: "doctor", Role: store.RolePractitioner, FHIRUser: "Practitioner/p1"}
}

func patient(id, more string) string {
	return `{"resourceType":"Patient","id":"` + id + `"` + more + `}`
}

func team(id, status, subject, participant, more string) string {
	return `{"resourceType":"CareTeam","id":"` + id + `","status":"` + status + `","subject":{"reference":"` + subject + `"},"participant":[` + participant + `]` + more + `}`
}

func member(ref, more string) string { return `{"member":{"reference":"` + ref + `"}` + more + `}` }

const (
	role   = `{"resourceType":"PractitionerRole","id":"r1","active":true,"practitioner":{"reference":"Practitioner/p1"}}`
	past   = `,"period":{"start":"2020-01-01","end":"2021-06"}`
	future = `,"period":{"start":"2026-11-26"}`
	now    = `,"period":{"start":"2026-11-25T11:59:00Z","end":"2026-11-25"}`
)

// Each source, with what makes it not hold.
//
// spec: RSP-18, RSP-21, LOGIN-20
// attack: B.73, B.91, B.112, GW-38
func TestSources(t *testing.T) {
	for _, row := range []struct {
		name      string
		user      store.User
		resources []string
		want      []string
	}{
		{"self: a patient", store.User{Role: store.RolePatient, FHIRUser: "Patient/a"}, nil, []string{"a"}},
		{"self: a representative with a record", store.User{Role: store.RoleRepresentative, FHIRUser: "Patient/a", Represents: []store.Representation{{Patient: "kid"}}}, nil, []string{"a", "kid"}},
		{"self: a representative without one", store.User{Role: store.RoleRepresentative, FHIRUser: "RelatedPerson/x", Represents: []store.Representation{{Patient: "kid"}}}, nil, []string{"kid"}},
		{"self: no record", store.User{Role: store.RolePatient}, nil, nil},
		{"self: a record that is no reference", store.User{Role: store.RolePatient, FHIRUser: "a"}, nil, nil},
		{"self: disabled", store.User{Role: store.RolePatient, FHIRUser: "Patient/a", Disabled: true}, nil, nil},
		{"self: no role", store.User{FHIRUser: "Patient/a"}, nil, nil},
		{"B.91 a link opens nothing", store.User{Role: store.RolePatient, FHIRUser: "Patient/a"},
			[]string{patient("a", `,"link":[{"other":{"reference":"Patient/b"},"type":"seealso"}]`), patient("b", "")}, []string{"a"}},
		{"B.73 a RelatedPerson opens nothing", store.User{Role: store.RoleRepresentative, FHIRUser: "RelatedPerson/x"},
			[]string{`{"resourceType":"RelatedPerson","id":"x","patient":{"reference":"Patient/kid"},"active":true}`, patient("kid", "")}, nil},
		{"LOGIN-20 to a moment to come", store.User{Role: store.RoleRepresentative, Represents: []store.Representation{{Patient: "kid", Until: noon.Add(time.Second)}}}, nil, []string{"kid"}},
		{"LOGIN-20 ended now", store.User{Role: store.RoleRepresentative, Represents: []store.Representation{{Patient: "kid", Until: noon}}}, nil, nil},
		{"LOGIN-20 ended", store.User{Role: store.RoleRepresentative, Represents: []store.Representation{{Patient: "kid", Until: noon.Add(-time.Hour)}, {Patient: "mum"}}}, nil, []string{"mum"}},
		{"administrator", store.User{Role: store.RoleAdministrator, FHIRUser: "Practitioner/p1", Represents: []store.Representation{{Patient: "a"}}},
			[]string{team("t", "active", "Patient/a", member("Practitioner/p1", ""), "")}, nil},
		{"a practitioner stands for nobody", store.User{Role: store.RolePractitioner, FHIRUser: "Patient/a", Represents: []store.Representation{{Patient: "kid"}}}, nil, nil},
		{"team: participant", doctor(), []string{team("t", "active", "Patient/a", member("Practitioner/p1", ""), "")}, []string{"a"}},
		{"team: participant by role", doctor(), []string{role, team("t", "active", "Patient/a", member("PractitionerRole/r1", ""), "")}, []string{"a"}},
		{"team: our own absolute reference", doctor(), []string{team("t", "active", "Patient/a", member(base+"/Practitioner/p1", ""), "")}, []string{"a"}},
		{"team: another base", doctor(), []string{team("t", "active", "Patient/a", member("https://evil.test/fhir/Practitioner/p1", ""), "")}, nil},
		{"team: another participant", doctor(), []string{team("t", "active", "Patient/a", member("Practitioner/p2", ""), "")}, nil},
		{"team: an id that begins alike", doctor(), []string{team("t", "active", "Patient/a", member("Practitioner/p11", ""), "")}, nil},
		{"team: proposed", doctor(), []string{team("t", "proposed", "Patient/a", member("Practitioner/p1", ""), "")}, nil},
		{"team: inactive", doctor(), []string{team("t", "inactive", "Patient/a", member("Practitioner/p1", ""), "")}, nil},
		{"team: entered in error", doctor(), []string{team("t", "entered-in-error", "Patient/a", member("Practitioner/p1", ""), "")}, nil},
		{"team: over", doctor(), []string{team("t", "active", "Patient/a", member("Practitioner/p1", ""), past)}, nil},
		{"team: to come", doctor(), []string{team("t", "active", "Patient/a", member("Practitioner/p1", ""), future)}, nil},
		{"team: today", doctor(), []string{team("t", "active", "Patient/a", member("Practitioner/p1", now), now)}, []string{"a"}},
		{"team: the part is over", doctor(), []string{team("t", "active", "Patient/a", member("Practitioner/p1", past), "")}, nil},
		{"team: one part over, another not", doctor(), []string{role, team("t", "active", "Patient/a", member("Practitioner/p1", past)+","+member("PractitionerRole/r1", ""), "")}, []string{"a"}},
		{"team: of a Group", doctor(), []string{team("t", "active", "Group/a", member("Practitioner/p1", ""), "")}, nil},
		{"role: inactive", doctor(), []string{`{"resourceType":"PractitionerRole","id":"r1","active":false,"practitioner":{"reference":"Practitioner/p1"}}`, team("t", "active", "Patient/a", member("PractitionerRole/r1", ""), "")}, nil},
		{"role: over", doctor(), []string{`{"resourceType":"PractitionerRole","id":"r1","period":{"end":"2025"},"practitioner":{"reference":"Practitioner/p1"}}`, team("t", "active", "Patient/a", member("PractitionerRole/r1", ""), "")}, nil},
		{"role: of another", doctor(), []string{`{"resourceType":"PractitionerRole","id":"r1","practitioner":{"reference":"Practitioner/p2"}}`, team("t", "active", "Patient/a", member("PractitionerRole/r1", ""), "")}, nil},
		{"panel: members", doctor(), []string{`{"resourceType":"Group","id":"g","type":"person","actual":true,"managingEntity":{"reference":"Practitioner/p1"},"member":[{"entity":{"reference":"Patient/a"}},{"entity":{"reference":"Patient/b"},"inactive":true},{"entity":{"reference":"Patient/c"},"period":{"end":"2025-01-01"}},{"entity":{"reference":"Device/d"}}]}`}, []string{"a"}},
		{"panel: inactive", doctor(), []string{`{"resourceType":"Group","id":"g","active":false,"type":"person","actual":true,"managingEntity":{"reference":"Practitioner/p1"},"member":[{"entity":{"reference":"Patient/a"}}]}`}, nil},
		{"panel: of another", doctor(), []string{`{"resourceType":"Group","id":"g","type":"person","actual":true,"managingEntity":{"reference":"Practitioner/p2"},"member":[{"entity":{"reference":"Patient/a"}}]}`}, nil},
		{"panel: the practitioner is a member only", doctor(), []string{`{"resourceType":"Group","id":"g","type":"practitioner","actual":true,"managingEntity":{"reference":"Practitioner/p1"},"member":[{"entity":{"reference":"Practitioner/p1"}}]}`}, nil},
		{"general practitioner", doctor(), []string{patient("a", `,"generalPractitioner":[{"reference":"Practitioner/p1"}]`), patient("b", `,"generalPractitioner":[{"reference":"Practitioner/p2"}]`), patient("c", "")}, []string{"a"}},
		{"general practitioner by role", doctor(), []string{role, patient("a", `,"generalPractitioner":[{"reference":"PractitionerRole/r1"}]`)}, []string{"a"}},
		{"union without doubles", doctor(), []string{patient("a", `,"generalPractitioner":[{"reference":"Practitioner/p1"}]`), team("t", "active", "Patient/a", member("Practitioner/p1", ""), ""), team("u", "active", "Patient/b", member("Practitioner/p1", ""), "")}, []string{"a", "b"}},
		{"a disabled practitioner", store.User{Role: store.RolePractitioner, FHIRUser: "Practitioner/p1", Disabled: true}, []string{team("t", "active", "Patient/a", member("Practitioner/p1", ""), "")}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := open(t, row.resources...).reaches(t, row.user); !slices.Equal(got, row.want) {
				t.Errorf("reaches %v, want %v", got, row.want)
			}
		})
	}
}

// A removal is felt within two seconds, at once after Forget, and a change of
// the user's own record at once in any case.
//
// attack: B.112
func TestRemoval(t *testing.T) {
	in := team("t", "active", "Patient/a", member("Practitioner/p1", ""), "")
	out := team("t", "active", "Patient/a", member("Practitioner/p2", ""), "")
	c := open(t, in)
	if got := c.reaches(t, doctor()); !slices.Equal(got, []string{"a"}) {
		t.Fatal(got)
	}
	asked := c.backend.calls
	c.now = noon.Add(1999 * time.Millisecond)
	if c.reaches(t, doctor()); c.backend.calls != asked {
		t.Errorf("%d calls within two seconds", c.backend.calls-asked)
	}
	c.load(t, out)
	c.now = noon.Add(2 * time.Second)
	if got := c.reaches(t, doctor()); len(got) > 0 {
		t.Errorf("after two seconds: %v", got)
	}
	c.load(t, in)
	c.Forget()
	if got := c.reaches(t, doctor()); !slices.Equal(got, []string{"a"}) {
		t.Errorf("after Forget: %v", got)
	}
	gone := doctor()
	gone.Disabled = true
	if got := c.reaches(t, gone); len(got) > 0 {
		t.Errorf("disabled: %v", got)
	}
	carer := store.User{ID: "carer", Role: store.RoleRepresentative, Represents: []store.Representation{{Patient: "kid"}}}
	if got := c.reaches(t, carer); !slices.Equal(got, []string{"kid"}) {
		t.Errorf("representative: %v", got)
	}
	carer.Represents = nil
	if got := c.reaches(t, carer); len(got) > 0 {
		t.Errorf("representation withdrawn: %v", got)
	}
}

// When the store is down nobody is reached, and nothing of it is remembered.
//
// attack: GW-37
func TestStoreDown(t *testing.T) {
	c := open(t, team("t", "active", "Patient/a", member("Practitioner/p1", ""), ""))
	down := errors.New("down")
	c.backend.err = down
	set, err := c.Reach(context.Background(), doctor())
	if !errors.Is(err, down) || set.Patients().Len() > 0 {
		t.Errorf("%v %v", set.Patients().List(), err)
	}
	if found, _, err := c.Find(context.Background(), doctor(), reach.Search{}); !errors.Is(err, down) || len(found) > 0 {
		t.Errorf("Find: %v %v", found, err)
	}
	if _, err := c.Patient(context.Background(), "a"); !errors.Is(err, down) {
		t.Errorf("Patient: %v", err)
	}
	c.backend.err = nil
	if got := c.reaches(t, doctor()); !slices.Equal(got, []string{"a"}) {
		t.Errorf("after it came back: %v", got)
	}
}

func TestNewRefusesMissingParts(t *testing.T) {
	if _, err := reach.New(reach.Deps{}); err == nil {
		t.Error("no parts at all")
	}
}

const gp = `,"generalPractitioner":[{"reference":"Practitioner/p1"}]`

// A clinician finds the patients they reach, and nobody else, whatever is typed.
//
// spec: CTX-13, RSP-18
// attack: B.33
func TestFind(t *testing.T) {
	c := open(t,
		patient("ana", gp+`,"name":[{"use":"official","family":"Müller","given":["Ana","María"]}],"birthDate":"1980-02-03","gender":"female","identifier":[{"system":"urn:x","value":"other"},{"type":{"coding":[{"code":"MR"}]},"system":"urn:mrn","value":"M-100"}]`),
		patient("bea", gp+`,"name":[{"use":"nickname","given":["Bee"]},{"use":"usual","family":"Muller","given":["Bea"]},{"use":"old","family":"Ana"}],"birthDate":"1980-02-03","identifier":[{"system":"urn:mrn","value":"M-1001"}]`),
		patient("eve", `,"name":[{"family":"Müller","given":["Eve"]}],"birthDate":"1980-02-03","identifier":[{"system":"urn:mrn","value":"M-200"}]`),
	)
	for _, row := range []struct {
		name string
		ask  reach.Search
		want []string
	}{
		{"everybody within reach", reach.Search{}, []string{"ana", "bea"}},
		{"family, any accent", reach.Search{Name: "muller"}, []string{"ana", "bea"}},
		{"family, with the accent", reach.Search{Name: "MÜLLER"}, []string{"ana", "bea"}},
		{"two words, both", reach.Search{Name: "maria mull"}, []string{"ana"}},
		{"words in another order", reach.Search{Name: "  müller   ana "}, []string{"ana", "bea"}},
		{"a former name", reach.Search{Name: "bea ana"}, []string{"bea"}},
		{"CTX-13 somebody out of reach", reach.Search{Name: "eve"}, nil},
		{"CTX-13 the number of somebody out of reach", reach.Search{RecordNumber: "M-200"}, nil},
		{"birth date", reach.Search{BirthDate: "1980-02-03"}, []string{"ana", "bea"}},
		{"birth date and name", reach.Search{BirthDate: "1980-02-03", Name: "ana maria"}, []string{"ana"}},
		{"another birth date", reach.Search{BirthDate: "1980-02-04"}, nil},
		{"record number", reach.Search{RecordNumber: "M-100"}, []string{"ana"}},
		{"part of a record number", reach.Search{RecordNumber: "M-10"}, nil},
		{"a list in the number is one value", reach.Search{RecordNumber: "M-100,M-1001"}, nil},
		{"a system in the number is one value", reach.Search{RecordNumber: "urn:mrn|M-100"}, nil},
		{"a list in the name is one value", reach.Search{Name: "zzz,muller"}, nil},
		{"a prefix in the date", reach.Search{BirthDate: "gt1900-01-01"}, nil},
		{"no date at all", reach.Search{BirthDate: "yesterday"}, nil},
		{"a list in the date", reach.Search{BirthDate: "1980-02-03,1981-01-01"}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			found, more, err := c.Find(context.Background(), doctor(), row.ask)
			if err != nil || more {
				t.Fatal(more, err)
			}
			var ids []string
			for _, p := range found {
				ids = append(ids, p.ID)
			}
			slices.Sort(ids)
			if !slices.Equal(ids, row.want) {
				t.Errorf("found %v, want %v", ids, row.want)
			}
		})
	}
	got, err := c.Patient(context.Background(), "ana")
	if err != nil {
		t.Fatal(err)
	}
	want := reach.Patient{ID: "ana", Name: "Ana María Müller", Given: "Ana María", Family: "Müller", BirthDate: "1980-02-03", Sex: "female", RecordNumber: "M-100"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if got, err := c.Patient(context.Background(), "bea"); err != nil || got.Name != "Bea Muller" || got.RecordNumber != "M-1001" {
		t.Errorf("the usual name, and the only number: %+v %v", got, err)
	}
	for _, id := range []string{"nobody", "", "../x", "a b"} {
		if _, err := c.Patient(context.Background(), id); !errors.Is(err, reach.ErrNotFound) {
			t.Errorf("Patient(%q): %v", id, err)
		}
	}
}

// A picker shows fifty at most and says when there are more; with nothing typed
// it shows ten, never the index.
//
// spec: CTX-13
func TestManyFound(t *testing.T) {
	var all []string
	for i := range 53 {
		all = append(all, patient("p"+strconv.Itoa(i), gp+`,"name":[{"family":"F`+strconv.Itoa(i)+`"}]`))
	}
	c := open(t, all...)
	found, more, err := c.Find(context.Background(), doctor(), reach.Search{Name: "f"})
	if err != nil || len(found) != 50 || !more {
		t.Errorf("%d, more %v, %v", len(found), more, err)
	}
	found, more, err = c.Find(context.Background(), doctor(), reach.Search{Name: "f52"})
	if err != nil || len(found) != 1 || more {
		t.Errorf("%d, more %v, %v", len(found), more, err)
	}
	recent, err := c.Recent(context.Background(), doctor())
	if err != nil || len(recent) != 10 {
		t.Errorf("recent %d, %v", len(recent), err)
	}
	stranger := store.User{ID: "other", Role: store.RolePractitioner, FHIRUser: "Practitioner/p2"}
	if recent, err := c.Recent(context.Background(), stranger); err != nil || len(recent) != 0 {
		t.Errorf("recent of somebody without patients: %v, %v", recent, err)
	}
}

// A representative is offered themselves first, then those they stand for now.
//
// spec: LOGIN-20
func TestPeople(t *testing.T) {
	named := func(id, given string) string {
		return patient(id, `,"name":[{"family":"Adams","given":["`+given+`"]}]`)
	}
	c := open(t, named("me", "Zoe"), named("kid", "Ben"), named("mum", "Ada"), named("old", "Old"), patient("plain", ""), named("stranger", "Sam"))
	until := noon.Add(24 * time.Hour)
	carer := store.User{ID: "carer", Role: store.RoleRepresentative, FHIRUser: "Patient/me", Represents: []store.Representation{
		{Patient: "kid", Relationship: "parent", Until: until}, {Patient: "mum", Relationship: "child"},
		{Patient: "old", Until: noon.Add(-time.Hour)}, {Patient: "deleted"}, {Patient: "plain"},
	}}
	got, err := c.People(context.Background(), carer)
	if err != nil {
		t.Fatal(err)
	}
	want := []reach.Patient{
		{ID: "me", Name: "Zoe Adams", Given: "Zoe", Family: "Adams", Self: true},
		{ID: "mum", Name: "Ada Adams", Given: "Ada", Family: "Adams", Relationship: "child"},
		{ID: "kid", Name: "Ben Adams", Given: "Ben", Family: "Adams", Relationship: "parent", Until: until},
		{ID: "plain", Name: "Patient plain"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
