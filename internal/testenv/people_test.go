package testenv_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/testenv"
)

const readAll = "launch/patient patient/*.rs openid fhirUser offline_access"

// sees reads a search and says which ids came back.
func sees(t *testing.T, env *testenv.Env, token, query string) []string {
	t.Helper()
	a := env.Get(token, query)
	if a.Status != http.StatusOK {
		t.Fatalf("%s: %d %s", query, a.Status, a.Raw)
	}
	var ids []string
	entries, _ := a.Body["entry"].([]any)
	for _, e := range entries {
		r, _ := e.(map[string]any)["resource"].(map[string]any)
		ids = append(ids, r["id"].(string))
	}
	return ids
}

// A parent who represents a child chooses whose record it is, and the token reads
// that record and no other.
//
// spec: LOGIN-20, LOGIN-21, CTX-11, CTX-13, CTX-31, RSP-17, OIDC-15, SCOPE-19, SCOPE-20
func TestARepresentativeChoosesThePerson(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-native")
	b := env.Browser()
	r := c.Request(readAll)
	p := b.SignIn(b.Open(r.URL()), "anna")
	if got := p.Inputs("patient"); !slices.Equal(got, []string{"anna", "leo"}) {
		t.Fatalf("people to choose from: %v", got)
	}
	forged := b.Submit(p, "action", "continue", url.Values{"patient": {"maria"}})
	if forged.Left != nil || !slices.Equal(forged.Inputs("patient"), []string{"anna", "leo"}) {
		t.Fatalf("a forged choice: %s", forged.Describe())
	}
	p = b.Submit(forged, "action", "continue", url.Values{"patient": {"leo"}})
	if !strings.Contains(p.Body, "Leo Keller") {
		t.Error("the approval page does not name the child")
	}
	p = b.Submit(p, "decision", "allow", nil)
	a := c.Exchange(r, p.Left.Query().Get("code"))
	if a.String("patient") != "leo" {
		t.Fatalf("patient %q: %s", a.String("patient"), a.Raw)
	}
	token := a.String("access_token")
	if got := sees(t, env, token, "Patient?_count=50"); !slices.Equal(got, []string{"leo"}) {
		t.Errorf("patients: %v", got)
	}
	// The parent's own record is readable as who they are, by its id only.
	if got := env.Get(token, "Patient/anna"); got.Status != http.StatusOK {
		t.Errorf("fhirUser: %d %s", got.Status, got.Raw)
	}
	if got := sees(t, env, token, "Observation?patient=anna"); len(got) != 0 {
		t.Errorf("the parent's results: %v", got)
	}
	refreshed := c.Refresh(a.String("refresh_token"))
	if refreshed.String("patient") != "leo" {
		t.Errorf("patient after refresh: %s", refreshed.Raw)
	}
}

// A representative without a record has one person, who is inferred.
//
// spec: CTX-11, LOGIN-21
func TestARepresentativeWithoutARecord(t *testing.T) {
	env := testenv.Start(t)
	_, a := env.Token("sandbox-native", readAll, "ruth", "")
	if a.String("patient") != "tom" {
		t.Fatalf("patient %q", a.String("patient"))
	}
	if got := env.Get(a.String("access_token"), "RelatedPerson/ruth-for-tom"); got.Status != http.StatusOK {
		t.Errorf("fhirUser: %d", got.Status)
	}
}

// A clinician searches among the patients of the panel; others cannot be found or
// forced.
//
// spec: CTX-11, CTX-13, SCOPE-21, SCOPE-24, RS-13, OIDC-14
func TestAClinicianPicksAPatient(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-native")
	b := env.Browser()
	r := c.Request("launch/patient patient/*.rs user/Patient.rs openid fhirUser")
	p := b.SignIn(b.Open(r.URL()), "chen")
	if got := p.Inputs("patient"); len(got) == 0 || slices.Contains(got, "james") {
		t.Fatalf("patients offered: %v", got)
	}
	p = b.Submit(p, "action", "search", url.Values{"name": {"okafor"}})
	if got := p.Inputs("patient"); len(got) != 0 {
		t.Errorf("a patient of another panel was found: %v", got)
	}
	p = b.Submit(p, "action", "search", url.Values{"name": {"lop"}})
	if got := p.Inputs("patient"); !slices.Equal(got, []string{"maria"}) {
		t.Fatalf("search for lop: %v", got)
	}
	forged := b.Submit(p, "action", "choose", url.Values{"patient": {"james"}})
	if forged.Left != nil || forged.HasButton("decision", "allow") {
		t.Fatal("a forged patient was accepted")
	}
	p = b.Submit(p, "action", "choose", url.Values{"patient": {"maria"}})
	p = b.Submit(p, "decision", "allow", nil)
	a := c.Exchange(r, p.Left.Query().Get("code"))
	token := a.String("access_token")
	if got := sees(t, env, token, "Condition?patient=james"); len(got) != 0 {
		t.Errorf("another panel's problems: %v", got)
	}
	panel := sees(t, env, token, "Patient?_count=50")
	for _, person := range env.File.People {
		if person.Username == "chen" {
			slices.Sort(person.Patients)
			if !slices.Equal(panel, person.Patients) {
				t.Errorf("user scope finds %v, the panel is %v", panel, person.Patients)
			}
		}
	}
	if got := env.Get(token, "Practitioner/dr-chen"); got.Status != http.StatusOK {
		t.Errorf("own Practitioner: %d", got.Status)
	}
}

