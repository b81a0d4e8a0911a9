package trust_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/trust"
)

// The server is asked with the credentials that are ours there, and what it says is
// judged as a token is.
//
// spec: INTRO-06, INTRO-09, INTRO-13
// attack: IN-03, E-11
func TestATokenOfAnotherServerByAsking(t *testing.T) {
	p := newPartner(t)
	i := p.byEndpoint()
	i.Opaque = true
	l := list(t, []*partner{p}, i)
	at := p.now.Unix()
	for _, row := range []struct {
		name   string
		claims claims
		active bool
	}{
		{"as it should be", nil, true}, {"it does not name itself", claims{"iss": nil}, true}, {"less than a JWT says", claims{"sub": nil, "jti": nil, "iat": nil, "client_id": nil, "scope": nil, "patient": nil}, true},
		{"inactive", claims{"active": false}, false}, {"not a word of it", claims{"active": nil}, false},
		{"another issuer", claims{"iss": "https://other.example.org"}, false}, {"ours", claims{"iss": own}, false},
		{"no audience", claims{"aud": nil}, false}, {"another audience", claims{"aud": "https://other.example.org"}, false}, {"several", claims{"aud": []string{"x", audience}}, true},
		{"over", claims{"exp": at}, false}, {"no end", claims{"exp": nil}, false}, {"not yet", claims{"nbf": at + 120}, false},
		{"a refresh token", claims{"token_use": "refresh_token"}, false}, {"a refresh token of another kind of server", claims{"typ": "Refresh"}, false}, {"an ID token", claims{"typ": "ID"}, false}, {"said twice", claims{"typ": "Bearer", "token_use": "access_token"}, true},
		{"bound in a way that nobody knows", claims{"cnf": claims{"kid": "abc"}}, false}, {"bound", claims{"cnf": claims{"jkt": "abc"}, "token_type": "DPoP"}, true}, {"DPoP without a key", claims{"token_type": "DPoP"}, false},
	} {
		p.answer = func(w http.ResponseWriter, r *http.Request) {
			if user, secret, ok := r.BasicAuth(); !ok || user != "us" || secret != "our+secret" || r.PostFormValue("token") != "opaque" || r.PostFormValue("token_type_hint") != "access_token" {
				t.Errorf("asked %v", r.Header)
			}
			p.say(w, p.claims(row.claims))
		}
		got, active, err := ask(t, l, "opaque")
		if err != nil || active != row.active || active && (got.Issuer != p.server.URL || got.Audience != audience) {
			t.Errorf("%s: active %v, %v, %+v", row.name, active, err, got)
		}
	}
}

// What is no answer of introspection says nothing, within bounds: nobody can say.
//
// attack: E-12, E-23, JW-12
func TestAServerThatMeansIll(t *testing.T) {
	elsewhere := newPartner(t)
	for name, answer := range map[string]http.HandlerFunc{
		"an error":                func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) },
		"our credentials refused": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.server.URL+"/introspect", http.StatusTemporaryRedirect)
		},
		"a page": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte(`{"active":true}`))
		},
		"no media type": func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = nil
			_, _ = w.Write([]byte(`{"active":true}`))
		},
		"a list":         func(w http.ResponseWriter, _ *http.Request) { say(w, `[{"active":true}]`) },
		"nothing":        func(w http.ResponseWriter, _ *http.Request) { say(w, ``) },
		"active in text": func(w http.ResponseWriter, _ *http.Request) { say(w, `{"active":"true"}`) },
		"active twice":   func(w http.ResponseWriter, _ *http.Request) { say(w, `{"active":false,"active":true}`) },
		"deep": func(w http.ResponseWriter, _ *http.Request) {
			say(w, `{"active":true,"x":`+strings.Repeat("[", 5000)+strings.Repeat("]", 5000)+`}`)
		},
		"endless": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for {
				if _, err := io.WriteString(w, strings.Repeat(" ", 64<<10)); err != nil {
					return
				}
			}
		},
	} {
		p := newPartner(t)
		p.answer = answer
		i := p.byEndpoint()
		i.Opaque = true
		l := list(t, []*partner{p, elsewhere}, i)
		for range 2 {
			if _, active, err := ask(t, l, "opaque"); active || !errors.Is(err, trust.ErrUnavailable) {
				t.Errorf("%s: active %v, %v", name, active, err)
			}
		}
		if p.questions.Load() != 2 { // an answer, however bad, keeps nobody else waiting
			t.Errorf("%s: asked %d times", name, p.questions.Load())
		}
	}
	if elsewhere.questions.Load() > 0 {
		t.Error("a redirect was followed with a token in it")
	}
}

func say(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, body)
}

