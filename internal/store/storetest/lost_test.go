package storetest_test

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/fhirstore/fhirsql"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/store/storesql"
	"github.com/emberlatch/emberlatch/smart"
)

const fhirBase = "https://ehr.example.org/fhir"

// clinic is a world whose database holds the records as well.
type clinic struct {
	world
	records *fhirsql.Store
}

func clinicOf(t testing.TB, w world) clinic {
	t.Helper()
	return clinicBy(t, w, fhirstore.TieRules{})
}

func clinicBy(t testing.TB, w world, rules fhirstore.TieRules) clinic {
	t.Helper()
	records, err := fhirsql.New(fhirsql.Deps{DB: w.db, Base: fhirBase, Now: time.Now, Ties: rules})
	must(t, err)
	c := clinic{w, records}
	c.Store = storesql.NewBeside(w.db, records, true)
	return c
}

// clinicWithout is the same where no record is opened in an emergency.
func clinicWithout(t testing.TB, w world) *storesql.Store {
	t.Helper()
	records, err := fhirsql.New(fhirsql.Deps{DB: w.db, Base: fhirBase, Now: time.Now})
	must(t, err)
	return storesql.NewBeside(w.db, records, false)
}

func (c clinic) load(t testing.TB, resources ...string) {
	t.Helper()
	var all iter.Seq[fhirstore.Incoming] = func(yield func(fhirstore.Incoming) bool) {
		for _, r := range resources {
			if !yield(fhirstore.Incoming{JSON: []byte(r)}) {
				return
			}
		}
	}
	report, err := c.records.Load(ctx, all, nil)
	must(t, err)
	if len(report.Failures) > 0 {
		t.Fatal(report.Failures)
	}
}

// family is a grant of a user for a patient, whose code was redeemed.
func (c clinic) family(t testing.TB, user store.UserID, patient string) store.GrantID {
	t.Helper()
	i := newGrant(offline)
	i.Grant.UserID, i.Grant.Patient = user, patient
	i.Remember = &store.RememberedConsent{UserID: user, ClientID: "app", Patient: patient, DoNotAsk: true}
	must(t, c.IssueCode(ctx, i))
	must(t, second(c.RedeemCode(ctx, redemption(i))))
	return i.Grant.ID
}

// A refresh ends the grant of who has lost the patient in its own statement: the
// record, the feed and what was remembered know of it, and nothing brings it back.
//
// spec: RT-27, RT-28, REVOKE-15
// attack: RT-11
func TestWhoHasLostThePatientLosesTheGrant(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		c := clinicOf(t, w)
		const patient = `{"resourceType":"Patient","id":"zoe"`
		must(t, c.CreateUser(ctx, store.User{ID: "doc", UsernameKey: "doc", Role: store.RolePractitioner, FHIRUser: "Practitioner/doc"}))
		c.load(t, patient+`,"generalPractitioner":[{"reference":"Practitioner/doc"}]}`)
		id := c.family(t, "doc", "zoe")
		got, err := c.RefreshGrant(ctx, use(id, 1))
		if err != nil || !got.Judged || got.Grant.Generation != 2 {
			t.Fatalf("while they reach the patient: %+v, %v", got, err)
		}
		c.load(t, patient+`}`)
		wider := use(id, 2)
		wider.Within = store.Within{AnyOf: [][]string{{"fhirUser"}}}
		wants(t, "asking for more, too", second(c.RefreshGrant(ctx, wider)), store.ErrNotHeld)
		if _, err := c.Remembered(ctx, "doc", "app", "zoe"); err != nil {
			t.Errorf("what was remembered is gone too early: %v", err)
		}
		lost := use(id, 2)
		lost.Assertion = assertion(t, w)
		err = second(c.RefreshGrant(ctx, lost))
		var over *store.EndedError
		if !errors.Is(err, store.ErrRevoked) || !errors.As(err, &over) || over.GrantID != id {
			t.Errorf("%v, %+v", err, over)
		}
		wants(t, "its assertion", c.UseAssertion(ctx, *lost.Assertion), store.ErrReplayed)
		recorded(t, w, store.Event{Kind: "grant.ended", Actor: "server", ClientID: "app", Patient: "zoe", GrantID: id, Outcome: "ok", Detail: "patient out of reach"})
		if !told(t, w, store.ChangeGrantRevoked, string(id)) {
			t.Error("the feed was not told")
		}
		wants(t, "what was remembered", second(c.Remembered(ctx, "doc", "app", "zoe")), store.ErrNotFound)
		c.load(t, patient+`,"generalPractitioner":[{"reference":"Practitioner/doc"}]}`)
		refused(t, c.world, use(id, 2), store.ErrRevoked)
		refused(t, c.world, use(id, 1), store.ErrRevoked)

		t.Log("a retry of a lost answer is judged as well; a grant of nobody in particular is nobody's loss")
		id = c.family(t, "doc", "zoe")
		refreshed(t, c.world, use(id, 1), 2, false)
		c.load(t, patient+`}`)
		refused(t, c.world, use(id, 1), store.ErrRevoked)
		refused(t, c.world, use(id, 2), store.ErrRevoked)
		refreshed(t, c.world, use(c.family(t, "doc", ""), 1), 2, false)
	})
}