// typed are the values of inputs.
var typed = regexp.MustCompile(` value="[^"]*"`)

// A patient without a login confirms who they are and creates one inside of the
// same flow; nothing tells whether a detail or the code was wrong.
//
// spec: LOGIN-02, LOGIN-03, LOGIN-04, LOGIN-06, LOGIN-07
func TestAPatientEnrols(t *testing.T) {
	env := testenv.Start(t)
	who := env.File.Enrolment[0]
	c := env.Client("sandbox-native")
	b := env.Browser()
	r := c.Request(readAll)
	p := b.Open(r.URL())
	handle := p.URL.Query().Get("request")
	p = b.Open("/enrol?request=" + url.QueryEscape(handle))
	year, rest, _ := strings.Cut(who.BirthDate, "-")
	month, day, _ := strings.Cut(rest, "-")
	right := url.Values{
		"given": {who.Given}, "family": {strings.ToUpper(who.Family)}, "birth_date-year": {year}, "birth_date-month": {month},
		"birth_date-day": {day}, "code": {strings.ToLower(who.Code)},
	}
	with := func(name, value string) url.Values {
		v := url.Values{}
		for k, list := range right {
			v[k] = list
		}
		v.Set(name, value)
		return v
	}
	var bodies []string
	for _, wrong := range []url.Values{with("code", "LATCH-0000-0000-0000"), with("family", "Somebody"), with("birth_date-year", "1950")} {
		q := b.Submit(p, "action", "continue", wrong)
		if q.Status != http.StatusOK || !strings.Contains(q.Body, "do not match an invitation") {
			t.Fatalf("a wrong detail: %s\n%s", q.Describe(), q.Body)
		}
		bodies = append(bodies, typed.ReplaceAllString(q.Body, "")) // what was typed stands in the fields
	}
	for _, other := range bodies[1:] {
		if other != bodies[0] {
			t.Errorf("failures look different:\n%s\n---\n%s", bodies[0], other)
		}
	}
	p = b.Submit(p, "action", "continue", right)
	if p.Status != http.StatusOK || len(p.Inputs("password")) != 1 {
		t.Fatalf("after the right details: %s\n%s", p.Describe(), p.Body)
	}
	weak := b.Submit(p, "action", "continue", url.Values{"username": {"nora"}, "password": {"password1"}})
	if !strings.Contains(weak.Body, "Many people use this password") {
		t.Error("a common password was taken")
	}
	taken := b.Submit(p, "action", "continue", url.Values{"username": {"MARIA"}, "password": {"a quiet morning walk"}})
	if !strings.Contains(taken.Body, "cannot be used") {
		t.Errorf("a taken user name: %s", taken.Describe())
	}
	p = b.Submit(p, "action", "continue", url.Values{"username": {"nora"}, "password": {"a quiet morning walk"}})
	if !p.HasButton("decision", "allow") {
		t.Fatalf("after enrolling: %s\n%s", p.Describe(), p.Body)
	}
	p = b.Submit(p, "decision", "allow", nil)
	a := c.Exchange(r, p.Left.Query().Get("code"))
	if a.String("patient") != who.Patient {
		t.Fatalf("patient %q: %s", a.String("patient"), a.Raw)
	}
	// The invitation is used; somebody else who holds it gets the same page.
	b2 := env.Browser()
	q := b2.Open(c.Request(readAll).URL())
	q = b2.Open("/enrol?request=" + url.QueryEscape(q.URL.Query().Get("request")))
	q = b2.Submit(q, "action", "continue", right)
	if !strings.Contains(q.Body, "do not match an invitation") {
		t.Errorf("a used invitation: %s", q.Describe())
	}
	// And the new login works.
	b3 := env.Browser()
	q = b3.Open(c.Request(readAll).URL())
	q = b3.Submit(q, "action", "sign-in", url.Values{"username": {"Nora"}, "password": {"a quiet morning walk"}})
	if !q.HasButton("decision", "allow") {
		t.Errorf("signing in with the new login: %s", q.Describe())
	}
}

// When an invitation was used elsewhere between the two steps, the first one can
// be taken again, with another invitation.
//
// spec: LOGIN-07
func TestEnrolmentStartsAgain(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-native")
	who := env.File.Enrolment[0]
	claim := url.Values{"given": {who.Given}, "family": {who.Family}, "birth_date": {who.BirthDate}, "code": {who.Code}}
	confirmed := func() (*testenv.Browser, testenv.Page) {
		b := env.Browser()
		p := b.Open(c.Request(readAll).URL())
		p = b.Open("/enrol?request=" + url.QueryEscape(p.URL.Query().Get("request")))
		return b, b.Submit(p, "action", "continue", claim)
	}
	first, p := confirmed()
	second, q := confirmed()
	first.Submit(p, "action", "continue", url.Values{"username": {"nora"}, "password": {"a quiet morning walk"}})
	again := second.Submit(q, "action", "continue", url.Values{"username": {"nora2"}, "password": {"a quiet morning walk"}})
	if len(again.Inputs("code")) != 1 || !strings.Contains(again.Body, "do not match an invitation") {
		t.Fatalf("after a used invitation: %s", again.Describe())
	}
	if next := second.Submit(again, "action", "continue", claim); len(next.Inputs("code")) != 1 || len(next.Inputs("password")) != 0 {
		t.Errorf("the first step is answered by the second: %s", next.Describe())
	}
}

