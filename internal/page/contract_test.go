package page_test

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// find returns the first element whose attributes are all there.
func find(doc *html.Node, name string, pairs ...string) *html.Node {
	for _, n := range elements(doc, name) {
		all := true
		for i := 0; i+1 < len(pairs); i += 2 {
			all = all && attr(n, pairs[i]) == pairs[i+1]
		}
		if all {
			return n
		}
	}
	return nil
}

func sampleOf(t *testing.T, name string) sample {
	t.Helper()
	for _, s := range samples() {
		if s.name == name {
			return s
		}
	}
	t.Fatalf("there is no sample %q", name)
	return sample{}
}

// Scripts, tutorials and password managers know these names; they do not change.
//
// spec: LOGIN-01, LOGIN-02, LOGIN-13, LOGIN-20, CONS-03, AUTHZ-50
func TestNamesThatOthersRelyOn(t *testing.T) {
	rows := []struct {
		page, element string
		pairs         []string
	}{
		{"sign-in", "input", []string{"name", "username", "autocomplete", "username"}},
		{"sign-in", "input", []string{"name", "password", "type", "password", "autocomplete", "current-password"}},
		{"sign-in", "button", []string{"name", "action", "value", "sign-in"}},
		{"sign-in", "button", []string{"name", "action", "value", "cancel"}},
		{"sign-in-known", "button", []string{"name", "action", "value", "continue"}},
		{"sign-out", "button", []string{"name", "action", "value", "sign-out"}},
		{"sign-out", "button", []string{"name", "action", "value", "stay"}},
		{"error-logout", "a", []string{"href", "/logout"}},
		{"identify", "input", []string{"name", "given", "autocomplete", "given-name"}},
		{"identify", "input", []string{"name", "family", "autocomplete", "family-name"}},
		{"identify", "input", []string{"name", "birth_date-year", "autocomplete", "bday-year"}},
		{"identify", "input", []string{"name", "birth_date-month", "autocomplete", "bday-month"}},
		{"identify", "input", []string{"name", "birth_date-day", "autocomplete", "bday-day"}},
		{"identify", "input", []string{"name", "code"}},
		{"identify", "button", []string{"name", "action", "value", "continue"}},
		{"create-credentials", "input", []string{"name", "username", "autocomplete", "username"}},
		{"create-credentials", "input", []string{"name", "password", "autocomplete", "new-password"}},
		{"sign-in", "a", []string{"href", "/recover?request=rq_5"}},
		{"recover", "input", []string{"name", "username", "autocomplete", "username"}},
		{"recover", "input", []string{"name", "code", "autocomplete", "off"}},
		{"recover", "input", []string{"name", "password", "type", "password", "autocomplete", "new-password"}},
		{"recover", "input", []string{"name", "again", "type", "password", "autocomplete", "new-password"}},
		{"recover", "input", []string{"type", "checkbox", "name", "disconnect", "value", "yes"}},
		{"recover", "button", []string{"name", "action", "value", "recover"}},
		{"recovered", "a", []string{"href", "/login?request=manage"}},
		{"choose-person", "input", []string{"type", "radio", "name", "patient", "value", "p-leo"}},
		{"choose-person", "button", []string{"name", "action", "value", "continue"}},
		{"choose-patient", "input", []string{"type", "radio", "name", "patient", "value", "p-ben"}},
		{"choose-patient", "button", []string{"name", "action", "value", "search"}},
		{"choose-patient", "button", []string{"name", "action", "value", "choose"}},
		{"choose-patient-emergency", "button", []string{"name", "emergency", "value", "p-amy-3"}},
		{"emergency", "input", []string{"type", "radio", "name", "reason", "value", "covering"}},
		{"emergency", "input", []string{"name", "words", "autocomplete", "off"}},
		{"emergency", "option", []string{"value", "60", "selected", ""}},
		{"emergency", "input", []string{"name", "password", "autocomplete", "current-password"}},
		{"emergency", "button", []string{"name", "action", "value", "open"}},
		{"open-records", "input", []string{"name", "emergency", "value", "e2"}},
		{"open-records", "button", []string{"name", "action", "value", "end"}},
		{"choose-encounter", "input", []string{"type", "radio", "name", "encounter", "value", "e-2"}},
		{"choose-encounter", "input", []string{"type", "radio", "name", "encounter", "value", "", "id", "encounter-none"}},
		{"choose-encounter", "button", []string{"name", "action", "value", "continue"}},
		{"start", "option", []string{"value", "osei/maria"}},
		{"approve", "input", []string{"type", "checkbox", "name", "scope", "value", "patient/Patient.rs"}},
		{"approve", "input", []string{"type", "checkbox", "name", "scope", "value", "offline_access"}},
		{"approve", "input", []string{"type", "radio", "name", "duration", "value", "quarter"}},
		{"approve", "input", []string{"type", "checkbox", "name", "remember", "value", "yes"}},
		{"approve", "button", []string{"name", "decision", "value", "allow"}},
		{"approve", "button", []string{"name", "decision", "value", "deny"}},
		{"approve", "button", []string{"name", "decision", "value", "switch"}},
		{"connected", "a", []string{"href", "/manage/stop?access=a1"}},
		{"stop-sharing", "button", []string{"name", "action", "value", "stop"}},
		{"change-password", "input", []string{"name", "current", "autocomplete", "current-password"}},
		{"change-password", "input", []string{"name", "password", "autocomplete", "new-password"}},
		{"second-step", "input", []string{"name", "code", "type", "text", "inputmode", "numeric", "autocomplete", "one-time-code"}},
		{"second-step", "button", []string{"name", "action", "value", "confirm"}},
		{"second-step-backup", "input", []string{"name", "backup", "autocomplete", "off"}},
		{"set-up-second-step", "dd", []string{"id", "secret"}},
		{"set-up-second-step", "input", []string{"name", "code", "autocomplete", "one-time-code"}},
		{"set-up-second-step", "button", []string{"name", "action", "value", "set-up"}},
		{"second-step-state-on", "button", []string{"name", "action", "value", "new-codes"}},
		{"second-step-state-on", "button", []string{"name", "action", "value", "remove"}},
		{"code", "input", []string{"id", "authorization-code", "value", "ac_3hJ8sVYk2Qm7RtX0aLfWzC1uEoD9pNbGiK4xTqS6vMc"}},
		{"error-app", "span", []string{"id", "error-id"}},
		{"register-app", "input", []string{"name", "client_name", "type", "text"}},
		{"register-app", "textarea", []string{"name", "redirect_uris"}},
		{"register-app", "input", []string{"type", "radio", "name", "application_type", "value", "native"}},
		{"register-app", "input", []string{"type", "radio", "name", "token_endpoint_auth_method", "value", "none"}},
		{"register-app", "input", []string{"type", "checkbox", "name", "scope", "value", "patient/Patient.rs"}},
		{"register-app", "button", []string{"name", "action", "value", "register"}},
		{"registered-app", "dd", []string{"id", "client-secret"}},
		{"registered-app", "dd", []string{"id", "registration-token"}},
		{"app-state", "input", []string{"name", "registration_access_token", "type", "password", "autocomplete", "off"}},
		{"app-state-shown", "span", []string{"id", "state"}},
	}
	for _, r := range rows {
		t.Run(r.page+" "+strings.Join(r.pairs, "="), func(t *testing.T) {
			_, doc := render(t, sampleOf(t, r.page), "en")
			if find(doc, r.element, r.pairs...) == nil {
				t.Errorf("the page %s has no <%s> with %q", r.page, r.element, r.pairs)
			}
		})
	}
}

