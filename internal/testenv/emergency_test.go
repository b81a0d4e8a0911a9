package testenv_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/app"
	"github.com/emberlatch/emberlatch/internal/testenv"
)

// Two people who look alike to whoever does not look exactly, and neither is a patient of
// the physician on call, who reaches nobody at all.
const (
	rosa        = `{"resourceType":"Patient","id":"rosa","name":[{"family":"Vega","given":["Rosa","Maria"]}],"birthDate":"1971-03-09","gender":"female","identifier":[{"system":"urn:mrn","value":"R-7001"}],"telecom":[{"system":"phone","value":"555-7001"}]}`
	rosas       = `{"resourceType":"Patient","id":"rosas","name":[{"family":"Vega","given":["Rosa"]}],"birthDate":"1971-03-10","gender":"female","identifier":[{"system":"urn:mrn","value":"R-7002"}]}`
	pulse       = `{"resourceType":"Observation","id":"pulse","status":"final","code":{"text":"pulse"},"subject":{"reference":"Patient/rosa"}}`
	worry       = `{"resourceType":"Condition","id":"worry","code":{"text":"x"},"subject":{"reference":"Patient/rosa"}}`
	onCallScope = "launch/patient openid fhirUser offline_access patient/Patient.rs patient/Observation.rs user/Patient.rs"
)

// allowed switches emergencies on.
func allowed(roles ...string) func(*app.SandboxOptions) {
	return func(o *app.SandboxOptions) {
		o.Reach = app.ReachConfig{Majority: 18, Emergency: app.EmergencyConfig{Allowed: true, Roles: roles}}
	}
}

// onCall is a server with both, and the physician.
func onCall(t *testing.T, start where, change func(*app.SandboxOptions)) *testenv.Env {
	t.Helper()
	env, load := start(t, change)
	load(`{"resourceType":"Practitioner","id":"dr-night","name":[{"family":"Night"}]}`, rosa, rosas, pulse, worry)
	join(t, env, "practitioner", "night", "Practitioner/dr-night")
	return env
}

// picker signs in to an app and comes to the search for a patient.
func picker(env *testenv.Env, user string) (*testenv.Client, testenv.Request, *testenv.Browser, testenv.Page) {
	c := env.Client("sandbox-confidential")
	c.RedirectURI = "https://companion.example.org/callback"
	r := c.Request(onCallScope)
	b := env.Browser()
	return c, r, b, b.SignIn(b.Open(r.URL()), user)
}

func seeks(b *testenv.Browser, p testenv.Page, name, born, number string) testenv.Page {
	return b.Submit(p, "action", "search", url.Values{"name": {name}, "birth_date": {born}, "record_number": {number}})
}

