package manage_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/emberlatch/emberlatch/internal/manage"
	"github.com/emberlatch/emberlatch/internal/store"
)

// text are the words of a page, in one line.
func text(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(w.Body.String()))
	must(t, err)
	var b strings.Builder
	for n := range doc.Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func says(t *testing.T, w *httptest.ResponseRecorder, wanted ...string) {
	t.Helper()
	got := text(t, w)
	for _, want := range wanted {
		if !strings.Contains(got, want) {
			t.Errorf("the page (%d) does not say %q: %s", w.Code, want, got)
		}
	}
}

// A card says who the app is, what it may, since when, when it was last used and when it
// ends; and those that keep access are told at the top.
//
// spec: CONS-18, CONS-19
func TestACard(t *testing.T) {
	e := newEnv(t)
	maria := e.user("maria", store.RolePatient, "Patient/maria", "maria")
	kept := e.give("maria", "growth", "maria", offline, "patient/Observation.rs", "patient/Condition.rs", "patient/QuestionnaireResponse.c", "openid", "offline_access")
	e.give("maria", "steps", "maria", store.RefreshPolicy{})
	must(t, e.store.NoteUses(t.Context(), []store.GrantUse{{GrantID: kept, At: time.Now().Add(3*time.Hour + 30*time.Second)}}))
	e.ahead = 5 * time.Hour
	w := maria.get(manage.Path)
	if w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("X-Frame-Options") != "DENY" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	says(t, w, "You are signed in as Display-of-maria.", "1 app can get new information even when you are not using it.", "Your own record, Name-of-maria",
		"GrowthTracker Keeps access when you are away Can add or change Made by Sprout Health Since", "Last used 1 hour ago Ends on ", "if it is not used before",
		"Can see Health problems Results and measurements Can add or change Answers you gave: add It knows that it is you who signed in.",
		"patient/QuestionnaireResponse.c", "Stop sharing with GrowthTracker", "StepCounter Since", "Stop sharing with all apps")
	if strings.Index(text(t, w), "GrowthTracker") > strings.Index(text(t, w), "StepCounter") {
		t.Error("what was used last does not stand first")
	}
	if strings.Contains(w.Body.String(), string(kept)) || strings.Contains(w.Body.String(), "access=maria") {
		t.Error("the page names a grant, or a person in an address")
	}
}