// Every form of a flow says which request it belongs to and carries its ticket,
// and goes to a path of ours by POST. The pages for developers belong to no request,
// nor does the start page of the sandbox: there it is the origin that is checked. What
// is posted to an app has nothing of ours but the answer.
//
// spec: LOGIN-16
func TestFormsCarryTheirTicket(t *testing.T) {
	for _, s := range samples() {
		_, doc := render(t, s, "en")
		if s.name == "start" {
			form := elements(doc, "form")
			if len(form) != 1 || attr(form[0], "method") != "post" || attr(form[0], "action") != "/sandbox/launch" {
				t.Errorf("the start page has %d forms", len(form))
			}
			continue
		}
		for _, form := range elements(doc, "form") {
			if strings.HasSuffix(s.name, "-post") {
				if find(form, "input", "name", "ticket") != nil || find(form, "input", "name", "request") != nil || attr(form, "method") != "post" {
					t.Errorf("%s: the app gets something of ours", s.name)
				}
				continue
			}
			request := find(form, "input", "type", "hidden", "name", "request", "value", "rq_5") != nil
			if find(form, "input", "type", "hidden", "name", "ticket", "value", "tk_7") == nil || request == ofDevelopers(s) ||
				attr(form, "method") != "post" || !strings.HasPrefix(attr(form, "action"), "/") {
				t.Errorf("%s: a form to %q without its request or ticket", s.name, attr(form, "action"))
			}
		}
	}
}

