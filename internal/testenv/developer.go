package testenv

import (
	"net/http"
	"net/url"
	"strings"
)

// AppForm fills in the form for developers: a native app that reads one patient's
// record. Pairs replace inputs or, when empty, remove them.
func AppForm(pairs ...string) url.Values {
	v := url.Values{
		"application_type": {"native"}, "token_endpoint_auth_method": {"none"}, "client_name": {"Growth Tracker"}, "emberlatch_maker": {"Sprout Health"},
		"contacts": {"dev@app.example.org"}, "redirect_uris": {"https://app.example.org/cb\r\nhttp://127.0.0.1/cb\r\n"},
		"scope": {"openid", "launch/patient", "offline_access", "patient/Patient.rs", "patient/Goal.rs"},
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if v.Del(pairs[i]); pairs[i+1] != "" {
			v[pairs[i]] = strings.Split(pairs[i+1], "|")
		}
	}
	return v
}

// FillIn opens the form for developers, fills it in and sends it.
func (b *Browser) FillIn(form url.Values) Page {
	b.t.Helper()
	return b.Submit(b.Open("/developers/register"), "action", "register", form)
}

// Own is an app as its developer knows it.
type Own struct {
	*Client
	Token, URI string
}

// OwnApp registers an app by the form for developers.
func (b *Browser) OwnApp(form url.Values) Own {
	b.t.Helper()
	p := b.FillIn(form)
	id := p.Value(b.t, "client-id")
	if p.Status != http.StatusOK || id == "" {
		b.t.Fatalf("not registered: %s\n%s", p.Describe(), p.Body)
	}
	first, _, _ := strings.Cut(form.Get("redirect_uris"), "\r\n")
	c := &Client{t: b.t, env: b.env, ID: id, Secret: p.Value(b.t, "client-secret"), RedirectURI: first}
	return Own{c, p.Value(b.t, "registration-token"), p.Value(b.t, "registration-uri")}
}

// State asks for the state of an app on the page for developers.
func (b *Browser) State(id, token string) Page {
	b.t.Helper()
	return b.Submit(b.Open("/developers/app"), "action", "show", url.Values{"client_id": {id}, "registration_access_token": {token}})
}