// Who sees what, and may stop what. In the table the grants are by whom, to which app,
// about whom.
//
// spec: CONS-18
// attack: CO-03, CO-12
func TestWhoSeesWhat(t *testing.T) {
	e := newEnv(t)
	e.clients["child"] = store.Client{ID: "child", Name: "ChildApp"}
	must(t, e.store.CreateClient(t.Context(), e.clients["child"]))
	e.user("tom", store.RolePatient, "Patient/tom", "tom")
	e.user("ruth", store.RoleRepresentative, "RelatedPerson/r", "tom")
	e.user("anna", store.RoleRepresentative, "Patient/anna", "anna", "leo")
	e.user("ben", store.RoleRepresentative, "", "leo")
	e.user("chen", store.RolePractitioner, "Practitioner/c", "tom", "leo")
	e.user("odd", store.RolePractitioner, "Patient/tom", "tom") // an account at work is nobody's own record
	e.user("lost", store.RoleRepresentative, "Patient/tom")     // no longer reaches it
	e.user("admin", store.RoleAdministrator, "")
	given := map[string]store.GrantID{
		"tom to steps": e.give("tom", "steps", "tom", offline), "ruth to growth about tom": e.give("ruth", "growth", "tom", offline),
		"chen to risk about tom": e.give("chen", "risk", "tom", offline), "chen to steps": e.give("chen", "steps", "", offline, "user/*.rs"),
		"anna to child about leo": e.give("anna", "child", "leo", offline), "ben to growth about leo": e.give("ben", "growth", "leo", offline),
		"anna to steps about gone": e.give("anna", "steps", "former", offline),
	}
	for _, row := range []struct {
		who       store.UserID
		headings  string
		sees      string // app, with * when it can be stopped
		neverSays []string
	}{
		{"tom", "Your own record, Name-of-tom", "GrowthTracker* RiskCalc StepCounter*", []string{"Display-of-chen", "leo"}},
		{"ruth", "The record of Name-of-tom", "GrowthTracker*", []string{"StepCounter", "RiskCalc"}},
		{"anna", "The record of Name-of-leo / Somebody whose record you cannot open now", "ChildApp* StepCounter*", []string{"Name-of-former", "GrowthTracker"}},
		{"ben", "The record of Name-of-leo", "GrowthTracker*", []string{"ChildApp"}},
		{"chen", "The record of Name-of-tom / No single person’s record", "RiskCalc* StepCounter*", []string{"GrowthTracker", "ChildApp"}},
		{"odd", "", "", []string{"StepCounter"}},
		{"lost", "", "", []string{"StepCounter", "tom"}},
		{"admin", "", "", []string{"StepCounter"}},
	} {
		t.Run(string(row.who), func(t *testing.T) {
			w := e.browsers[row.who].get(manage.Path)
			headings, sees := seen(t, w)
			if headings != row.headings || sees != row.sees {
				t.Errorf("sees %q with %q, want %q with %q", headings, sees, row.headings, row.sees)
			}
			for _, never := range row.neverSays {
				if strings.Contains(text(t, w), never) {
					t.Errorf("the page says %q", never)
				}
			}
		})
	}
	// What one person may stop is not another's to stop, by the same address and form.
	link := e.browsers["ruth"].stopLinks()["GrowthTracker"]
	if w := e.browsers["tom"].get(link); w.Code != http.StatusOK || !strings.Contains(text(t, w), "Allowed by Display-of-ruth") {
		t.Errorf("the patient cannot stop what a representative gave: %d", w.Code)
	}
	for _, who := range []store.UserID{"anna", "ben", "chen", "odd", "lost", "admin"} {
		if w := e.browsers[who].get(link); w.Code != http.StatusSeeOther || w.Header().Get("Location") != manage.Path {
			t.Errorf("%s: %d to %q", who, w.Code, w.Header().Get("Location"))
		}
		form := e.browsers["ruth"].form(link, "action", "stop")
		if w := e.browsers[who].post(manage.PathStop, form); w.Code != http.StatusForbidden {
			t.Errorf("%s with the form of somebody else: %d", who, w.Code)
		}
	}
	for name, id := range given {
		if !e.alive(id) {
			t.Errorf("%s has ended", name)
		}
	}
}

