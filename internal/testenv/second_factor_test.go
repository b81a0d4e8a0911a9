package testenv_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/app"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/testenv"
)

// owed runs a sandbox that requires a second factor of roles.
func owed(t *testing.T, roles ...store.Role) *testenv.Env {
	t.Helper()
	return testenv.StartWith(t, func(o *app.SandboxOptions) { o.Login.SecondFactor.Required = roles })
}

// asksForCode, asksToSetUp: the page of the second step, or that on which it is set up.
func asksForCode(p testenv.Page) bool {
	return p.Left == nil && p.URL.Path == "/login/second" && p.HasButton("action", "confirm")
}

func asksToSetUp(p testenv.Page) bool { return p.Left == nil && p.HasButton("action", "set-up") }

// proven are the claims of an ID token that say how its person signed in.
type proven struct {
	AMR      []string `json:"amr"`
	ACR      string   `json:"acr"`
	AuthTime int64    `json:"auth_time"`
}

func provenBy(t *testing.T, a testenv.Answer) (p proven) {
	t.Helper()
	parts := strings.Split(a.String("id_token"), ".")
	if len(parts) != 3 {
		t.Fatalf("no ID token: %s", a.Raw)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil {
		err = json.Unmarshal(raw, &p)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const staffScope = "openid fhirUser user/Patient.rs"

// A practitioner of whom a second factor is required sets one up on the way, shows it from
// then on, and only then gets a code; the ID token says what was shown.
//
// spec: LOGIN-13, LOGIN-14, LOGIN-24
// attack: LG-08, P-40, LG-23
func TestAPractitionerOwesASecondFactor(t *testing.T) {
	env := owed(t, store.RolePractitioner)
	c, b := env.Client("sandbox-confidential"), env.Browser()
	r := c.Request(staffScope)
	p := b.SignIn(b.Open(r.URL()), "chen")
	if !asksToSetUp(p) || !strings.Contains(p.Body, "asks you for a second step") || b.Cookies()["emberlatch_session"] != "" {
		t.Fatalf("after the password: %s\n%s", p.Describe(), p.Body)
	}
	if again := b.Open(p.URL.RequestURI()); again.Value(t, "secret") != p.Value(t, "secret") {
		t.Error("a page that is loaded again shows another key")
	}
	if wrong := b.Submit(p, "action", "set-up", url.Values{"code": {"000000"}}); !asksToSetUp(wrong) || !strings.Contains(wrong.Body, "not the code of this key") {
		t.Fatalf("a wrong first code: %s", wrong.Describe())
	}
	began := time.Now().Unix()
	phone, p := b.SetUp(p)
	if !p.HasButton("decision", "allow") {
		t.Fatalf("after the backup codes: %s\n%s", p.Describe(), p.Body)
	}
	if b.Cookies()["emberlatch_second"] != "" || b.Cookies()["emberlatch_session"] == "" {
		t.Errorf("cookies: %v", b.Cookies())
	}
	first := c.Exchange(r, b.Submit(p, "decision", "allow", url.Values{"remember": {"yes"}}).Left.Query().Get("code"))
	if got := provenBy(t, first); !slices.Equal(got.AMR, []string{"pwd", "otp", "mfa"}) || got.AuthTime < began || got.ACR != "" {
		t.Errorf("the ID token: %+v", got)
	}
	if silent := b.Open(c.Request(staffScope, "prompt", "none").URL()); silent.Left == nil || silent.Left.Query().Get("code") == "" {
		t.Errorf("silently, with the session: %s", silent.Describe())
	}

	second := env.Browser()
	r = c.Request(staffScope)
	p = second.SignIn(second.Open(r.URL()), "chen")
	if !asksForCode(p) {
		t.Fatalf("in another browser: %s\n%s", p.Describe(), p.Body)
	}
	refusals := map[string]string{
		"wrong": "000000", "used to set it up": phone.Last(), "two minutes old": phone.At(time.Now().Unix()/30 - 4), "empty": "", "the other kind": phone.Backup[0],
	}
	var bodies []string
	for name, code := range refusals {
		q := second.Confirm(p, code)
		if !asksForCode(q) || q.Status != http.StatusOK || second.Cookies()["emberlatch_session"] != "" {
			t.Fatalf("%s: %s", name, q.Describe())
		}
		bodies = append(bodies, q.Body)
	}
	for _, body := range bodies {
		if body != bodies[0] || !strings.Contains(body, "This code did not work") {
			t.Errorf("refusals look different:\n%s\n---\n%s", bodies[0], body)
		}
	}
	half := second.Cookies()["emberlatch_second"]
	code := phone.Code()
	p = second.Confirm(p, code[:3]+" "+code[3:])
	if p.Left == nil || p.Left.Query().Get("code") == "" {
		t.Fatalf("a right code: %s\n%s", p.Describe(), p.Body)
	}
	if now := second.Cookies()["emberlatch_session"]; now == "" || now == half {
		t.Errorf("the id before and after: %q, %q", half, now)
	}

	third := env.Browser()
	p = third.SignIn(third.Open(c.Request(staffScope).URL()), "chen")
	if q := third.Confirm(p, code); !asksForCode(q) {
		t.Errorf("the same code once more: %s", q.Describe())
	}
	r = c.Request(staffScope)
	p = third.BackUp(p, phone.Backup[3])
	if p.Left == nil {
		t.Fatalf("a backup code: %s\n%s", p.Describe(), p.Body)
	}
	p = third.Open(r.URL())
	if got := provenBy(t, c.Exchange(r, p.Left.Query().Get("code"))); !slices.Equal(got.AMR, []string{"pwd", "mfa"}) {
		t.Errorf("with a backup code: %+v", got)
	}
	p = third.Open("/manage/second-step")
	if !strings.Contains(p.Body, "9 left") || p.HasButton("action", "remove") {
		t.Errorf("the page of the second step: %s", p.Body)
	}
	if q := third.Post("/manage/second-step", merge(p.Forms[0].Values, url.Values{"action": {"remove"}})); strings.Contains(q.Body, "is off") {
		t.Error("it was removed, though it is required")
	}
	fourth := env.Browser()
	if q := fourth.BackUp(fourth.SignIn(fourth.Open(c.Request(staffScope).URL()), "chen"), phone.Backup[3]); q.Left != nil || !strings.Contains(q.Body, "did not work") {
		t.Errorf("a backup code once more: %s", q.Describe())
	}
	// Nothing is asked of those who owe nothing.
	if got := provenBy(t, exchanged(t, env, "openid launch/patient patient/Patient.rs", "maria")); !slices.Equal(got.AMR, []string{"pwd"}) || got.ACR == "" {
		t.Errorf("a patient: %+v", got)
	}
}

func exchanged(t *testing.T, env *testenv.Env, scope, username string) testenv.Answer {
	t.Helper()
	_, a := env.Token("sandbox-confidential", scope, username, "")
	return a
}

// Somebody who has proven a password and owes a second factor is nobody, whatever door
// they try, whichever way the request came, and whatever the cookie is called.
//
// spec: LOGIN-13, LOGIN-18, AUTHZ-38
// attack: LG-17, P-41
func TestAHalfSessionOpensNoDoor(t *testing.T) {
	env := owed(t, store.RolePractitioner)
	c, ehr := env.Client("sandbox-confidential"), env.Client("sandbox-browser")
	whole := env.Browser()
	phone, p := whole.SetUp(whole.SignIn(whole.Open(c.Request(staffScope).URL()), "chen"))
	whole.Submit(p, "decision", "allow", url.Values{"remember": {"yes"}})

	b := env.Browser()
	r := c.Request(staffScope)
	step := b.SignIn(b.Open(r.URL()), "chen")
	if !asksForCode(step) {
		t.Fatal(step.Describe())
	}
	handle := url.QueryEscape(step.Inputs("request")[0])
	login := func(name string, p testenv.Page) {
		t.Helper()
		if p.Left != nil || !p.HasButton("action", "sign-in") || p.HasButton("action", "continue") || strings.Contains(p.Body, "Wei Chen") {
			t.Errorf("%s: %s\n%s", name, p.Describe(), p.Body)
		}
	}
	doors := func(b *testenv.Browser) {
		for _, path := range []string{
			"/authorize/continue", "/login", "/choose", "/choose/encounter", "/approve",
		} {
			login(path, b.Open(path+"?request="+handle))
		}
		for _, path := range []string{
			"/manage", "/manage/sign-ins", "/manage/password", "/manage/looked", "/manage/stop-all", "/manage/receipt?access=" + strings.Repeat("a", 22),
			"/manage/second-step", "/manage/second-step/set-up", "/manage/stop?access=" + strings.Repeat("a", 22),
		} {
			login(path, b.Open(path))
		}
		login("another request", b.Open(c.Request(staffScope).URL()))
		login("a pushed request", b.Open(c.Push(c.Request(staffScope)).URL()))
		login("from a chart", b.Open(ehr.Launched("launch patient/Patient.rs", "maria", "user", "chen").URL()))
		chart := ehr.Launched("launch patient/Patient.rs", "maria", "user", "chen")
		chart.Values.Set("prompt", "none")
		for _, silent := range []testenv.Request{c.Request(staffScope, "prompt", "none"), chart, c.Push(c.Request(staffScope, "prompt", "none"))} {
			if p := b.Open(silent.URL()); p.Left == nil || p.Left.Query().Get("error") != "login_required" || p.Left.Query().Has("code") {
				t.Errorf("silently: %s", p.Describe())
			}
		}
		for _, path := range []string{"/approve", "/choose", "/manage/stop-all", "/manage/sign-ins", "/manage/password", "/manage/second-step", "/manage/second-step/set-up"} {
			for _, press := range []string{"allow", "stop", "end-others", "change", "remove", "new-codes", "set-up", "continue"} {
				p := b.Post(path, merge(step.Forms[0].Values, url.Values{"action": {press}, "decision": {press}, "patient": {"maria"}}))
				if p.Left != nil || p.Status == http.StatusOK && !p.HasButton("action", "sign-in") {
					t.Errorf("POST %s %s: %s\n%s", path, press, p.Describe(), p.Body)
				}
			}
		}
		if p := b.Open("/logout"); p.HasButton("action", "sign-out") || strings.Contains(p.Body, "Wei Chen") {
			t.Errorf("signing out tells who it is: %s", p.Body)
		}
		if p := b.Open("/developers"); strings.Contains(p.Body, "Wei Chen") {
			t.Errorf("developers: %s", p.Body)
		}
	}
	doors(b)
	// The id of the half session is no other one.
	half := b.Cookies()["emberlatch_second"]
	for _, name := range []string{"emberlatch_session", "__Host-emberlatch_session"} {
		b.SetCookie(name, half)
	}
	doors(b)
	for _, path := range []string{"/userinfo", "/fhir/Patient/maria"} {
		if a := env.Get(half, env.URL+path); a.Status != http.StatusUnauthorized {
			t.Errorf("%s: %d", path, a.Status)
		}
	}
	// It is good for one thing, and for no other browser.
	page := "/login/second?request=" + handle
	if p := env.Browser().Open(page); p.Status != http.StatusBadRequest {
		t.Errorf("another browser: %s", p.Describe())
	}
	if p := b.Confirm(b.Open(page), phone.Code()); p.Left == nil || p.Left.Query().Get("code") == "" {
		t.Errorf("the code after all: %s", p.Describe())
	}
}

// Anybody may have a second factor: it is set up, renewed and removed on one's own pages,
// and the other browsers are signed out.
//
// spec: LOGIN-13, LOGIN-14, LOGIN-26
// attack: LG-08, LG-12, LO-01
func TestAPatientChoosesASecondFactor(t *testing.T) {
	env := testenv.Start(t)
	here, there := env.Browser(), env.Browser()
	connectedApps(t, env, here, "maria")
	connectedApps(t, env, there, "maria")
	if p := here.Open("/manage/second-step"); !strings.Contains(p.Body, "It is off") {
		t.Fatal(p.Body)
	}
	before := here.Cookies()["emberlatch_session"]
	phone, p := here.SetUp(here.Open("/manage/second-step/set-up"))
	if !strings.Contains(p.Body, "10 left") || here.Cookies()["emberlatch_session"] == before {
		t.Fatalf("set up: %s\n%s", p.Describe(), p.Body)
	}
	p = there.Open("/manage")
	if !p.HasButton("action", "sign-in") {
		t.Errorf("the other browser: %s", p.Describe())
	}
	if p = there.SignIn(p, "maria"); !asksForCode(p) {
		t.Fatalf("the password only: %s\n%s", p.Describe(), p.Body)
	}
	if p = there.Confirm(p, phone.Code()); p.URL.Path != "/manage" {
		t.Fatalf("with a code: %s\n%s", p.Describe(), p.Body)
	}
	c := env.Client("sandbox-confidential")
	r := c.Request("openid launch/patient patient/Patient.rs")
	p = here.Open(r.URL())
	if got := provenBy(t, c.Exchange(r, here.Submit(p, "decision", "allow", nil).Left.Query().Get("code"))); !slices.Equal(got.AMR, []string{"pwd", "otp", "mfa"}) {
		t.Errorf("after setting up: %+v", got)
	}
	again := here.Open(c.Request("openid launch/patient patient/Patient.rs", "prompt", "login").URL())
	if again = here.SignIn(again, "maria"); !asksForCode(again) {
		t.Errorf("prompt=login: %s", again.Describe())
	}

	fresh := here.Submit(here.Open("/manage/second-step"), "action", "new-codes", nil)
	if strings.Contains(fresh.Body, phone.Backup[0]) || !strings.Contains(fresh.Body, "take the place of the ones before") {
		t.Fatalf("new codes: %s", fresh.Body)
	}
	third := env.Browser()
	p = third.SignIn(third.Open("/manage"), "maria")
	if q := third.BackUp(p, phone.Backup[0]); !strings.Contains(q.Body, "did not work") {
		t.Errorf("a backup code from before: %s", q.Describe())
	}
	removed := here.Submit(here.Open("/manage/second-step"), "action", "remove", nil)
	if !strings.Contains(removed.Body, "The second step is off") {
		t.Fatal(removed.Body)
	}
	if q := third.Open("/login/second?request=manage"); !q.HasButton("action", "sign-in") {
		t.Errorf("a half session from before it was removed: %s", q.Describe())
	}
	if p = third.SignIn(third.Open("/manage"), "maria"); p.URL.Path != "/manage" {
		t.Errorf("without it: %s", p.Describe())
	}
	export := env.Admin(http.MethodGet, "/audit/export", "").Raw
	for _, kind := range []string{"factor.set", "factor.backup-codes", "factor.removed", "factor.refused", "login.half"} {
		if !strings.Contains(export, `"`+kind+`"`) {
			t.Errorf("no event %s", kind)
		}
	}
	for _, secret := range append(phone.Backup, phone.Last(), strings.ReplaceAll(phone.Backup[0], "-", "")) {
		if strings.Contains(export, secret) {
			t.Errorf("the record holds %s", secret)
		}
	}
}

// Codes are counted by account: after six wrong ones within five minutes the right one
// has to wait too, in every browser and after the password once more.
//
// spec: LOGIN-11
// attack: LG-05
func TestCodesAreThrottled(t *testing.T) {
	env := owed(t, store.RolePractitioner)
	c, b := env.Client("sandbox-confidential"), env.Browser()
	phone, _ := b.SetUp(b.SignIn(b.Open(c.Request(staffScope).URL()), "chen"))
	other := env.Browser()
	p := other.SignIn(other.Open(c.Request(staffScope).URL()), "chen")
	for i := range 6 {
		if q := other.Confirm(p, "000000"); q.Status != http.StatusOK {
			t.Fatalf("try %d: %s", i+1, q.Describe())
		}
		p = other.SignIn(other.Open(c.Request(staffScope).URL()), "chen")
	}
	for _, q := range []testenv.Page{other.Confirm(p, phone.Code()), other.BackUp(p, phone.Backup[0])} {
		if q.Status != http.StatusTooManyRequests || !strings.Contains(q.Body, "Please wait 5 minutes") {
			t.Errorf("after six: %s\n%s", q.Describe(), q.Body)
		}
	}
}

// An operator takes a lost factor away; nobody is signed in any more, and the next
// sign-in sets another up.
//
// spec: LOGIN-13
func TestAnOperatorRemovesAFactor(t *testing.T) {
	env := owed(t, store.RolePractitioner)
	c, b := env.Client("sandbox-confidential"), env.Browser()
	phone, _ := b.SetUp(b.SignIn(b.Open(c.Request(staffScope).URL()), "chen"))
	if a := env.Admin(http.MethodDelete, "/users/CHEN/factor", ""); a.Status != http.StatusOK || a.String("username") != "chen" {
		t.Fatal(a.Raw)
	}
	if a := env.Admin(http.MethodDelete, "/users/chen/factor", ""); a.Status != http.StatusNotFound || !strings.Contains(a.Raw, "no second factor") {
		t.Errorf("once more: %d %s", a.Status, a.Raw)
	}
	if a := env.Admin(http.MethodDelete, "/users/nobody/factor", ""); a.Status != http.StatusNotFound {
		t.Errorf("of nobody: %d %s", a.Status, a.Raw)
	}
	p := b.Open(c.Request(staffScope).URL())
	if !p.HasButton("action", "sign-in") || p.HasButton("action", "continue") {
		t.Fatalf("the session goes on: %s", p.Describe())
	}
	p = b.SignIn(p, "chen")
	if !asksToSetUp(p) {
		t.Fatalf("the next sign-in: %s", p.Describe())
	}
	if q := b.Submit(p, "action", "set-up", url.Values{"code": {phone.Code()}}); !asksToSetUp(q) {
		t.Errorf("a code of the lost one sets another up: %s", q.Describe())
	}
}

// Who enrols where patients owe a second factor sets one up before anything is shared.
//
// spec: LOGIN-13
func TestWhoEnrolsOwesASecondFactor(t *testing.T) {
	env := owed(t, store.RolePatient)
	who, b := env.File.Enrolment[0], env.Browser()
	p := b.Open(env.Client("sandbox-native").Request(readAll).URL())
	p = b.Open("/enrol?request=" + url.QueryEscape(p.URL.Query().Get("request")))
	year, rest, _ := strings.Cut(who.BirthDate, "-")
	month, day, _ := strings.Cut(rest, "-")
	p = b.Submit(p, "action", "continue", url.Values{
		"given": {who.Given}, "family": {who.Family}, "birth_date-year": {year}, "birth_date-month": {month}, "birth_date-day": {day}, "code": {who.Code},
	})
	p = b.Submit(p, "action", "continue", url.Values{"username": {"nora"}, "password": {"a quiet morning walk"}})
	if !asksToSetUp(p) {
		t.Fatalf("after enrolling: %s\n%s", p.Describe(), p.Body)
	}
	if _, p = b.SetUp(p); !p.HasButton("decision", "allow") {
		t.Errorf("after the second step: %s\n%s", p.Describe(), p.Body)
	}
}

// One code, typed at once in browsers at two processes, opens one session.
//
// attack: F-53, P-40
func TestOneCodeTypedTwice(t *testing.T) {
	nodes := testenv.Nodes(t, 2)
	b := nodes[0].Browser()
	connectedApps(t, nodes[0], b, "zoe")
	phone, _ := b.SetUp(b.Open("/manage/second-step/set-up"))
	for name, code := range map[string]string{"code": phone.Code(), "backup": phone.Backup[0]} {
		browsers, pages := make([]*testenv.Browser, 4), make([]testenv.Page, 4)
		for i := range browsers {
			browsers[i] = nodes[i%2].Browser()
			pages[i] = browsers[i].SignIn(browsers[i].Open("/manage"), "zoe")
			if name == "backup" {
				pages[i] = browsers[i].Open("/login/second?backup&request=manage")
			}
		}
		var done sync.WaitGroup
		start := make(chan struct{})
		for i := range browsers {
			done.Go(func() {
				<-start
				pages[i] = browsers[i].Submit(pages[i], "action", "confirm", url.Values{name: {code}})
			})
		}
		close(start)
		done.Wait()
		in := 0
		for _, p := range pages {
			if p.URL.Path == "/manage" && p.Status == http.StatusOK {
				in++
			}
		}
		if in != 1 {
			t.Errorf("%s: %d got in", name, in)
		}
	}
}

// The sandbox has somebody with a second factor, whose secret its file tells; a sandbox
// that is started again has them still.
//
// spec: LOGIN-13
func TestSomebodyInTheSandboxHasASecondFactor(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		t.Run("a start", func(t *testing.T) {
			env := testenv.StartWith(t, func(o *app.SandboxOptions) { o.DataDir = dir })
			b, c := env.Browser(), env.Client("sandbox-confidential")
			p := b.SignIn(b.Open(c.Request(staffScope, "prompt", "login").URL()), "helena")
			if !asksForCode(p) {
				t.Fatalf("after the password: %s", p.Describe())
			}
			phone := env.Authenticator("helena")
			if p = b.Confirm(p, phone.Code()); asksForCode(p) { // used by the start before
				p = b.Confirm(p, phone.Code())
			}
			if p.Left == nil && !p.HasButton("decision", "allow") {
				t.Errorf("with the code: %s", p.Describe())
			}
		})
	}
}

// Who signs out at a browser where a password was shown, and the code was not, has ended
// that too: a code shown afterwards opens nothing. A form of another site ends nothing.
//
// spec: LOGIN-13, LOGIN-16
func TestSigningOutForgetsThePassword(t *testing.T) {
	env := owed(t, store.RolePractitioner)
	c, whole := env.Client("sandbox-confidential"), env.Browser()
	phone, _ := whole.SetUp(whole.SignIn(whole.Open(c.Request(staffScope).URL()), "chen"))
	for _, foreign := range []bool{true, false} {
		b := env.Browser()
		step := b.SignIn(b.Open(c.Request(staffScope).URL()), "chen")
		if !asksForCode(step) {
			t.Fatal(step.Describe())
		}
		if foreign {
			b.Forged("/logout", nil)
		} else {
			b.Post("/logout", nil)
		}
		if p := b.Confirm(step, phone.Code()); p.HasButton("decision", "allow") != foreign {
			t.Errorf("foreign %v: %s\n%s", foreign, p.Describe(), p.Body)
		}
	}
}