// stated is the form as somebody fills it in who has a reason.
func stated(env *testenv.Env, pairs ...string) url.Values {
	v := url.Values{"reason": {"urgent-care"}, "words": {"found  on the road"}, "minutes": {"15"}, "password": {env.Password("night")}}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

// shares goes on from the page to approve to the tokens.
func shares(t *testing.T, c *testenv.Client, r testenv.Request, b *testenv.Browser, p testenv.Page) testenv.Answer {
	t.Helper()
	left := b.Submit(p, "decision", "allow", nil)
	if left.Left == nil {
		t.Fatal(left.Describe())
	}
	return c.Exchange(r, left.Left.Query().Get("code"))
}

// opened has opened rosa's record for an app.
func opened(t *testing.T, env *testenv.Env) (c *testenv.Client, b *testenv.Browser, a testenv.Answer) {
	t.Helper()
	c, r, b, p := picker(env, "night")
	p = b.Submit(seeks(b, p, "", "", "R-7001"), "emergency", "rosa", nil)
	return c, b, shares(t, c, r, b, b.Submit(p, "action", "open", stated(env)))
}

// A record that is opened in an emergency: that one patient is reached and nobody else, by
// the scopes that there are, until it is ended; the record says so with BTG and the reason.
//
// spec: RSP-18, AUD-05
// attack: GW-38
func TestARecordIsOpenedInAnEmergency(t *testing.T) { wherever(t, aRecordIsOpenedInAnEmergency) }

func aRecordIsOpenedInAnEmergency(t *testing.T, start where) {
	env := onCall(t, start, allowed())
	c, b, a := opened(t, env)
	token := a.String("access_token")
	if a.String("patient") != "rosa" {
		t.Fatal(a.Raw)
	}
	for path, want := range map[string]int{
		"Patient/rosa": http.StatusOK, "Patient/rosas": http.StatusNotFound, "Patient/maria": http.StatusNotFound,
		"Observation/pulse": http.StatusOK, "Condition/worry": http.StatusForbidden,
	} {
		if got := env.Get(token, path); got.Status != want {
			t.Errorf("%s: %d, want %d", path, got.Status, want)
		}
	}
	if all := env.Get(token, "Patient?_summary=count"); !strings.Contains(all.Raw, `"total":1`) {
		t.Errorf("all patients: %s", all.Raw)
	}
	if x, _, _ := explanation(t, env, token, "GET", "Patient/rosa"); !strings.Contains(x.Raw, `"reached_by":{"rosa":["emergency"]}`) {
		t.Errorf("the explanation does not name the way: %s", x.Raw)
	}
	inTheRecord(t, env)

	a = c.Refresh(a.String("refresh_token"))
	token = a.String("access_token")
	if got := env.Get(token, "Patient/rosa"); got.Status != http.StatusOK {
		t.Errorf("refreshed while it lasts: %d", got.Status)
	}
	records := resourceServer(env, "")
	page := b.Open("/manage/emergencies")
	if !strings.Contains(page.Body, "Rosa Maria Vega") || !strings.Contains(b.Open("/manage").Body, `href="/manage/emergencies"`) || !active(t, env, records, token) {
		t.Errorf("while it lasts: %s", page.Body)
	}
	b.Submit(page, "action", "end", nil)
	if got := env.Get(token, "Patient/rosa"); got.Status != http.StatusNotFound {
		t.Errorf("ended by hand, at once: %d", got.Status)
	}
	if active(t, env, records, token) {
		t.Error("ended by hand, and the token is active")
	}
	if again := c.Refresh(a.String("refresh_token")); again.Status != http.StatusBadRequest {
		t.Errorf("ended by hand, and it is refreshed: %d", again.Status)
	}
}

// inTheRecord looks for what the story has left there.
func inTheRecord(t *testing.T, env *testenv.Env) {
	t.Helper()
	const btg = `"code":"BTG"`
	var openings, reads, others int
	for _, e := range exports(t, env) {
		marked := strings.Contains(e.line, btg)
		switch {
		case strings.Contains(e.line, `"emergency.opened"`):
			openings++
			if !marked || !strings.Contains(e.line, `"outcomeDesc":"urgent-care: found on the road"`) || !strings.Contains(e.line, `"Patient/rosa"`) || !strings.Contains(e.line, `"110127"`) {
				t.Errorf("the opening: %s", e.line)
			}
		case strings.Contains(e.line, `"valueString":"emergency"`):
			if reads++; !marked {
				t.Errorf("a read because of it: %s", e.line)
			}
		case marked && !strings.Contains(e.line, `"emergency.`):
			others++
		}
	}
	if openings != 1 || reads < 2 || others > 0 {
		t.Errorf("%d openings, %d reads, %d others with BTG", openings, reads, others)
	}
	for _, line := range strings.Split(strings.TrimSpace(env.Admin(http.MethodGet, "/audit/export?emergency=true", "").Raw), "\n") {
		if !strings.Contains(line, btg) {
			t.Errorf("not of an emergency: %s", line)
		}
	}
}

// Only an exact search says who somebody is, and only to those who may know; an id that was
// not shown opens nothing, and so does a form without a reason or without the password.
//
// spec: CTX-13
// attack: GW-38, LG-03
func TestWhoOpensARecordInAnEmergency(t *testing.T) { wherever(t, whoOpensARecordInAnEmergency) }

func whoOpensARecordInAnEmergency(t *testing.T, start where) {
	env := onCall(t, start, allowed())
	_, _, b, p := picker(env, "night")
	for name, typed := range map[string][3]string{
		"a part of the name": {"Vega", "1971-03-09", ""}, "no birth date": {"Rosa Vega", "", ""}, "a year": {"Rosa Vega", "1971", ""},
		"another day": {"Rosa Vega", "1971-03-11", ""}, "a part of the number": {"", "", "R-700"}, "a number, and another name": {"Nora Vega", "", "R-7001"},
		"a number, and another day": {"", "1971-03-10", "R-7001"}, "nobody": {"", "", "R-9999"},
	} {
		if got := seeks(b, p, typed[0], typed[1], typed[2]); strings.Contains(got.Body, `name="emergency"`) || !strings.Contains(got.Body, "No patients that you can open match this.") {
			t.Errorf("%s: %s", name, got.Body)
		}
	}
	for name, typed := range map[string][3]string{"the number": {"", "", "R-7001"}, "all names": {"rosa maria  VEGA", "1971-03-09", ""}, "the first, family first": {"Vega, Rosa", "1971-03-09", ""}} {
		got := seeks(b, p, typed[0], typed[1], typed[2])
		if !got.HasButton("emergency", "rosa") || got.HasButton("emergency", "rosas") || strings.Contains(got.Body, "555-7001") || typed[2] == "" && strings.Contains(got.Body, "R-7001") {
			t.Errorf("%s: %s", name, got.Body)
		}
		p = got
	}
	forged := b.Submit(p, "emergency", "rosa", url.Values{}) // shown
	if !forged.HasButton("action", "open") || strings.Contains(forged.Body, "R-7001") {
		t.Fatal(forged.Body)
	}
	form := forged
	back := b.Submit(form, "action", "search", nil)
	for _, id := range []string{"rosas", "maria", ""} {
		f := back.Forms[0].Values
		if got := b.Post("/choose", url.Values{"request": f["request"], "ticket": f["ticket"], "emergency": {id}}); strings.Contains(got.Body, `value="open"`) {
			t.Errorf("an id that was not shown, %q: %s", id, got.Body)
		}
	}
	form = b.Submit(seeks(b, back, "", "", "R-7001"), "emergency", "rosa", nil)
	for name, row := range map[string]struct{ key, value, says string }{
		"no reason": {"reason", "", "Say why."}, "a reason of their own": {"reason", "because", "Say why."}, "another, without words": {"reason", "other", "Say in your words"},
		"too long": {"minutes", "480", "Choose how long."}, "for ever": {"minutes", "0", "Choose how long."}, "no password": {"password", "", "This is not your password"}, "a wrong password": {"password", "a wrong pass phrase", "This is not your password"},
	} {
		words := "x"
		if row.value == "other" {
			words = " \t\u200b "
		}
		if got := b.Submit(form, "action", "open", stated(env, "words", words, row.key, row.value)); !strings.Contains(got.Body, row.says) || got.HasButton("decision", "allow") {
			t.Errorf("%s: %s", name, got.Body)
		}
	}
	waits := false
	for range 9 {
		waits = waits || b.Submit(form, "action", "open", stated(env, "password", "a wrong pass phrase")).Status == http.StatusTooManyRequests
	}
	if !waits {
		t.Error("wrong passwords are not counted")
	}
	if list := env.Admin(http.MethodGet, "/emergencies", ""); strings.TrimSpace(list.Raw) != "[]" {
		t.Errorf("something was opened: %s", list.Raw)
	}
	if all := env.Admin(http.MethodGet, "/audit/export?emergency=true", "").Raw; !strings.Contains(all, `"emergency.refused"`) || !strings.Contains(all, `"emergency.looked"`) || strings.Contains(all, `"emergency.opened"`) {
		t.Errorf("the record: %s", all)
	}
}

// Where it is off, for people of other roles, and for patients, the pages are as if nobody
// could.
//
// spec: CTX-13
// attack: GW-38
func TestWhoOpensNothingInAnEmergency(t *testing.T) {
	for name, row := range map[string]struct {
		change func(*app.SandboxOptions)
		role   string
		finds  bool
	}{
		"off":            {func(*app.SandboxOptions) {}, "", false},
		"no such role":   {allowed("urn:roles|emergency"), "nurse", false},
		"the named role": {allowed("urn:roles|emergency"), "emergency", true},
	} {
		t.Run(name, func(t *testing.T) {
			env := testenv.StartWith(t, row.change)
			loads(t, env, rosa, `{"resourceType":"Practitioner","id":"dr-night"}`,
				`{"resourceType":"Patient","id":"own","generalPractitioner":[{"reference":"Practitioner/dr-night"}]}`,
				`{"resourceType":"PractitionerRole","id":"r","active":true,"practitioner":{"reference":"Practitioner/dr-night"},"code":[{"coding":[{"system":"urn:roles","code":"`+row.role+`x"},{"system":"urn:roles","code":"`+row.role+`"}]}]}`)
			join(t, env, "practitioner", "night", "Practitioner/dr-night")
			_, _, b, p := picker(env, "night")
			known, unknown := seeks(b, p, "", "", "R-7001"), seeks(b, p, "", "", "R-9999")
			if known.HasButton("emergency", "rosa") != row.finds {
				t.Errorf("finds: %s", known.Body)
			}
			if same := strings.ReplaceAll(known.Body, "R-7001", "R-9999") == unknown.Body; !row.finds && !same {
				t.Errorf("the answers differ:\n%s\n%s", known.Body, unknown.Body)
			}
			if row.finds {
				return
			}
			f := p.Forms[0].Values
			if got := b.Post("/choose", url.Values{"request": f["request"], "ticket": f["ticket"], "emergency": {"rosa"}}); strings.Contains(got.Body, `value="open"`) {
				t.Errorf("an id of a form: %s", got.Body)
			}
			if got := b.Open("/choose/emergency?request=" + f.Get("request")); strings.Contains(got.Body, `value="open"`) {
				t.Errorf("the page itself: %s", got.Body)
			}
		})
	}
	t.Run("a representative", func(t *testing.T) {
		env := testenv.StartWith(t, allowed())
		loads(t, env, rosa)
		_, _, b, p := picker(env, "anna") // of anna and leo
		f := p.Forms[0].Values
		got := b.Post("/choose", url.Values{"request": f["request"], "ticket": f["ticket"], "action": {"search"}, "record_number": {"R-7001"}})
		if strings.Contains(got.Body, "rosa") {
			t.Errorf("the search: %s", got.Body)
		}
		if got := b.Open("/choose/emergency?request=" + f.Get("request")); strings.Contains(got.Body, `value="open"`) {
			t.Errorf("the page: %s", got.Body)
		}
	})
}

// An operator ends one, and the next request of the app feels it at every process; who is
// disabled reaches nobody.
//
// spec: AUD-05
// attack: GW-38, B.112
func TestAnEmergencyEndsAtEveryProcess(t *testing.T) {
	nodes := testenv.Nodes(t, 2, func(c *app.Config) { c.Reach.Emergency.Allowed = true })
	one, two := nodes[0], nodes[1]
	loads(t, one, rosa, rosas, `{"resourceType":"Practitioner","id":"dr-night"}`)
	join(t, one, "practitioner", "night", "Practitioner/dr-night")
	two.File.People = one.File.People
	c := one.Register(`{"redirect_uris":["https://app.example.org/cb"],"scope":"launch/patient patient/*.rs openid offline_access user/Patient.rs"}`)
	r := c.Request("launch/patient patient/Patient.rs openid offline_access")
	eventually(t, "the client is known at the other process", func() bool { return two.Browser().Open(r.URL()).HasButton("action", "sign-in") })
	b := one.Browser()
	p := seeks(b, b.SignIn(b.Open(r.URL()), "night"), "Rosa Vega", "1971-03-09", "")
	p = b.Submit(p, "emergency", "rosa", nil)
	// The other process answers the form, and knows at once what it has opened.
	p = b.At(two).Submit(p, "action", "open", stated(one))
	left := b.At(two).Submit(p, "decision", "allow", nil)
	if left.Left == nil {
		t.Fatal(left.Describe(), left.Body)
	}
	a := c.At(two).Exchange(r, left.Left.Query().Get("code"))
	reads := func(e *testenv.Env, path string, status int) func() bool {
		return func() bool { return e.Get(a.String("access_token"), path).Status == status }
	}
	if !reads(two, "Patient/rosa", http.StatusOK)() {
		t.Fatal(a.Raw)
	}
	eventually(t, "open at the first process", reads(one, "Patient/rosa", http.StatusOK))
	if !reads(one, "Patient/rosas", http.StatusNotFound)() {
		t.Error("somebody else")
	}
	var list []struct {
		ID, Username, Patient, Reason string
		Open                          bool
		Opened, Ends                  time.Time
	}
	if err := json.Unmarshal([]byte(one.Admin(http.MethodGet, "/emergencies?open=true", "").Raw), &list); err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if e := list[0]; e.Username != "night" || e.Patient != "Patient/rosa" || e.Reason != "urgent-care: found on the road" || !e.Open || e.Ends.Sub(e.Opened) != 15*time.Minute {
		t.Errorf("%+v", e)
	}
	end := func() testenv.Answer { return one.Admin(http.MethodPost, "/emergencies/"+list[0].ID+"/end", "") }
	if got := end(); got.Status != http.StatusOK {
		t.Fatal(got.Raw)
	}
	if !reads(one, "Patient/rosa", http.StatusNotFound)() {
		t.Error("not over at once where it was ended")
	}
	eventually(t, "over at the other process", reads(two, "Patient/rosa", http.StatusNotFound))
	if got := end(); got.Status != http.StatusNotFound {
		t.Errorf("ended twice: %d %s", got.Status, got.Raw)
	}
	if got := c.At(two).Refresh(a.String("refresh_token")); got.Status != http.StatusBadRequest {
		t.Errorf("refreshed afterwards: %d", got.Status)
	}
	if all := one.Admin(http.MethodGet, "/audit/export?emergency=true", "").Raw; !strings.Contains(all, `"110138"`) {
		t.Errorf("the end does not stand in the record: %s", all)
	}
}