// seen are the headings of records, and the apps below them in order of their names.
func seen(t *testing.T, w *httptest.ResponseRecorder) (headings, apps string) {
	t.Helper()
	body := w.Body.String()
	var list []string
	for _, m := range regexp.MustCompile(`<h2 id="record-[0-9]+">([^<]*)</h2>`).FindAllStringSubmatch(body, -1) {
		list = append(list, html.UnescapeString(m[1]))
	}
	var names []string
	for _, card := range strings.Split(body, `<article class="card">`)[1:] {
		card, _, _ = strings.Cut(card, "</article>")
		name, _, _ := strings.Cut(strings.SplitN(card, `<h3 class="name">`, 2)[1], " <")
		name, _, _ = strings.Cut(name, "<")
		if strings.Contains(card, "/manage/stop?") {
			name += "*"
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(list, " / "), strings.Join(names, " ")
}

// A clinician who reaches more than can be found out still sees and stops what they gave.
func TestAWideReachHidesNames(t *testing.T) {
	e := newEnv(t)
	chen := e.user("chen", store.RolePractitioner, "Practitioner/c", "tom")
	id := e.give("chen", "risk", "tom", offline)
	e.wide = true
	w := chen.get(manage.Path)
	says(t, w, "Somebody whose record you cannot open now", "RiskCalc")
	if strings.Contains(w.Body.String(), "Name-of-tom") {
		t.Error("a name is said")
	}
	link := chen.stopLinks()["RiskCalc"]
	if w := chen.post(manage.PathStop, chen.form(link, "action", "stop")); w.Code != http.StatusOK || e.alive(id) {
		t.Errorf("stopping: %d", w.Code)
	}
}

// Stopping asks once and ends what it names, and nothing else; the page tells the time
// to the second, pressing twice tells the same, and the receipt can be had later.
//
// spec: REVOKE-09, REVOKE-15, CONS-18
func TestStopping(t *testing.T) {
	e := newEnv(t)
	maria := e.user("maria", store.RolePatient, "Patient/maria", "maria", "leo")
	first, second := e.give("maria", "growth", "maria", offline, "patient/Observation.rs"), e.give("maria", "growth", "maria", store.RefreshPolicy{}, "patient/Condition.rs")
	kept := []store.GrantID{e.give("maria", "growth", "leo", offline), e.give("maria", "steps", "maria", offline)}
	link := ""
	for _, m := range regexp.MustCompile(`/manage/stop\?access=[A-Za-z0-9_-]{22}`).FindAllString(maria.get(manage.Path).Body.String(), -1) {
		if got := text(t, maria.get(m)); strings.Contains(got, "Stop sharing with GrowthTracker?") && strings.Contains(got, "Name-of-maria") {
			link = m
		}
	}
	form := maria.form(link, "action", "stop")
	if w := maria.post(manage.PathStop, url.Values{"request": form["request"], "ticket": form["ticket"]}); w.Code != http.StatusSeeOther || !e.alive(first) {
		t.Errorf("a form without the button: %d", w.Code)
	}
	done := maria.post(manage.PathStop, form)
	if done.Code != http.StatusOK || e.alive(first) || e.alive(second) || e.settled == 0 {
		t.Fatalf("%d, settled %d times", done.Code, e.settled)
	}
	for _, id := range kept {
		if !e.alive(id) {
			t.Error("another access has ended as well")
		}
	}
	g, err := e.store.Grant(t.Context(), first)
	must(t, err)
	at := g.RevokedAt.Format("15:04:05") + " UTC"
	says(t, done, "You have stopped sharing with GrowthTracker", "has had no access since", at, "Your own record, Name-of-maria")
	if again := maria.post(manage.PathStop, form); text(t, again) != text(t, done) {
		t.Errorf("pressed twice: %d %s", again.Code, text(t, again))
	}
	says(t, maria.get(manage.Path), "What has been stopped", at+" by you")

	address := regexp.MustCompile(`/manage/receipt\?[^"]+`).FindString(done.Body.String())
	receipt := maria.get(html.UnescapeString(address))
	for _, want := range []string{"Riverside Clinic\r\n", "App: GrowthTracker (growth)", "Your own record, Name-of-maria", "Stopped on ", at, "by you", "patient/Observation.rs", "patient/Condition.rs", "Can see: "} {
		if !strings.Contains(receipt.Body.String(), want) {
			t.Errorf("the receipt lacks %q:\n%s", want, receipt.Body)
		}
	}
	if strings.Contains(receipt.Body.String(), string(first)) || !strings.HasPrefix(receipt.Header().Get("Content-Disposition"), "attachment;") ||
		receipt.Header().Get("Content-Type") != "text/plain; charset=utf-8" || receipt.Header().Get("X-Content-Type-Options") != "nosniff" || receipt.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%v\n%s", receipt.Header(), receipt.Body)
	}
	other := e.user("james", store.RolePatient, "Patient/james", "james")
	if w := other.get(html.UnescapeString(address)); w.Code != http.StatusSeeOther {
		t.Errorf("somebody else gets the receipt: %d", w.Code)
	}
	if w := maria.get(manage.PathReceipt + "?access=" + strings.Repeat("A", 22) + html.UnescapeString(address[strings.Index(address, "&"):])); w.Code != http.StatusSeeOther {
		t.Errorf("a receipt of nothing: %d", w.Code)
	}
	if w := maria.get(link); w.Code != http.StatusSeeOther || w.Header().Get("Location") != manage.Path {
		t.Errorf("what has ended is asked about: %d", w.Code)
	}
}

// Everything ends in one step, what others gave about the person's own record included;
// what is not theirs to stop goes on.
//
// spec: REVOKE-09
func TestStoppingEverything(t *testing.T) {
	e := newEnv(t)
	tom := e.user("tom", store.RolePatient, "Patient/tom", "tom")
	e.user("ruth", store.RoleRepresentative, "", "tom", "eva")
	e.user("chen", store.RolePractitioner, "Practitioner/c", "tom")
	ended := []store.GrantID{e.give("tom", "steps", "tom", offline), e.give("tom", "growth", "", offline, "openid"), e.give("ruth", "growth", "tom", offline)}
	kept := []store.GrantID{e.give("ruth", "growth", "eva", offline), e.give("chen", "risk", "tom", offline)}
	says(t, tom.get(manage.PathStopAll), "Stop sharing with all apps?", "3 accesses end.")
	form := tom.form(manage.PathStopAll, "action", "stop")
	done := tom.post(manage.PathStopAll, form)
	if done.Code != http.StatusOK || strings.Count(done.Body.String(), "/manage/receipt") != 3 {
		t.Errorf("%d %s", done.Code, text(t, done))
	}
	for _, id := range ended {
		if e.alive(id) {
			t.Error("something goes on")
		}
	}
	for _, id := range kept {
		if !e.alive(id) {
			t.Error("what is not theirs to stop has ended")
		}
	}
	if w := tom.post(manage.PathStopAll, form); w.Code != http.StatusSeeOther {
		t.Errorf("pressed twice: %d", w.Code)
	}
	says(t, e.browsers["ruth"].get(manage.Path), "by the person whose record it is")
	if w := tom.get(manage.PathStopAll); w.Code != http.StatusSeeOther {
		t.Errorf("nothing to stop: %d", w.Code)
	}
}

// Looking needs a session, changing needs a sign-in of the last five minutes: otherwise
// the browser goes to sign in and comes back to the same page.
//
// spec: REVOKE-09, LOGIN-16
// attack: LG-12
func TestChangesNeedAFreshSignIn(t *testing.T) {
	e := newEnv(t)
	maria := e.user("maria", store.RolePatient, "Patient/maria", "maria")
	id := e.give("maria", "growth", "maria", offline)
	link := maria.stopLinks()["GrowthTracker"]
	forms := map[string]url.Values{
		manage.PathStop: maria.form(link, "action", "stop"), manage.PathStopAll: maria.form(manage.PathStopAll, "action", "stop"), manage.PathSignIns: {"action": {"end-others"}},
	}
	handle := "manage.stop." + strings.TrimPrefix(link, "/manage/stop?access=")
	old := func(wantFresh bool) {
		t.Helper()
		for path, want := range map[string]string{
			manage.Path: "", manage.PathSignIns: "", manage.PathPassword: "", link: handle, manage.PathStopAll: "manage.stop-all",
		} {
			w := maria.get(path)
			if sent := w.Code == http.StatusSeeOther; sent != (!wantFresh && want != "") || sent && w.Header().Get("Location") != "/login?request="+want {
				t.Errorf("GET %s: %d to %q", path, w.Code, w.Header().Get("Location"))
			}
		}
	}
	e.ahead = 4*time.Minute + 50*time.Second
	old(true)
	e.ahead = 5*time.Minute + 10*time.Second
	old(false)
	for path, form := range forms {
		want := map[string]string{manage.PathStop: handle, manage.PathStopAll: "manage.stop-all", manage.PathSignIns: "manage.sign-ins.end"}[path]
		if w := maria.post(path, form); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/login?request="+want || !e.alive(id) {
			t.Errorf("POST %s: %d to %q", path, w.Code, w.Header().Get("Location"))
		}
		if p, ok := manage.Place(want); !ok || p.MaxAge != 5*time.Minute || strings.Split(p.Path, "?")[0] != path {
			t.Errorf("%s comes back to %+v", want, p)
		}
	}
	nobody := &browser{e, map[string]*http.Cookie{}}
	for path, want := range map[string]string{
		manage.Path: "manage", link: handle, manage.PathStopAll: "manage.stop-all", manage.PathSignIns: "manage.sign-ins", manage.PathPassword: "manage.password", manage.PathReceipt: "manage",
	} {
		if w := nobody.get(path); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/login?request="+want {
			t.Errorf("nobody at %s: %d to %q", path, w.Code, w.Header().Get("Location"))
		}
	}
}

