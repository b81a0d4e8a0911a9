package page_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/page"
)

// hostile is what an app or a person may have written into any field.
const hostile = `<script>alert(1)</script>"'&{app}` + "\u202e\u2028"

func renderer(t testing.TB) *page.Renderer {
	t.Helper()
	r, err := page.New(page.Deps{
		Organisation: "Valley Clinic", Phone: "555-0100", Sandbox: true, Secure: true, ConnectedPath: "/manage", Now: func() time.Time { return noon }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func hostilePost(to string) page.Post {
	return page.Post{URL: to, Host: hostile, Fields: []page.PostField{{Name: "state", Value: hostile}, {Name: hostile, Value: "x"}}}
}

// hostilePages are all pages with every optional part shown and hostile words in
// every field.
func hostilePages() []sample {
	shell := page.Shell{
		AppName: hostile, Self: "/authorize/continue?request=" + hostile, Action: "/form", Handle: hostile, Ticket: hostile,
		FormTargets: []string{page.FormTarget("https://app.example.org/" + hostile)},
	}
	person := page.Person{ID: hostile, Name: hostile, Relationship: hostile, BirthDate: hostile, Sex: hostile, RecordNumber: hostile, Until: noon, SameName: true}
	choice := page.ScopeChoice{ID: "a", Value: hostile, Label: hostile, Ticked: true, Parts: []page.ScopeChoice{{ID: "b", Value: hostile, Label: hostile}}}
	rows := func(prefix string) []page.ScopeRow {
		one, two := choice, page.ScopeChoice{ID: prefix + "c", Value: hostile, Label: hostile}
		one.ID, one.Parts = prefix+"a", []page.ScopeChoice{{ID: prefix + "b", Value: hostile, Label: hostile}}
		return []page.ScopeRow{
			{Group: "other", Type: hostile, Choices: []page.ScopeChoice{one}}, {Group: "care", Type: hostile, New: true, Choices: []page.ScopeChoice{two}},
			{Group: "care", Type: "Goal", Choices: []page.ScopeChoice{{ID: prefix + "d", Value: "patient/Goal.cud"}}},
		}
	}
	access := page.Access{
		App: page.App{Name: hostile, Maker: hostile, Status: "self", PolicyURI: "javascript:alert(1)"}, By: hostile, Read: rows("r"), Write: rows("w"), Scopes: []string{hostile},
		Since: noon, Ends: page.Ending{Kind: "on", At: noon}, StopURL: "/manage/stop?access=" + hostile,
	}
	whose := page.Whose{Kind: "other", Name: hostile}
	stopped := []page.StoppedAccess{{App: access.App, Whose: whose, At: noon, By: "app", ReceiptURL: "/manage/receipt?access=" + hostile}}
	problems := []page.FieldProblem{{Field: "given", Message: "identify.given-missing"}, {Field: "birth_date-year", Message: "identify.date-wrong"}}
	return append(hostileDevelopers(rows), []sample{
		{"sign-in", 200, page.SignIn{Shell: shell, Username: hostile, Failed: true, Reauthenticate: true, SignedInAs: hostile, CanEnrol: true, EnrolURL: "/enrol?request=" + hostile}},
		{"signed-out", 200, page.SignedOut{Shell: shell, Leave: page.Leave{URL: "javascript:alert(1)", Host: hostile}}},
		{"identify", 200, page.Identify{Shell: shell, Given: hostile, Family: hostile, Year: hostile, Month: hostile, Day: hostile, Code: hostile, Problems: problems}},
		{"recover", 200, page.Recover{Shell: shell, Username: hostile, Code: hostile, Year: hostile, Month: hostile, Day: hostile, Problems: []page.FieldProblem{{Field: "code", Message: "recover.code-missing"}}, SignInURL: "/login?request=" + hostile}},
		{"recovered", 200, page.Recovered{Shell: shell, SignInURL: "/login?request=" + hostile}},
		{"create-credentials", 200, page.CreateCredentials{Shell: shell, Username: hostile, Problems: []page.FieldProblem{{Field: "password", Message: "password-common"}}}},
		{"choose-person", 200, page.ChoosePerson{Shell: shell, People: []page.Person{person, {ID: "p2", Name: "Leo", Self: true}}, Failed: true}},
		{"choose-patient", 200, page.ChoosePatient{Shell: shell, Query: hostile, BirthDate: hostile, RecordNumber: hostile, Searched: true, Found: []page.Person{person}, More: true, Failed: true}},
		{"choose-patient", 200, page.ChoosePatient{Shell: shell, Query: hostile, Searched: true, Emergency: []page.Person{person}}},
		{"emergency", 200, page.Emergency{Shell: shell, Patient: person, Username: hostile, Reasons: []string{"other", hostile}, Reason: hostile, Words: hostile, Minutes: hostile, Lengths: []int{15}}},
		{"open-records", 200, page.OpenRecords{Shell: shell, Back: "/manage", Records: []page.OpenRecord{{ID: hostile, Patient: person, Reason: hostile, Since: noon, Until: noon}}}},
		{"approve", 200, page.Approve{
			Shell: shell, UserName: hostile, Patient: person, HasPatient: true, Identity: true, Read: rows("r"), Write: rows("w"), Wildcard: true, CanRemember: true, Nothing: true,
			App:     page.App{Name: hostile, Maker: hostile, Host: hostile, Status: "registered", PolicyURI: "javascript:alert(1)", TermsURI: "https://app.example.org/" + hostile},
			Offline: &page.Duration{Scope: hostile, Ticked: true, Until: noon, Options: []page.DurationOption{{Value: "quarter", Until: noon, Chosen: true}}},
			Online:  &page.Duration{Scope: hostile},
		}},
		{"code", 200, page.Code{Shell: shell, Code: hostile, ExpiresAt: noon}},
		{"connected", 200, page.Connected{Shell: shell, UserName: hostile, Records: []page.Record{{ID: "record-1", Whose: whose, Accesses: []page.Access{access}}}, Stopped: stopped, StopAllURL: "javascript:alert(1)"}},
		{"stop-sharing", 200, page.StopSharing{Shell: shell, Access: access, Whose: whose, Back: "/manage"}},
		{"sharing-stopped", 200, page.SharingStopped{Shell: shell, Stopped: stopped, Back: "/manage"}},
		{"change-password", 200, page.ChangePassword{Shell: shell, Username: hostile, Back: "/manage"}},
		{"error", 400, page.Error{Shell: shell, ID: hostile, Title: "app", ErrorCode: hostile, Slug: oauth.SlugScopeMissing, Parameter: hostile, Description: hostile, Section: hostile, When: noon}},
		{"error-post", 400, page.Error{Shell: shell, ID: hostile, Title: "app", Leave: page.Leave{Post: hostilePost("https://app.example.org/" + hostile)}, When: noon}},
		{"error-post nowhere", 400, page.Error{Shell: shell, ID: hostile, Title: "app", Leave: page.Leave{Post: hostilePost("javascript:alert(1)")}, When: noon}},
		{"form-post", 200, page.FormPost{Shell: shell, Post: hostilePost("https://app.example.org/" + hostile)}},
		{"start", 200, page.Start{
			Shell: shell, People: []page.StartPerson{{Username: hostile, Password: hostile, Display: hostile, Role: "patient", Note: hostile}}, SampleApp: "javascript:alert(1)",
			Issuer: hostile, FHIRBase: "javascript:alert(1)", Enrol: []page.StartEnrolment{{Given: hostile, Family: hostile, BirthDate: hostile, Code: hostile}}, DataDir: hostile,
		}},
	}...)
}

func render(t *testing.T, s sample, lang string) (*httptest.ResponseRecorder, *html.Node) {
	t.Helper()
	w := httptest.NewRecorder()
	req := httptest.NewRequest(http.MethodGet, "/x?lang="+lang, nil)
	if err := renderer(t).Render(w, req, s.status, s.page); err != nil {
		t.Fatal(err)
	}
	doc, err := html.Parse(strings.NewReader(w.Body.String()))
	if err != nil {
		t.Fatal(err)
	}
	return w, doc
}

// elements of a document in their order, those of a name only when names are given.
func elements(doc *html.Node, names ...string) []*html.Node {
	var list []*html.Node
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && (len(names) == 0 || slices.Contains(names, n.Data)) {
			list = append(list, n)
		}
	}
	return list
}

func attr(n *html.Node, key string) string {
	v, _ := attribute(n, key)
	return v
}

func attribute(n *html.Node, key string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

// words are the text of an element, with single spaces.
func words(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// Whatever an app or a person wrote stays text: no element, no attribute, no
// address that runs comes of it.
//
// attack: LG-32, EN-14, HT-15
func TestHostileWordsStayText(t *testing.T) {
	inert := []string{"script", "style", "iframe", "object", "embed", "img", "base"}
	for _, s := range hostilePages() {
		for _, lang := range page.Languages {
			if s.name == "signed-out" { // shows no words but its own
				continue
			}
			t.Run(s.name+" "+lang, func(t *testing.T) {
				w, doc := render(t, s, lang)
				if !strings.Contains(w.Body.String(), "alert(1)") {
					t.Fatal("the page shows nothing of what was written; the test proves nothing")
				}
				for _, n := range elements(doc, inert...) {
					if !ownScript(s.name, n) {
						t.Errorf("<%s> came of it", n.Data)
					}
				}
				for _, n := range elements(doc) {
					checkInert(t, n)
				}
			})
		}
	}
}

// ownScript is the one script that we write, on the one page that has it.
func ownScript(page string, n *html.Node) bool {
	return page == "form-post" && n.Data == "script" && n.FirstChild != nil && n.FirstChild.Data == "document.forms[0].submit()"
}

// checkInert: no handler, no style, no address of another scheme than those of
// the web; everything that is loaded comes from here.
func checkInert(t *testing.T, n *html.Node) {
	t.Helper()
	for _, a := range n.Attr {
		switch {
		case strings.HasPrefix(a.Key, "on"), a.Key == "style", a.Key == "srcdoc":
			t.Errorf("<%s> has %s", n.Data, a.Key)
		case a.Key == "href" || a.Key == "src" || a.Key == "action" || a.Key == "formaction":
			address := strings.ToLower(strings.TrimSpace(a.Val))
			if scheme, _, ok := strings.Cut(address, ":"); ok && scheme != "https" && scheme != "http" && !strings.ContainsAny(scheme, "/?#") {
				t.Errorf("<%s> leads to %s", n.Data, a.Val)
			}
			if n.Data != "a" && !strings.HasPrefix(address, "/") && !strings.HasPrefix(address, "https://app.example.org/") {
				t.Errorf("<%s> loads or sends to %s", n.Data, a.Val)
			}
		}
	}
}

// A renderer without a part is not made; an error of ours leaves no half a page.
func TestNewRefusesMissingParts(t *testing.T) {
	whole := page.Deps{Organisation: "Valley Clinic", Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	for name, deps := range map[string]page.Deps{
		"organisation": {Now: whole.Now, Log: whole.Log}, "clock": {Organisation: "x", Log: whole.Log}, "log": {Organisation: "x", Now: whole.Now},
	} {
		if _, err := page.New(deps); err == nil {
			t.Errorf("a renderer without its %s was made", name)
		}
	}
	if _, err := page.New(whole); err != nil {
		t.Error(err)
	}
}