// chance draws records and people that have much to do with each other.
type chance struct{ *rand.Rand }

func (r chance) of(list ...string) string { return list[r.IntN(len(list))] }

func (r chance) agent() string {
	return r.of("Practitioner/p1", "Practitioner/p2", "PractitionerRole/r1", "PractitionerRole/r2", fhirBase+"/Practitioner/p1",
		"https://elsewhere.example/Practitioner/p1", "Organization/o", "Practitioner/p1/_history/1")
}

func (r chance) patient() string {
	return r.of("Patient/a", "Patient/b", "Patient/c", fhirBase+"/Patient/a", "Group/g")
}

func (r chance) period() string {
	return r.of("", "", "", `,"period":{}`, `,"period":{"start":"2001"}`, `,"period":{"start":"2001-02","end":"2002"}`, `,"period":{"end":"2998-02-28"}`,
		`,"period":{"start":"2998-01-01T00:00:00+14:00"}`, `,"period":{"start":"2001-02-30"}`, `,"period":{"end":"soon"}`, `,"period":"2001"`)
}

func (r chance) organization() string {
	return r.of("Organization/o", "Organization/o", fhirBase+"/Organization/o", "Organization/o2", "https://elsewhere.example/Organization/o", "Practitioner/p1")
}

func (r chance) coding(codes ...string) string {
	return `{"system":"` + r.of("urn:c", "urn:c", "urn:c", "urn:d") + `","code":"` + r.of(codes...) + `"}`
}

// born is around eighteen years ago, or nobody knows.
func (r chance) born() string {
	ago := func(days int) string { return time.Now().UTC().AddDate(-18, 0, days).Format(time.DateOnly) }
	return r.of("", `,"birthDate":"`+ago(-1)+`"`, `,"birthDate":"`+ago(1)+`"`, `,"birthDate":"`+ago(400)[:4]+`"`, `,"birthDate":"`+ago(400)+`"`)
}

// visited is when a visit was: also around the time after its end.
func (r chance) visited() string {
	ago := func(d time.Duration) string { return time.Now().Add(-d).UTC().Format(time.RFC3339) }
	return r.of(r.period(), `,"period":{"start":"2001"}`, `,"period":{"start":"2001","end":"`+ago(8_799*time.Hour)+`"}`, `,"period":{"start":"2001","end":"`+ago(8_801*time.Hour)+`"}`)
}