// The page says who asks, for whom, what, and for how long; what was asked for is
// ticked, what would narrow or widen it is not.
//
// spec: CONS-02, CONS-03, CONS-04, CONS-08, CONS-09, CONS-12, CONS-17, CONS-20, CONS-23
// attack: CO-08
func TestApprovalSaysWhatIsAsked(t *testing.T) {
	_, doc := render(t, sampleOf(t, "approve"), "en")
	text := words(elements(doc, "main")[0])
	for _, want := range []string{
		"Share health information with GrowthTracker?", "You are signed in as Maria Lopez.", "the record of Leo Lopez", "Made by Sprout Health",
		"It sends you back to app.example.org", "Registered, not checked", "About the person name, date of birth, address", "Medicines: prescriptions",
		"Other health information (VisionPrescription) new request", "kinds that are added later", "They will be able to add or change Answers given: add",
		"even when you are not using it", "at first until 5 August 2026", "call 555-0100",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q:\n%s", want, text)
		}
	}
	for value, want := range map[string]bool{
		"patient/Patient.rs": true, "patient/VisionPrescription.rs": true, "patient/QuestionnaireResponse.c": true, "offline_access": true,
		"patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory": false, "yes": false,
	} {
		box := find(doc, "input", "type", "checkbox", "value", value)
		if box == nil {
			t.Errorf("there is no checkbox for %s", value)
			continue
		}
		if _, checked := attribute(box, "checked"); checked != want {
			t.Errorf("%s is ticked: %t", value, checked)
		}
	}
}

// Share and Do not share look the same: no class, no style, no order tells them
// apart but the words.
//
// spec: CONS-09, CONS-10
func TestBothAnswersLookTheSame(t *testing.T) {
	_, doc := render(t, sampleOf(t, "approve"), "en")
	allow, deny := find(doc, "button", "name", "decision", "value", "allow"), find(doc, "button", "name", "decision", "value", "deny")
	if allow.Parent != deny.Parent || attr(allow, "class") != attr(deny, "class") {
		t.Errorf("allow has class %q, deny %q", attr(allow, "class"), attr(deny, "class"))
	}
}

// The title of the page with the code stays in the history of a browser; the code
// must not.
//
// spec: AUTHZ-50
func TestTitleHoldsNoCode(t *testing.T) {
	_, doc := render(t, sampleOf(t, "code"), "en")
	if title := words(elements(doc, "title")[0]); strings.Contains(title, "ac_") {
		t.Errorf("title %q", title)
	}
	if text := words(elements(doc, "main")[0]); !strings.Contains(text, "DesktopCharts") || !strings.Contains(text, "for 1 minute: until 12:01 UTC") {
		t.Errorf("app or end of the code is missing: %s", text)
	}
}
