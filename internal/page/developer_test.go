package page_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/emberlatch/emberlatch/internal/page"
)

// ofDevelopers reports whether a page is one for developers.
func ofDevelopers(s sample) bool {
	switch s.page.(type) {
	case page.Developers, page.RegisterApp, page.RegisteredApp, page.AppState:
		return true
	}
	return false
}

func developerSamples() []sample {
	ours := func(path string) page.Shell { return page.Shell{Action: path, Self: path, Ticket: "tk_7"} }
	home := page.Developers{
		Shell: page.Shell{Self: "/developers"}, Issuer: "http://localhost:8765", FHIRBase: "http://localhost:8765/fhir", Configuration: "http://localhost:8765/fhir/.well-known/smart-configuration",
		RegisterURL: "/developers/register", StateURL: "/developers/app", Reviewed: true, VerifyWithin: 10, EnableWithin: 5, TermsURI: "https://records.example.org/terms",
	}
	atOnce := home
	atOnce.Reviewed, atOnce.TermsURI = false, ""
	form := page.RegisterApp{
		Shell: ours("/developers/register"), Typed: map[string]string{}, Reviewed: true,
		Named: []page.ScopeChoice{{ID: "named-1", Value: "openid", Ticked: true}, {ID: "named-2", Value: "launch/patient", Ticked: true}, {ID: "named-3", Value: "offline_access"}},
		Read: []page.ScopeRow{
			{Group: "patient", Type: "Patient", Choices: []page.ScopeChoice{{ID: "scope-1", Value: "patient/Patient.rs", Ticked: true}}},
			{Group: "medicines", Type: "MedicationRequest", Choices: []page.ScopeChoice{{ID: "scope-2", Value: "patient/MedicationRequest.rs", Label: "type.MedicationRequest"}}},
			{Group: "medicines", Type: "MedicationDispense", Choices: []page.ScopeChoice{{ID: "scope-3", Value: "patient/MedicationDispense.rs", Label: "type.MedicationDispense"}}},
		},
		Write: []page.ScopeRow{{Group: "answers", Type: "QuestionnaireResponse", Choices: []page.ScopeChoice{{ID: "scope-7", Value: "patient/QuestionnaireResponse.c", Label: "access.create"}}}},
	}
	mistakes := form
	mistakes.Reviewed = false
	mistakes.Typed = map[string]string{
		"application_type": "native", "token_endpoint_auth_method": "client_secret_basic", "client_name": "GrowthTracker", "redirect_uris": "https://app.example.org/cb\nhttp://app.example.org/cb",
	}
	mistakes.Problems = []page.FieldProblem{
		{Field: "application_type-native", Message: "register-app.kind-missing"}, {Field: "token_endpoint_auth_method-none", Message: "register-app.proof-public"},
		{Field: "emberlatch_maker", Message: "register-app.maker-wrong"}, {Field: "contacts", Message: "register-app.contact-wrong"},
		{Field: "redirect_uris", Message: "register-app.redirects-wrong", Detail: "redirect_uris[1]: https, or http on the loopback address"},
		{Field: "scope", Message: "register-app.scopes-missing"},
	}
	waiting, stale, full := form, form, form
	waiting.WaitSeconds, stale.Stale, full.Full = 45, true, true
	preview := page.Approve{
		Shell: page.Shell{AppName: "GrowthTracker"}, UserName: "Alex Example", HasPatient: true, Patient: page.Person{Name: "Alex Example", Self: true}, Identity: true,
		App:  page.App{Name: "GrowthTracker", Maker: "Sprout Health", Host: "app.example.org", Status: "self", PolicyURI: "https://app.example.org/privacy"},
		Read: form.Read, CanRemember: true,
		Offline: &page.Duration{Scope: "offline_access", Ticked: true, Options: []page.DurationOption{{Value: "day", Until: noon.AddDate(0, 0, 1)}, {Value: "quarter", Until: noon.AddDate(0, 0, 93), Chosen: true}}},
	}
	waits := page.AppStanding{State: "registered", Due: noon.AddDate(0, 0, 14), Steps: []page.AppStep{{Name: "registered", At: noon}}}
	registered := page.RegisteredApp{
		Shell: page.Shell{Action: "/developers/app", Ticket: "tk_7"}, ClientID: "Zk3vQ0yR8mT5uW1xA7bC9dEf", Secret: "3hJ8sVYk2Qm7RtX0aLfWzC1uEoD9pNbGiK4xTqS6vMc", Token: "ra_7hJ8sVYk2Qm7RtX0aLfWzC1uEoD9pNbGiK4xTqS6vMc",
		URI: "http://localhost:8765/register/Zk3vQ0yR8mT5uW1xA7bC9dEf", State: waits, Preview: preview,
	}
	ask := page.AppState{Shell: ours("/developers/app")}
	failed := ask
	failed.ClientID, failed.Failed = "Zk3vQ0yR8mT5uW1xA7bC9dEf", true
	shown := page.AppState{
		Shell: page.Shell{Action: "/developers/app", Ticket: "tk_7"}, ClientID: registered.ClientID, Token: registered.Token, Shown: true, Name: "GrowthTracker", Scope: "openid patient/*.rs", URI: registered.URI,
		Redirects: []string{"https://app.example.org/cb", "com.example.growthtracker:/callback"}, Preview: preview,
		State: page.AppStanding{State: "asked", Due: noon.AddDate(0, 0, -1), Overdue: true, Question: "Please write to us from an address at app.example.org.\nThank you.", Steps: []page.AppStep{{Name: "registered", At: noon.AddDate(0, 0, -20)}, {Name: "asked", At: noon.AddDate(0, 0, -2)}}},
	}
	stopped := shown
	stopped.URI, stopped.State = "", page.AppStanding{State: "suspended", Reason: "It asks patients for their passwords.", Steps: []page.AppStep{{Name: "suspended", At: noon}}}
	return []sample{
		{"developers", 200, home}, {"developers-at-once", 200, atOnce}, {"register-app", 200, form}, {"register-app-mistakes", 400, mistakes}, {"register-app-waiting", 429, waiting},
		{"register-app-stale", 400, stale}, {"register-app-full", 503, full}, {"registered-app", 200, registered}, {"app-state", 200, ask}, {"app-state-failed", 400, failed},
		{"app-state-shown", 200, shown}, {"app-state-stopped", 200, stopped},
	}
}