// resources are the same few anew.
func (r chance) resources() []string {
	var all []string
	for _, id := range []string{"a", "b", "c"} {
		all = append(all, `{"resourceType":"Patient","id":"`+id+`","generalPractitioner":[{"reference":"`+r.agent()+`"}]`+
			r.of("", `,"managingOrganization":{"reference":"`+r.organization()+`"}`)+r.born()+`}`)
	}
	for _, id := range []string{"r1", "r2"} {
		all = append(all, `{"resourceType":"RelatedPerson","id":"`+id+`","patient":{"reference":"`+r.patient()+`"}`+r.of(`,"active":true`, `,"active":true`, `,"active":true`, `,"active":true`, `,"active":false`, "")+
			`,"relationship":[{"coding":[`+r.coding("parent", "guardian", "guardian", "uncle")+`]}]`+r.of("", r.period())+`}`)
	}
	for _, id := range []string{"r1", "r2"} {
		all = append(all, `{"resourceType":"PractitionerRole","id":"`+id+`","practitioner":{"reference":"`+r.agent()+`"}`+
			r.of("", `,"active":true`, `,"active":false`)+r.of("", `,"organization":{"reference":"`+r.organization()+`"}`)+
			r.of("", `,"code":[{"coding":[`+r.coding("chief", "chief", "nurse")+`]}]`, `,"code":[{"coding":[`+r.coding("chief")+`]}]`)+r.period()+`}`)
	}
	for _, id := range []string{"t1", "t2"} {
		all = append(all, `{"resourceType":"CareTeam","id":"`+id+`","status":"`+r.of("active", "active", "inactive")+`","subject":{"reference":"`+r.patient()+
			`"},"participant":[{"member":{"reference":"`+r.agent()+`"}`+r.period()+`},{"member":{"reference":"`+r.agent()+`"}}]`+r.period()+`}`)
	}
	for _, id := range []string{"v1", "v2"} {
		all = append(all, `{"resourceType":"Encounter","id":"`+id+`","class":{"code":"AMB"},"status":"`+r.of("in-progress", "finished", "planned")+`","subject":{"reference":"`+r.patient()+
			`"},"participant":[{"individual":{"reference":"`+r.agent()+`"}`+r.period()+`}]`+r.visited()+`}`)
	}
	return append(all, `{"resourceType":"Group","id":"g1","type":"`+r.of("person", "person", "animal")+`","actual":true`+r.of("", `,"active":false`)+
		`,"managingEntity":{"reference":"`+r.agent()+`"},"member":[{"entity":{"reference":"`+r.patient()+`"}`+r.of("", `,"inactive":true`)+r.period()+`}]}`)
}

// emergencies are records that a practitioner has opened: some last, some are over, and some
// were ended by hand.
func (c clinic) emergencies(t testing.TB, r chance, u store.User) {
	t.Helper()
	for n, patient := range []string{"a", "b", "c"} {
		o := emergencyOf(fmt.Sprint("e", u.ID, n), u.ID, patient)
		o.Life = []time.Duration{time.Hour, time.Hour, -time.Second, 0}[r.IntN(4)]
		if r.IntN(3) > 0 {
			continue
		}
		if err := second(c.OpenEmergency(ctx, o)); (err == nil) != (u.Role == store.RolePractitioner) {
			t.Fatalf("%s opens: %v", u.Role, err)
		}
		if u.Role == store.RolePractitioner && o.Life > 0 && r.IntN(3) == 0 {
			must(t, c.EndEmergency(ctx, endOf(o.ID, u.ID, string(u.ID))))
		}
	}
}

// user is somebody who could reach one of them.
func (r chance) user(id store.UserID) store.User {
	u := store.User{ID: id, UsernameKey: string(id), Username: string(id), Role: store.Role(r.of("practitioner", "practitioner", "practitioner", "representative", "representative", "representative", "administrator"))}
	switch u.Role {
	case store.RolePractitioner:
		u.FHIRUser = r.of("Practitioner/p1", "Practitioner/p1", "Practitioner/p2", "PractitionerRole/r1")
	case store.RoleRepresentative:
		u.FHIRUser = r.of("", "Patient/a", "RelatedPerson/r1", "RelatedPerson/r2", "RelatedPerson/r1", "Practitioner/p1")
		until := []time.Time{{}, time.Now().Add(-time.Hour), time.Now().Add(time.Hour)}
		for _, patient := range []string{"a", "b"} {
			if r.IntN(3) == 0 {
				u.Represents = append(u.Represents, store.Representation{Patient: patient, Until: until[r.IntN(3)]})
			}
		}
	default:
		u.FHIRUser = r.of("Practitioner/p1", "")
	}
	return u
}

