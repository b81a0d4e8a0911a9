package app_test

import (
	"net/http"
	"net/url"
	"testing"
)

// A look at a step changes nothing, whoever looks and however (RFC 9110 §9.2.1): not
// even that there is no visit to choose from.
//
// spec: CTX-12
func TestALookAtAStepWritesNothing(t *testing.T) {
	c := newCounted(t)
	app := c.Register(`{"token_endpoint_auth_method":"none","redirect_uris":["https://visits.example.org/cb"],"scope":"launch/patient launch/encounter patient/*.rs"}`)
	must(t, c.app.Follow(t.Context()))
	open := c.browser.Open(app.Request("launch/patient launch/encounter patient/*.rs").URL())
	p := c.browser.SignIn(open, "zoe")
	if !p.HasButton("decision", "allow") {
		t.Fatalf("with no visit to choose from: %s", p.Describe())
	}
	stored := func() (row string) {
		t.Helper()
		must(t, c.db.QueryRow(t.Context(), `SELECT version || facts FROM authorization_request`).Scan(&row))
		return row
	}
	before := stored()
	for _, method := range []string{http.MethodHead, http.MethodGet} {
		for _, path := range []string{"/login", "/enrol", "/recover", "/choose", "/choose/encounter", "/approve"} {
			req, err := http.NewRequest(method, c.URL+path+"?request="+url.QueryEscape(p.Forms[0].Values.Get("request")), nil)
			must(t, err)
			for name, value := range c.browser.Cookies() {
				req.AddCookie(&http.Cookie{Name: name, Value: value})
			}
			if a := c.Send(req); a.Status >= http.StatusBadRequest {
				t.Errorf("%s %s: %d", method, path, a.Status)
			}
			if after := stored(); after != before {
				t.Errorf("%s %s: %s became %s", method, path, before, after)
			}
		}
	}
	if p = c.browser.Submit(p, "decision", "allow", nil); p.Left == nil || p.Left.Query().Get("code") == "" {
		t.Errorf("afterwards: %s", p.Describe())
	}
}