// No text but the handles of the pages leads anywhere.
//
// attack: LP-02, LP-05, LP-11, LP-21, LP-26, LP-27
func TestPlaces(t *testing.T) {
	for _, handle := range []string{
		"", "rq_abc", "//evil.test", "manage/", "manage.", "MANAGE", "manage.stop", "manage.stop.", "manage.stop.//evil.test/aaaaaaaaaaa", "manage.stop." + strings.Repeat("a", 23),
		"manage.stop." + strings.Repeat("é", 11), "manage.stop." + strings.Repeat("a", 22) + "\n", "https://as.example@evil.test/",
	} {
		if p, ok := manage.Place(handle); ok {
			t.Errorf("%q leads to %+v", handle, p)
		}
	}
	for _, handle := range []string{"manage", "manage.stop-all", "manage.sign-ins", "manage.sign-ins.end", "manage.password", "manage.stop." + strings.Repeat("a", 22)} {
		if p, ok := manage.Place(handle); !ok || p.Handle != handle || !strings.HasPrefix(p.Path, "/manage") {
			t.Errorf("%q leads to %+v, %v", handle, p, ok)
		}
	}
}

func FuzzPlace(f *testing.F) {
	for _, seed := range []string{"manage", "manage.stop.AAAAAAAAAAAAAAAAAAAAAA", "//evil.test", "manage.stop.\\\\evil"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, handle string) {
		p, ok := manage.Place(handle)
		if ok && !regexp.MustCompile(`^/manage(/[a-z-]+(\?access=[A-Za-z0-9_-]{22})?)?$`).MatchString(p.Path) {
			t.Errorf("%q leads to %q", handle, p.Path)
		}
	})
}