// A server that says nothing is left alone for a moment, and is asked again after it;
// a caller who goes away is no silence of the server.
//
// attack: JW-12
func TestAServerThatIsSilent(t *testing.T) {
	p := newPartner(t)
	i := p.byEndpoint()
	i.Opaque = true
	l := list(t, []*partner{p}, i)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	arrived := make(chan struct{}, 200)
	var back atomic.Pointer[claims] // what it says when it is back
	p.answer = func(w http.ResponseWriter, r *http.Request) {
		if c := back.Load(); c != nil {
			p.say(w, *c)
			return
		}
		arrived <- struct{}{}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}
	q, _ := l.About("opaque")
	silent := func(ctx context.Context) {
		t.Helper()
		if a, err := q.Ask(ctx); !errors.Is(err, trust.ErrUnavailable) {
			t.Errorf("%v, %v", a, err)
		}
	}
	gone, leave := context.WithCancel(t.Context())
	go func() { <-arrived; leave() }()
	silent(gone)
	impatient, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	silent(impatient)
	if p.questions.Load() != 2 {
		t.Errorf("after somebody went away: asked %d times", p.questions.Load())
	}
	began := time.Now()
	for range 100 {
		silent(t.Context())
	}
	if p.questions.Load() != 2 || time.Since(began) > 4*time.Second {
		t.Errorf("it was not left alone: asked %d times", p.questions.Load())
	}
	p.now = p.now.Add(2 * time.Second)
	good := p.claims()
	back.Store(&good)
	if _, active, err := ask(t, l, "opaque"); !active || err != nil {
		t.Errorf("when it is back: %v, %v", active, err)
	}
}

// However many ask at once, a server gets so many questions, and nobody waits long.
func TestQuestionsAreBounded(t *testing.T) {
	p := newPartner(t)
	i := p.byEndpoint()
	i.Opaque = true
	l := list(t, []*partner{p}, i)
	var open, most atomic.Int64
	release := make(chan struct{})
	p.answer = func(w http.ResponseWriter, _ *http.Request) {
		most.Store(max(most.Load(), open.Add(1)))
		defer open.Add(-1)
		<-release
		p.say(w, p.claims())
	}
	var all sync.WaitGroup
	var unavailable atomic.Int64
	for n := range 60 {
		all.Go(func() {
			if _, _, err := ask(t, l, fmt.Sprintf("opaque%d", n)); errors.Is(err, trust.ErrUnavailable) {
				unavailable.Add(1)
			}
		})
	}
	time.AfterFunc(2500*time.Millisecond, func() { close(release) })
	all.Wait()
	if most.Load() > 16 || unavailable.Load() != 60-16 {
		t.Errorf("%d at once, %d were told to come again", most.Load(), unavailable.Load())
	}
}

// A token is shown to the server that it says it is of, and to nobody else; ours are
// shown to nobody.
//
// attack: IN-03
func TestWhoIsShownAToken(t *testing.T) {
	a, b, keyed := newPartner(t), newPartner(t), newPartner(t)
	opaque := b.byEndpoint()
	opaque.Opaque = true
	l := list(t, []*partner{a, b, keyed}, a.byEndpoint(), opaque, keyed.byKeys())
	fromOurs := a.token(a.claims(claims{"iss": own}), nil)
	encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	for _, row := range []struct{ name, text, want string }{
		{"of a", a.token(a.claims(), nil), a.server.URL}, {"of b", b.token(b.claims(), nil), b.server.URL}, {"of the one with keys", keyed.token(keyed.claims(), nil), keyed.server.URL},
		{"unsigned, of a", encode(`{"alg":"none"}`) + "." + encode(`{"iss":"`+a.server.URL+`"}`) + ".", a.server.URL},
		{"opaque", "2YotnFZFEjr1zCsicMWpAA", b.server.URL}, {"opaque, of three parts", "a.b.c", b.server.URL}, {"encrypted", encode(`{"alg":"dir","enc":"A256GCM"}`) + ".a.b.c.d", b.server.URL},
		{"ours", fromOurs, ""}, {"ours, altered", fromOurs[:len(fromOurs)-2], ""}, {"of a stranger", a.token(a.claims(claims{"iss": "https://other.example.org"}), nil), ""},
		{"of nobody", a.token(a.claims(claims{"iss": nil}), nil), ""}, {"of two", encode(`{"alg":"ES256"}`) + "." + encode(`{"iss":"`+a.server.URL+`","iss":"`+b.server.URL+`"}`) + ".x", ""},
		{"iss no text", a.token(a.claims(claims{"iss": []string{a.server.URL}}), nil), ""},
		{"our refresh token", oauth.RandomToken("rt_"), ""}, {"our code", oauth.RandomToken("ac_"), ""}, {"our session", oauth.RandomToken("se_"), ""}, {"our registration", oauth.RandomToken("ra_"), ""},
		{"nothing", "", ""}, {"a space", "a b", ""}, {"a line", "a\nb", ""}, {"more than a token", strings.Repeat("a", 8<<10+1), ""}, {"not ASCII", "é", ""},
	} {
		q, found := l.About(row.text)
		if found != (row.want != "") || q.Issuer() != row.want {
			t.Errorf("%s: %v, %q", row.name, found, q.Issuer())
		}
	}
	without := list(t, []*partner{a}, a.byEndpoint())
	if q, found := without.About("2YotnFZFEjr1zCsicMWpAA"); found {
		t.Errorf("nobody is listed for opaque tokens, and %s is asked", q.Issuer())
	}
	if q, found := list(t, []*partner{a}).About(a.token(a.claims(), nil)); found {
		t.Errorf("nobody is listed, and %s is asked", q.Issuer())
	}
	if answer, err := (trust.Question{}).Ask(t.Context()); err != nil || answer != (trust.Answer{}) {
		t.Errorf("nobody's question: %v, %v", answer, err)
	}
	if _, active := (trust.Answer{}).Active(); active {
		t.Error("nobody's answer is yes")
	}
}
