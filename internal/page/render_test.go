package page_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/emberlatch/emberlatch/internal/page"
)

// hostile is what an app or a person may have written into any field.
const hostile = `<script>alert(1)</script>"'&{app}`

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func renderer(t testing.TB) *page.Renderer {
	t.Helper()
	r, err := page.New(page.Deps{Organisation: "Valley Clinic", Phone: "555-0100", Sandbox: true, Now: func() time.Time { return noon }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// everyPage is one of each page with every optional part shown and hostile words
// in every field.
func everyPage() map[string]page.Page {
	shell := page.Shell{AppName: hostile, Self: "/authorize/continue?request=" + hostile, Action: "/form", Handle: hostile, Ticket: hostile, FormTargets: []string{"https://app.example.org"}}
	person := page.Person{ID: hostile, Name: hostile, Relationship: hostile, BirthDate: "1962-03-27", Sex: "female", RecordNumber: hostile, Age: 64, Until: noon, SameName: true}
	row := page.ScopeRow{Group: "observations", Type: "Observation", New: true, Choices: []page.ScopeChoice{{ID: "a", Value: "patient/Observation.rs", Ticked: true,
		Parts: []page.ScopeChoice{{ID: "b", Value: "patient/Observation.rs?category=laboratory", Label: "part.laboratory"}}}}}
	other := page.ScopeRow{Group: "other", Type: hostile, Choices: []page.ScopeChoice{{ID: "c", Value: hostile, Label: "access.create"}}}
	return map[string]page.Page{
		"sign-in":            page.SignIn{Shell: shell, Username: hostile, Failed: true, Reauthenticate: true, SignedInAs: hostile, CanEnrol: true, EnrolURL: "/enrol"},
		"signed-out":         page.SignedOut{Shell: shell},
		"identify":           page.Identify{Shell: shell, Given: hostile, Family: hostile, Year: hostile, Month: hostile, Day: hostile, Code: hostile, Problems: []page.FieldProblem{{Field: "given", Message: "identify.given-missing"}, {Field: "birth_date-year", Message: "identify.date-wrong"}}},
		"create-credentials": page.CreateCredentials{Shell: shell, Username: hostile, Problems: []page.FieldProblem{{Field: "password", Message: "password-common"}}},
		"choose-person":      page.ChoosePerson{Shell: shell, People: []page.Person{person, {ID: "p2", Name: "Leo", Self: true}}, Failed: true},
		"choose-patient":     page.ChoosePatient{Shell: shell, Query: hostile, BirthDate: hostile, RecordNumber: hostile, Searched: true, Found: []page.Person{person}, More: true, Failed: true},
		"approve": page.Approve{Shell: shell, UserName: hostile, Patient: person, HasPatient: true, App: page.App{Name: hostile, Maker: hostile, Host: hostile, Status: "registered", PolicyURI: "javascript:alert(1)"},
			Identity: true, Read: []page.ScopeRow{row, other}, Write: []page.ScopeRow{{Group: "care", Choices: []page.ScopeChoice{{ID: "d", Value: hostile, Label: "access.update"}}}}, Wildcard: true, CanRemember: true, Nothing: true,
			Offline: &page.Duration{Scope: "offline_access", Ticked: true, Options: []page.DurationOption{{Value: "quarter", Until: noon, Chosen: true}}}},
		"code":  page.Code{Shell: shell, Code: hostile, ExpiresAt: noon},
		"error": page.Error{Shell: shell, ID: hostile, Title: "app", ErrorCode: hostile, Slug: hostile, Parameter: hostile, Description: hostile, Section: hostile, When: noon},
		"start": page.Start{Shell: shell, People: []page.StartPerson{{Username: hostile, Password: hostile, Display: hostile, Role: "patient", Note: hostile}}, SampleApp: "http://127.0.0.1:1", Issuer: hostile, FHIRBase: "http://localhost/fhir", Enrol: []page.StartEnrolment{{Given: hostile, Family: hostile, BirthDate: hostile, Code: hostile}}, DataDir: hostile},
	}
}

func render(t *testing.T, p page.Page, lang string) (*httptest.ResponseRecorder, *html.Node) {
	t.Helper()
	w := httptest.NewRecorder()
	req := httptest.NewRequest(http.MethodGet, "/x?lang="+lang, nil)
	if err := renderer(t).Render(w, req, http.StatusOK, p); err != nil {
		t.Fatal(err)
	}
	doc, err := html.Parse(strings.NewReader(w.Body.String()))
	if err != nil {
		t.Fatal(err)
	}
	return w, doc
}

func walk(n *html.Node, visit func(*html.Node)) {
	visit(n)
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		walk(c, visit)
	}
}

func attr(n *html.Node, key string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

// Whatever an app or a person wrote stays text; nothing on a page runs or comes
// from elsewhere; the page is sound for a screen reader.
//
// spec: HDR-02, HDR-03, HDR-04, HDR-06, HDR-10, LOGIN-17, LOGIN-25, AUTHZ-50
// attack: CO-01, HT-08
func TestEveryPageIsSound(t *testing.T) {
	for name, p := range everyPage() {
		for _, lang := range page.Languages {
			t.Run(name+" "+lang, func(t *testing.T) {
				w, doc := render(t, p, lang)
				checkHeaders(t, w.Header())
				if strings.Contains(w.Body.String(), "<script") || strings.Contains(w.Body.String(), "javascript:") {
					t.Error("something on the page could run")
				}
				ids, headings := map[string]bool{}, 0
				labels := map[string]bool{}
				walk(doc, func(n *html.Node) {
					if n.Type != html.ElementNode {
						return
					}
					if id, ok := attr(n, "id"); ok {
						if ids[id] {
							t.Errorf("two elements have the id %q", id)
						}
						ids[id] = true
					}
					for _, a := range n.Attr {
						if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
							t.Errorf("<%s> has %s", n.Data, a.Key)
						}
					}
					if n.Data == "h1" {
						headings++
					}
					if target, ok := attr(n, "for"); ok && n.Data == "label" {
						labels[target] = true
					}
					if lang, _ := attr(n, "lang"); n.Data == "html" && lang == "" {
						t.Error("the page has no language")
					}
				})
				if headings != 1 {
					t.Errorf("%d h1", headings)
				}
				checkInputs(t, doc, labels)
				checkReferences(t, doc, ids)
			})
		}
	}
}

func checkHeaders(t *testing.T, h http.Header) {
	t.Helper()
	for key, want := range map[string]string{
		"Cache-Control": "no-store", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Content-Type": "text/html; charset=utf-8",
	} {
		if got := h.Get(key); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
	policy := h.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "form-action 'self' https://app.example.org"} {
		if !strings.Contains(policy, want) {
			t.Errorf("content security policy lacks %q: %s", want, policy)
		}
	}
}

// checkInputs: every input that people fill in has a label.
func checkInputs(t *testing.T, doc *html.Node, labels map[string]bool) {
	t.Helper()
	walk(doc, func(n *html.Node) {
		if n.Type != html.ElementNode || n.Data != "input" {
			return
		}
		kind, _ := attr(n, "type")
		id, _ := attr(n, "id")
		if kind == "hidden" || labels[id] {
			return
		}
		for parent := n.Parent; parent != nil; parent = parent.Parent {
			if parent.Data == "label" {
				return
			}
		}
		name, _ := attr(n, "name")
		t.Errorf("input %q has no label", name)
	})
}

// checkReferences: what describes an input exists.
func checkReferences(t *testing.T, doc *html.Node, ids map[string]bool) {
	t.Helper()
	walk(doc, func(n *html.Node) {
		if list, ok := attr(n, "aria-describedby"); ok {
			for _, id := range strings.Fields(list) {
				if !ids[id] {
					t.Errorf("aria-describedby names %q, which is not there", id)
				}
			}
		}
	})
}