// Going to the second step without the first, and posting it, gets nowhere.
//
// spec: LOGIN-03
func TestCredentialsNeedAConfirmedIdentity(t *testing.T) {
	env := testenv.Start(t)
	b := env.Browser()
	p := b.Open(env.Client("sandbox-native").Request(readAll).URL())
	p = b.Open("/enrol?request=" + url.QueryEscape(p.URL.Query().Get("request")))
	q := b.Submit(p, "action", "continue", url.Values{"username": {"nora"}, "password": {"a quiet morning walk"}, "patient": {"nora"}})
	if len(q.Inputs("given")) != 1 || q.Left != nil {
		t.Fatalf("jumped to: %s\n%s", q.Describe(), q.Body)
	}
}

// Five tries of one invitation, then it is dead, whatever is typed.
//
// spec: LOGIN-05
func TestAnInvitationCanBeTriedFiveTimes(t *testing.T) {
	env := testenv.Start(t)
	who := env.File.Enrolment[0]
	b := env.Browser()
	p := b.Open(env.Client("sandbox-native").Request(readAll).URL())
	p = b.Open("/enrol?request=" + url.QueryEscape(p.URL.Query().Get("request")))
	form := url.Values{"given": {who.Given}, "family": {"Wrong"}, "birth_date": {who.BirthDate}, "birth_date-year": {""}, "code": {who.Code}}
	for range 5 {
		p = b.Submit(p, "action", "continue", form)
	}
	form.Set("family", who.Family)
	if q := b.Submit(p, "action", "continue", form); len(q.Inputs("password")) != 0 {
		t.Error("the sixth try was let through")
	}
}

// Wrong passwords say one thing, and after some tries everybody waits a little.
//
// spec: LOGIN-10, LOGIN-11
func TestLoginFailuresAreAlike(t *testing.T) {
	env := testenv.Start(t)
	b := env.Browser()
	p := b.Open(env.Client("sandbox-native").Request(readAll).URL())
	texts := map[string]string{}
	for name, who := range map[string]string{"unknown": "nobody-here", "wrong": "maria", "impossible": "a b"} {
		q := b.Submit(p, "action", "sign-in", url.Values{"username": {who}, "password": {"not the password"}})
		if q.Status != http.StatusOK {
			t.Fatalf("%s: %s", name, q.Describe())
		}
		texts[name] = strings.ReplaceAll(q.Body, who, "*")
	}
	if texts["unknown"] != texts["wrong"] || texts["unknown"] != texts["impossible"] {
		t.Error("failures of login can be told apart")
	}
	waited := false
	for range 12 {
		q := b.Submit(p, "action", "sign-in", url.Values{"username": {"james"}, "password": {"not the password"}})
		waited = waited || q.Status == http.StatusTooManyRequests
	}
	if !waited {
		t.Error("tries are not slowed down")
	}
	if q := b.SignIn(p, "maria"); !q.HasButton("decision", "allow") {
		t.Errorf("another account waits as well: %s", q.Describe())
	}
}

// A form counts with the ticket of the page that showed it, in that browser, once,
// and for nothing that the page did not offer.
//
// spec: LOGIN-16, CONS-17, AUTHZ-27
func TestFormsBelongToThePageThatShowedThem(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-native")
	victim, attacker := env.Browser(), env.Browser()
	p := victim.SignIn(victim.Open(c.Request(readAll).URL()), "maria")
	form := p.Forms[0]
	values := form.Values
	values.Set("decision", "allow")
	if q := attacker.Post(form.Action, values); q.Status != http.StatusBadRequest || q.Left != nil {
		t.Errorf("another browser posted the approval: %s", q.Describe())
	}
	without := url.Values{"request": {values.Get("request")}, "decision": {"allow"}, "scope": values["scope"]}
	if q := victim.Post(form.Action, without); q.Status != http.StatusForbidden {
		t.Errorf("an approval without its ticket: %s", q.Describe())
	}
	values.Add("scope", "user/*.cruds")
	values.Set("client_id", "sandbox-confidential")
	values.Set("redirect_uri", "https://evil.example.org")
	q := victim.Post(form.Action, values)
	if q.Left == nil || q.Left.Host != "127.0.0.1" {
		t.Fatalf("approval with extra fields: %s", q.Describe())
	}
	again := victim.Post(form.Action, values)
	if again.Left != nil || again.Status < 400 {
		t.Errorf("the same approval twice: %s", again.Describe())
	}
}