// hostileDevelopers are the pages for developers with hostile words in every field.
func hostileDevelopers(rows func(prefix string) []page.ScopeRow) []sample {
	shell := page.Shell{Action: "/form", Ticket: hostile}
	standing := page.AppStanding{State: "asked", Due: time.Unix(0, 0), Question: hostile, Reason: hostile, Steps: []page.AppStep{{Name: "registered", At: noon}}}
	preview := page.Approve{Shell: page.Shell{AppName: hostile}, UserName: hostile, App: page.App{Name: hostile, Maker: hostile, Host: hostile, Status: "self", PolicyURI: "javascript:alert(1)"}, Read: rows("p")}
	typed := map[string]string{}
	for _, name := range []string{"client_name", "emberlatch_maker", "client_uri", "contacts", "policy_uri", "redirect_uris", "initiate_login_uri", "jwks_uri", "jwks", "application_type"} {
		typed[name] = hostile
	}
	return []sample{
		{"register-app", 400, page.RegisterApp{
			Shell: shell, Typed: typed, Read: rows("r"), Write: rows("w"), Named: []page.ScopeChoice{{ID: "n", Value: hostile}},
			Problems: []page.FieldProblem{{Field: "redirect_uris", Message: "register-app.redirects-wrong", Detail: hostile}, {Field: "scope", Message: "register-app.scopes-wrong", Detail: hostile}},
		}},
		{"registered-app", 200, page.RegisteredApp{Shell: shell, ClientID: hostile, Secret: hostile, Token: hostile, URI: hostile, State: standing, Preview: preview}},
		{"app-state", 200, page.AppState{Shell: shell, ClientID: hostile, Token: hostile, Shown: true, Name: hostile, Scope: hostile, URI: hostile, Redirects: []string{hostile}, State: standing, Preview: preview}},
	}
}

// What a preview says is what the approval page says, word for word.
//
// spec: CONS-02
func TestThePreviewIsTheApproval(t *testing.T) {
	for _, lang := range page.Languages {
		_, doc := render(t, sampleOf(t, "registered-app"), lang)
		shown, ok := sampleOf(t, "registered-app").page.(page.RegisteredApp)
		if !ok {
			t.Fatal("the sample is no registered app")
		}
		_, approval := render(t, sample{"approve", 200, shown.Preview}, lang)
		preview := words(find(doc, "fieldset", "class", "card preview"))
		whole := words(elements(approval, "main")[0])
		for _, button := range []string{words(find(approval, "button", "value", "switch"))} {
			whole = strings.Replace(whole, button+" ", "", 1)
		}
		if preview != whole {
			t.Errorf("%s:\npreview  %s\napproval %s", lang, preview, whole)
		}
	}
	_, doc := render(t, sampleOf(t, "registered-app"), "en")
	inside := find(doc, "fieldset", "class", "card preview")
	if _, off := attribute(inside, "disabled"); !off || slices.ContainsFunc(elements(inside, "button"), func(n *html.Node) bool { return attr(n, "name") != "" }) {
		t.Error("the preview can be pressed")
	}
}