// Forms that were not shown here, to this person in this browser, change nothing.
//
// spec: LOGIN-16
// attack: CO-01, CO-03, CO-12
func TestForgedForms(t *testing.T) {
	e := newEnv(t)
	maria, james := e.user("maria", store.RolePatient, "Patient/maria", "maria"), e.user("james", store.RolePatient, "Patient/james", "james")
	id := e.give("maria", "growth", "maria", offline)
	e.give("james", "growth", "james", offline)
	elsewhere := e.signIn("maria")
	maria.get(manage.PathSignIns) // names the browser
	inHersAsJames := &browser{e, map[string]*http.Cookie{"__Host-emberlatch_browser": maria.cookies["__Host-emberlatch_browser"], "__Host-emberlatch_session": james.cookies["__Host-emberlatch_session"]}}
	hersElsewhere := &browser{e, map[string]*http.Cookie{"__Host-emberlatch_session": maria.cookies["__Host-emberlatch_session"]}}
	link := maria.stopLinks()["GrowthTracker"]
	forms := map[string]url.Values{
		manage.PathStop: maria.form(link, "action", "stop"), manage.PathStopAll: maria.form(manage.PathStopAll, "action", "stop"),
		manage.PathSignIns:  maria.form(manage.PathSignIns, "action", "end-others"),
		manage.PathPassword: maria.form(manage.PathPassword, "action", "change", "current", "an old password", "password", "a new password"),
	}
	for path, form := range forms {
		send := func(b *browser, change func(url.Values), header, value string) int {
			v := url.Values{}
			for k, list := range form {
				v[k] = list
			}
			change(v)
			r := httptest.NewRequest(http.MethodPost, "https://auth.example.org"+path, strings.NewReader(v.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if header != "" {
				r.Header.Set(header, value)
			}
			return b.serve(r).Code
		}
		same := func(url.Values) {}
		for name, code := range map[string]int{
			"no ticket":                    send(maria, func(v url.Values) { v.Del("ticket") }, "", ""),
			"no fields":                    send(maria, func(v url.Values) { v.Del("ticket"); v.Del("request") }, "", ""),
			"the ticket of another form":   send(maria, func(v url.Values) { v["ticket"] = forms[other(path)]["ticket"] }, "", ""),
			"cross-site":                   send(maria, same, "Sec-Fetch-Site", "cross-site"),
			"same-site":                    send(maria, same, "Sec-Fetch-Site", "same-site"),
			"origin null":                  send(maria, same, "Origin", "null"),
			"somebody else":                send(james, same, "", ""),
			"another session of the same":  send(elsewhere, same, "", ""),
			"somebody else in her browser": send(inHersAsJames, same, "", ""),
			"her session elsewhere":        send(hersElsewhere, same, "", ""),
			"about something else":         send(maria, func(v url.Values) { v.Set("request", strings.Repeat("A", 22)) }, "", ""),
			"a handle of the wrong length": send(maria, func(v url.Values) { v.Set("request", "x") }, "", ""),
		} {
			if code != http.StatusForbidden {
				t.Errorf("%s, %s: %d", path, name, code)
			}
		}
	}
	u, err := e.store.User(t.Context(), "maria")
	must(t, err)
	if list, err := e.store.ListSessions(t.Context(), "maria", 9); err != nil || len(list) != 2 || !e.alive(id) || u.PasswordHash != "of an old password" {
		t.Errorf("something has changed: %d sessions, %v", len(list), err)
	}
}

func other(path string) string {
	if path == manage.PathStop {
		return manage.PathStopAll
	}
	return manage.PathStop
}

// When access ends, in the words of the page.
//
// spec: CONS-18
func TestWhenItEnds(t *testing.T) {
	e := newEnv(t)
	maria := e.user("maria", store.RolePatient, "Patient/maria", "maria")
	day := func(d time.Duration) string { return time.Now().Add(d).UTC().Format("2 January 2006") }
	for want, p := range map[string]store.RefreshPolicy{
		"Ends on " + day(90*24*time.Hour) + ", if it is not used before": offline,
		"Ends on " + day(24*time.Hour) + " ":                             {Kind: store.RefreshOffline, Idle: 24 * time.Hour, Absolute: 24 * time.Hour},
		"Ends at ":                                                       {},
	} {
		id := e.give("maria", "growth", "maria", p)
		says(t, maria.get(manage.Path), want)
		_, err := e.store.Revoke(t.Context(), store.Revocation{GrantID: id})
		must(t, err)
	}
}

// The sessions of the person, and the end of all but this one.
//
// spec: LOGIN-18
// attack: LG-12
func TestSignIns(t *testing.T) {
	e := newEnv(t)
	maria := e.user("maria", store.RolePatient, "Patient/maria", "maria")
	e.user("james", store.RolePatient, "Patient/james", "james")
	elsewhere := e.signIn("maria")
	page := maria.get(manage.PathSignIns)
	if n := strings.Count(page.Body.String(), `<th scope="row">`); n != 2 || strings.Count(page.Body.String(), "this browser") != 1 {
		t.Errorf("%d sessions: %s", n, text(t, page))
	}
	w := maria.post(manage.PathSignIns, maria.form(manage.PathSignIns, "action", "end-others"))
	says(t, w, "You are signed out everywhere else.")
	if strings.Count(w.Body.String(), `<th scope="row">`) != 1 || e.settled == 0 {
		t.Errorf("%s", text(t, w))
	}
	if got := elsewhere.get(manage.Path); got.Code != http.StatusSeeOther {
		t.Errorf("the other browser: %d", got.Code)
	}
	if got := e.browsers["james"].get(manage.Path); got.Code != http.StatusOK {
		t.Errorf("somebody else: %d", got.Code)
	}
	events(t, e, "sessions.ended", 1)
}

func events(t *testing.T, e *env, kind string, want int) {
	t.Helper()
	list, err := e.store.ListEvents(t.Context(), 100)
	must(t, err)
	n := 0
	for _, v := range list {
		if v.Kind == kind {
			n++
		}
	}
	if n != want {
		t.Errorf("%d events %s, want %d", n, kind, want)
	}
}

// A password is changed by who knows it; every other session ends, and the cookie of
// this one is another.
//
// spec: LOGIN-12, LOGIN-14, LOGIN-26
// attack: LG-08, LG-12
func TestChangingThePassword(t *testing.T) {
	e := newEnv(t)
	maria, elsewhere := e.user("maria", store.RolePatient, "Patient/maria", "maria"), e.signIn("maria")
	for _, row := range []struct{ current, password, want string }{
		{"a wrong password", "a new password", "This is not your password"},
		{"", "a new password", "This is not your password"},
		{"an old password", "short", "at least 8 characters"},
		{"an old password", "password123", "Many people use this password"},
		{"an old password", "an old password", "This is the password that you have"},
		{strings.Repeat("x", 5000), strings.Repeat("y", 5000), "at most 256 characters"},
	} {
		w := maria.post(manage.PathPassword, maria.form(manage.PathPassword, "current", row.current, "password", row.password))
		says(t, w, row.want)
	}
	u, err := e.store.User(t.Context(), "maria")
	must(t, err)
	if u.PasswordHash != "of an old password" {
		t.Fatalf("the password is %q", u.PasswordHash)
	}
	events(t, e, "password.refused", 3)

	stolen := &browser{e, map[string]*http.Cookie{}}
	for k, v := range maria.cookies {
		stolen.cookies[k] = v
	}
	before := maria.cookies["__Host-emberlatch_session"].Value
	w := maria.post(manage.PathPassword, maria.form(manage.PathPassword, "current", "an old password", "password", "a new password"))
	says(t, w, "Your password is changed")
	if u, err = e.store.User(t.Context(), "maria"); err != nil || u.PasswordHash != "of a new password" {
		t.Errorf("the password is %q, %v", u.PasswordHash, err)
	}
	if maria.cookies["__Host-emberlatch_session"].Value == before || maria.get(manage.Path).Code != http.StatusOK {
		t.Error("this browser has the cookie of before, or is signed out")
	}
	for name, b := range map[string]*browser{"another browser": elsewhere, "the cookie of before": stolen} {
		if got := b.get(manage.Path); got.Code != http.StatusSeeOther {
			t.Errorf("%s: %d", name, got.Code)
		}
	}
	events(t, e, "password.changed", 1)
}

// A session that was stolen guesses no faster than sign-in does.
//
// spec: LOGIN-11
// attack: LG-03, LG-05
func TestPasswordTriesAreCounted(t *testing.T) {
	e := newEnv(t)
	maria := e.user("maria", store.RolePatient, "Patient/maria", "maria")
	wrong := maria.form(manage.PathPassword, "current", "a wrong password", "password", "a new password")
	last := 0
	for range 9 {
		last = maria.post(manage.PathPassword, wrong).Code
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the ninth try: %d", last)
	}
	wrong.Set("current", "an old password")
	w := maria.post(manage.PathPassword, wrong)
	if u, err := e.store.User(t.Context(), "maria"); err != nil || u.PasswordHash != "of an old password" || w.Code != http.StatusTooManyRequests {
		t.Errorf("the right one is verified all the same: %d, %v", w.Code, err)
	}
}

// Who ended what, in the words of the page; and what ended with a sign-out is no news.
//
// spec: CONS-18
func TestWhoEndedIt(t *testing.T) {
	e := newEnv(t)
	tom := e.user("tom", store.RolePatient, "Patient/tom", "tom")
	e.user("ruth", store.RoleRepresentative, "", "tom")
	for want, r := range map[string]store.Revocation{
		"by you":                                  {Reason: "stopped by the person", Actor: "tom"},
		"by the one who had allowed it":           {Reason: "stopped by the person", Actor: "ruth"},
		"by the app itself":                       {Reason: "revoked by the client", Actor: "growth"},
		"for safety":                              {Reason: "refresh token reused", Actor: "growth"},
		"by the people who run this system":       {Reason: "a phone call", Actor: "operator"},
		"because the record could not be opened ": {Reason: "patient out of reach", Actor: "server"},
	} {
		r.GrantID = e.give("ruth", "growth", "tom", offline)
		_, err := e.store.Revoke(t.Context(), r)
		must(t, err)
		says(t, tom.get(manage.Path), want)
	}
	must(t, e.store.CreateClient(t.Context(), store.Client{ID: "removed"}))
	_, err := e.store.Revoke(t.Context(), store.Revocation{GrantID: e.give("tom", "removed", "gone", offline), Actor: "operator"})
	must(t, err)
	says(t, tom.get(manage.Path), "removed Somebody whose record you cannot open now")
}

// What the list holds has an end.
func TestTheListIsBounded(t *testing.T) {
	e := newEnv(t)
	chen := e.user("chen", store.RolePractitioner, "Practitioner/c")
	for range 103 {
		e.give("chen", "risk", "p"+strings.ReplaceAll(time.Now().Format("150405.000000000"), ".", "-"), store.RefreshPolicy{})
	}
	w := chen.get(manage.Path)
	says(t, w, "Only the ones used last are listed.")
	if n := strings.Count(w.Body.String(), "<article"); n != 100 {
		t.Errorf("%d accesses are listed", n)
	}
	w = chen.post(manage.PathStopAll, chen.form(manage.PathStopAll, "action", "stop"))
	if n := strings.Count(w.Body.String(), "/manage/receipt"); w.Code != http.StatusOK || n != 50 {
		t.Errorf("%d, %d receipts", w.Code, n)
	}
	if w := chen.get(manage.Path); strings.Contains(w.Body.String(), "<article") {
		t.Error("something goes on")
	}
}

func TestNewRefusesMissingParts(t *testing.T) {
	if _, err := manage.New(manage.Deps{}); err == nil {
		t.Error("a door without parts was made")
	}
}
