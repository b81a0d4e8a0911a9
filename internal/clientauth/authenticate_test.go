package clientauth_test

import (
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/clientauth"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

type clients map[store.ClientID]store.Client

func (c clients) Client(id store.ClientID) (store.Client, bool) { got, ok := c[id]; return got, ok }

func secret(text string, expires time.Time) store.ClientSecret {
	return store.ClientSecret{Hash: oauth.Hash(text), ExpiresAt: expires}
}

func registered() clients {
	confidential := func(id store.ClientID, method store.AuthMethod, secrets ...store.ClientSecret) store.Client {
		return store.Client{ID: id, AuthMethod: method, Secrets: secrets}
	}
	c := clients{
		"web":    confidential("web", store.AuthSecretBasic, secret("old", now.Add(time.Minute)), secret("new", time.Time{}), secret("gone", now)),
		"odd":    confidential("odd", store.AuthSecretBasic, secret("a%+:=b", time.Time{})),
		"post":   confidential("post", store.AuthSecretPost, secret("s", time.Time{})),
		"jwt":    confidential("jwt", store.AuthPrivateKeyJWT, secret("s", time.Time{})),
		"off":    {ID: "off", AuthMethod: store.AuthSecretBasic, Secrets: []store.ClientSecret{secret("s", time.Time{})}, Disabled: true},
		"strict": {ID: "strict", AuthMethod: store.AuthSecretBasic, Secrets: []store.ClientSecret{secret("s", time.Time{})}, RefuseSecretPost: true},
		"pub":    {ID: "pub", AuthMethod: store.AuthNone},
		"puboff": {ID: "puboff", AuthMethod: store.AuthNone, Disabled: true},
		"none":   {ID: "none"},
	}
	return c
}

func authenticator(t testing.TB) *clientauth.Authenticator {
	t.Helper()
	return newAuthenticator(t, clientauth.Deps{Clients: registered(), Assertions: &spent{}})
}

func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

func encoded(id, secret string) string { return basic(url.QueryEscape(id), url.QueryEscape(secret)) }

func ask(a *clientauth.Authenticator, body string, headers ...string) (clientauth.Authenticated, *oauth.Error) {
	r := httptest.NewRequest(http.MethodPost, "/token", nil)
	for _, h := range headers {
		r.Header.Add("Authorization", h)
	}
	p, err := oauth.ParseParameters(body)
	if err != nil {
		return clientauth.Authenticated{}, err
	}
	return a.Authenticate(r, p)
}

// spec: CAUTH-01, CAUTH-02, CAUTH-03, CAUTH-04, CAUTH-05, CAUTH-06, CAUTH-07, CAUTH-10, TOK-06, TOK-07
// attack: CA-29
func TestAuthenticate(t *testing.T) {
	const refused, contradiction = oauth.InvalidClient, oauth.InvalidRequest
	for _, test := range []struct {
		row, body string
		headers   []string
		want      string // the client, or an error code
		status    int
	}{
		{"CAUTH-03, TOK-07", "", []string{basic("web", "new")}, "web", 0},
		{"CAUTH-10 the older secret", "", []string{basic("web", "old")}, "web", 0},
		{"CAUTH-10 expired", "", []string{basic("web", "gone")}, string(refused), 401},
		{"CAUTH-04 encoded", "", []string{encoded("odd", "a%+:=b")}, "odd", 0},
		{"CAUTH-04 raw", "", []string{basic("odd", "a%+:=b")}, "odd", 0},
		{"CAUTH-03 scheme in lower case", "", []string{"b" + basic("web", "new")[1:]}, "web", 0},
		{"CAUTH-05", "client_id=web&client_secret=new", nil, "web", 0},
		{"CAUTH-05 registered", "client_id=post&client_secret=s", nil, "post", 0},
		{"CAUTH-05 turned off", "client_id=strict&client_secret=s", nil, string(refused), 400},
		{"CAUTH-03 still on", "", []string{basic("strict", "s")}, "strict", 0},
		{"TOK-06", "client_id=pub", nil, "pub", 0},
		{"TOK-06 same", "client_id=web", []string{basic("web", "new")}, "web", 0},
		{"TOK-06 other", "client_id=pub", []string{basic("web", "new")}, string(contradiction), 400},
		{"CAUTH-02 without secret", "client_id=web", nil, string(refused), 400},
		{"CAUTH-02 public with secret", "client_id=pub&client_secret=x", nil, string(refused), 400},
		{"CAUTH-02 public by Basic", "", []string{basic("pub", "")}, string(refused), 401},
		{"CAUTH-02 empty secret", "client_id=web&client_secret=", nil, string(refused), 400},
		{"CAUTH-02 no method", "client_id=none", nil, string(refused), 400},
		{"CA-29 secret", "client_id=jwt&client_secret=s", nil, string(refused), 400},
		{"CA-29 Basic", "", []string{basic("jwt", "s")}, string(refused), 401},
		{"CA-29 none", "client_id=jwt", nil, string(refused), 400},
		{"CAUTH-06 Basic and body", "client_id=web&client_secret=new", []string{basic("web", "new")}, string(contradiction), 400},
		{"CAUTH-06 body and assertion", "client_id=web&client_secret=new&client_assertion=x", nil, string(contradiction), 400},
		{"CAUTH-06 Basic and assertion", "client_assertion_type=x", []string{basic("web", "new")}, string(contradiction), 400},
		{"CAUTH-06 two headers", "", []string{basic("web", "new"), basic("web", "new")}, string(contradiction), 400},
		{"CAUTH-07 wrong secret", "", []string{basic("web", "no")}, string(refused), 401},
		{"CAUTH-07 other scheme", "", []string{"Bearer x"}, string(refused), 401},
		{"CAUTH-07 no base64", "", []string{"Basic ???"}, string(refused), 401},
		{"CAUTH-07 no colon", "", []string{"Basic " + base64.StdEncoding.EncodeToString([]byte("web"))}, string(refused), 401},
		{"CAUTH-07 nobody", "", nil, string(refused), 400},
		{"CAUTH-07 assertion", "client_assertion=x&client_assertion_type=y", nil, string(refused), 400},
		{"disabled", "", []string{basic("off", "s")}, string(refused), 401},
		{"disabled public", "client_id=puboff", nil, string(refused), 400},
	} {
		t.Run(test.row, func(t *testing.T) {
			proven, err := ask(authenticator(t), test.body, test.headers...)
			if err == nil {
				if got := string(proven.Client().ID); got != test.want {
					t.Errorf("authenticated as %q, want %q", got, test.want)
				}
				return
			}
			if string(err.Code) != test.want || err.HTTPStatus() != test.status || err.Challenge != (test.status == 401) || proven.Client().ID != "" {
				t.Errorf("got %v, status %d, challenge %v", err, err.HTTPStatus(), err.Challenge)
			}
		})
	}
}

// spec: CAUTH-08
// attack: CA-26
func TestFailuresLookAlike(t *testing.T) {
	a := authenticator(t)
	for _, way := range []func(id string) *oauth.Error{
		func(id string) *oauth.Error { _, err := ask(a, "", basic(id, "wrong")); return err },
		func(id string) *oauth.Error { _, err := ask(a, "client_id="+id+"&client_secret=wrong"); return err },
	} {
		unknown := way("unknown")
		for _, id := range []string{"web", "off", "pub", "jwt", "post"} {
			if diff := cmp.Diff(*unknown, *way(id)); diff != "" {
				t.Errorf("%s differs from an unknown client: %s", id, diff)
			}
		}
	}
}

func TestNewRefusesMissingParts(t *testing.T) {
	if _, err := clientauth.New(clientauth.Deps{Clients: registered()}); err == nil {
		t.Error("made without a clock")
	}
	if _, err := clientauth.New(clientauth.Deps{Now: time.Now}); err == nil {
		t.Error("made without clients")
	}
	if _, err := clientauth.New(clientauth.Deps{
		Clients: registered(), Keys: noKeys{}, Assertions: &spent{}, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	}); err == nil {
		t.Error("made without knowing its own name")
	}
}

// FuzzBasic: whoever does not send the id and the secret in one of the two
// spellings is nobody.
func FuzzBasic(f *testing.F) {
	f.Add(basic("web", "new"))
	f.Add(encoded("odd", "a%+:=b"))
	f.Add("Basic ")
	f.Add("basic  " + basic("web", "old")[6:])
	a := authenticator(f)
	known := map[string]bool{"web:new": true, "web:old": true, "odd:a%+:=b": true, "post:s": true, "strict:s": true}
	f.Fuzz(func(t *testing.T, header string) {
		proven, err := ask(a, "", header)
		if err != nil {
			if err.Code != oauth.InvalidClient || err.HTTPStatus() != 401 || !err.Challenge {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		_, text, _ := strings.Cut(header, " ")
		raw, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
		id, pass, _ := strings.Cut(string(raw), ":")
		plainID, _ := url.QueryUnescape(id)
		plainPass, _ := url.QueryUnescape(pass)
		if !known[id+":"+pass] && !known[plainID+":"+plainPass] {
			t.Fatalf("%q authenticates %s", header, proven.Client().ID)
		}
	})
}