// One rule source: the statement ends exactly what a search for whom the user reaches
// would have ended, also when the records were stored before ties were kept.
//
// spec: RT-28
func TestAStatementJudgesAsTheSearchDoes(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		code := func(text string) []fhirstore.Code { return []fhirstore.Code{{System: "urn:c", Code: text}} }
		rules := fhirstore.TieRules{Visits: 8_800 * time.Hour, Organizations: true, Roles: code("chief"), Standing: code("guardian"), Parents: code("parent"), Majority: 18}
		c := clinicBy(t, w, rules)
		r := chance{rand.New(rand.NewPCG(7, 15))}
		kept, lost, everybody, stood, opened := 0, 0, 0, 0, 0
		for n := range 320 {
			c.load(t, r.resources()...)
			if n%5 == 0 { // as an earlier version has left it
				_, err := w.db.Exec(ctx, `DELETE FROM fhir_tie`)
				must(t, err)
				_, err = w.db.Exec(ctx, `INSERT INTO fhir_untied SELECT rid FROM fhir_resource`)
				must(t, err)
				must(t, c.records.Complete(ctx))
			}
			if n%3 == 0 { // whatever has been deleted leads nowhere
				_, err := w.db.Exec(ctx, `UPDATE fhir_resource SET deleted = 1 WHERE id = $1`, r.of("r1", "t1", "g1", "a"))
				must(t, err)
			}
			search, err := reach.New(reach.Deps{Backend: c.records, Now: time.Now, Base: fhirBase, Ties: rules, Emergencies: c.OpenEmergencies})
			must(t, err)
			u := r.user(store.UserID(fmt.Sprint("u", n)))
			must(t, c.CreateUser(ctx, u))
			c.emergencies(t, r, u)
			set, err := search.Reach(ctx, u)
			must(t, err)
			for _, patient := range []string{"a", "b", "c"} {
				_, err := c.RefreshGrant(ctx, use(c.family(t, u.ID, patient), 1))
				if set.IsEverybody() {
					everybody++
				} else if set.Why(patient) == access.ByRelatedPerson {
					stood++
				} else if set.Why(patient) == access.ByEmergency {
					opened++
				}
				if want := set.Contains(patient); want != (err == nil) || err != nil && !errors.Is(err, store.ErrRevoked) {
					t.Fatalf("%+v, patient %s: %v, and the search says %v", u, patient, err, set.Patients().List())
				} else if want {
					kept++
				} else {
					lost++
				}
			}
		}
		if kept < 10 || lost < 10 || everybody < 3 || stood < 3 || opened < 3 {
			t.Errorf("%d kept, %d lost, %d by a role, %d by a RelatedPerson, %d in an emergency: the test shows nothing", kept, lost, everybody, stood, opened)
		}
	})
}

// A refresh knows that a child came of age, that a RelatedPerson stands no longer, and that a
// role which reached everybody is over.
//
// spec: RT-27, RT-28, RSP-21
// attack: RT-11
func TestARefreshKnowsWhoStandsNoLonger(t *testing.T) {
	code := func(text string) []fhirstore.Code { return []fhirstore.Code{{System: "urn:c", Code: text}} }
	rules := fhirstore.TieRules{Roles: code("chief"), Standing: code("guardian"), Parents: code("parent"), Majority: 18}
	born := func(days int) string {
		return `{"resourceType":"Patient","id":"kid","birthDate":"` + time.Now().UTC().AddDate(-18, 0, days).Format(time.DateOnly) + `"}`
	}
	related := func(relationship, more string) string {
		return `{"resourceType":"RelatedPerson","id":"x","active":true,"patient":{"reference":"Patient/kid"},"relationship":[{"coding":[{"system":"urn:c","code":"` + relationship + `"}]}]` + more + `}`
	}
	role := func(more string) string {
		return `{"resourceType":"PractitionerRole","id":"r","practitioner":{"reference":"Practitioner/chief"},"code":[{"coding":[{"system":"urn:c","code":"chief"}]}]` + more + `}`
	}
	const over = `,"period":{"end":"2020"}`
	is := store.User{Role: store.RoleRepresentative, FHIRUser: "RelatedPerson/x"}
	chief := store.User{Role: store.RolePractitioner, FHIRUser: "Practitioner/chief"}
	minor, grown := born(2), born(-1)
	both(t, func(t *testing.T, w world) {
		c := clinicBy(t, w, rules)
		for n, row := range []struct {
			name          string
			user          store.User
			before, after []string
			lost          bool
		}{
			{"a parent, and the child is of age", is, []string{minor, related("parent", "")}, []string{grown}, true},
			{"a guardian, and the child is of age", is, []string{minor, related("guardian", "")}, []string{grown}, false},
			{"the time is over", is, []string{minor, related("guardian", "")}, []string{related("guardian", over)}, true},
			{"a parent whose time is over", is, []string{minor, related("parent", "")}, []string{related("parent", over)}, true},
			{"a relationship that does not count", is, []string{minor, related("guardian", "")}, []string{related("uncle", "")}, true},
			{"the role is over", chief, []string{minor, role("")}, []string{role(over)}, true},
			{"the role is not active", chief, []string{minor, role("")}, []string{role(`,"active":false`)}, true},
			{"the role stays", chief, []string{minor, role("")}, []string{grown}, false},
		} {
			row.user.ID, row.user.UsernameKey = store.UserID(fmt.Sprint("u", n)), fmt.Sprint("u", n)
			if n > 0 { // one login for one record
				_, err := w.db.Exec(ctx, `DELETE FROM account`)
				must(t, err)
			}
			must(t, c.CreateUser(ctx, row.user))
			c.load(t, row.before...)
			id := c.family(t, row.user.ID, "kid")
			refreshed(t, c.world, use(id, 1), 2, false)
			c.load(t, row.after...)
			if err := second(c.RefreshGrant(ctx, use(id, 2))); errors.Is(err, store.ErrRevoked) != row.lost || !row.lost && err != nil {
				t.Errorf("%s: %v", row.name, err)
			}
		}
	})
}

// What is meant by scopes is told by the statement as package smart tells it, also of
// grants that were made before their holding was kept.
//
// spec: RT-08, RT-09
func TestAStatementHoldsWhatScopesMean(t *testing.T) {
	texts := []string{
		"patient/Observation.rs?category=laboratory", "patient/Observation.r?category=http://t.example|laboratory", "patient/Observation.rs?category=http://t.example|",
		"patient/Observation.cruds?category=laboratory,vital-signs", "patient/Observation.s?category=laboratory&date=ge2024", "patient/Observation.rs?date=ge2024&category=laboratory",
		"patient/Observation.r?date=2024-05-31T10:00:00Z", "patient/Observation.r?date=2024-05-31T12:00:00+02:00", "patient/Observation.rs", "patient/*.r", "patient/*.rs?_tag=a",
		"patient/Observation.rs?_tag=s|a", "patient/*.read", "user/Observation.rs", "patient/Observation.write", "patient/Observation.rs?value-string=it's+$.[0]<b>",
		"patient/Observation.r?category=a,b,c,d,e,f,g,h,i,laboratory", "patient/Observation.r?code=x&category=laboratory",
	}
	both(t, func(t *testing.T, w world) {
		r := rand.New(rand.NewPCG(3, 15))
		held, not := 0, 0
		for n := range 400 {
			i := newGrant(offline)
			i.Grant.Scopes = []string{"openid"}
			for _, at := range r.Perm(len(texts))[:r.IntN(5)] {
				i.Grant.Scopes = append(i.Grant.Scopes, texts[at])
			}
			must(t, w.IssueCode(ctx, i))
			must(t, second(w.RedeemCode(ctx, redemption(i))))
			if n%10 == 0 { // as an earlier version has left it
				_, err := w.db.Exec(ctx, `UPDATE authorization_grant SET holding = 'null'`)
				must(t, err)
				must(t, w.Complete(ctx))
			}
			scope, err := smart.ParseScope(texts[r.IntN(len(texts))])
			must(t, err)
			attempt := use(i.Grant.ID, 1)
			attempt.Within = store.Within{AnyOf: [][]string{{"openid"}}, Demands: []smart.Demand{scope.Demand()}}
			_, err = w.RefreshGrant(ctx, attempt)
			if want := smart.NewScopeSet(i.Grant.Scopes).Covers(scope); want != (err == nil) || err != nil && !errors.Is(err, store.ErrNotHeld) {
				t.Fatalf("%q, asked for %s: %v", i.Grant.Scopes, scope, err)
			} else if want {
				held++
			} else {
				not++
			}
		}
		if held < 10 || not < 10 {
			t.Errorf("%d held, %d not: the test shows nothing", held, not)
		}
	})
}

// A grant of before that nobody has completed holds its own words and nothing else:
// less than it means, never more.
func TestWithoutItsHoldingAGrantHoldsNothingMore(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		id := redeemed(t, w, offline)
		_, err := w.db.Exec(ctx, `UPDATE authorization_grant SET holding = 'null'`)
		must(t, err)
		scope, err := smart.ParseScope("patient/Patient.r?_tag=a|b")
		must(t, err)
		attempt := use(id, 1)
		attempt.Within.Demands = []smart.Demand{scope.Demand()}
		wants(t, "before", second(w.RefreshGrant(ctx, attempt)), store.ErrNotHeld)
		must(t, w.Complete(ctx))
		refreshed(t, w, attempt, 2, false)
	})
}
