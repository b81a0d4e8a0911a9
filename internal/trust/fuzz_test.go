package trust_test

import (
	"encoding/json"
	"testing"

	"github.com/emberlatch/emberlatch/internal/trust"
)

// FuzzToken: no text is a token of a server but one that it has signed.
func FuzzToken(f *testing.F) {
	p := newPartner(f)
	l := list(f, []*partner{p}, p.byKeys())
	good := p.token(p.claims(), nil)
	for _, seed := range []string{good, good + ".", p.token(p.claims(), claims{"kid": "k2"}), "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "rt_x", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, active, _ := ask(t, l, text); active && text != good {
			t.Errorf("%q is a token", text)
		}
	})
}

// FuzzAnswer: whatever a server answers, what is repeated is of that server, for the
// listed audience, good now, and can be written.
func FuzzAnswer(f *testing.F) {
	p := newPartner(f)
	for _, change := range []claims{nil, {"iss": nil}, {"cnf": claims{"jkt": "abc"}}, {"aud": []string{"x", audience}}, {"exp": 1.5e300}, {"fhirContext": []any{claims{"reference": "List/1"}}}} {
		raw, err := json.Marshal(p.claims(change))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte(`{"active":true,"active":true}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := trust.JudgeAnswer(p.byKeys(), raw, p.now)
		c, active := a.Active()
		if !active {
			return
		}
		if err != nil || c.Issuer != p.server.URL || c.Audience != audience || c.Expires < p.now.Unix() || c.TokenType == "DPoP" && c.Confirmation["jkt"] == "" || c.TokenType == "Bearer" && c.Confirmation["jkt"] != "" {
			t.Errorf("%+v, %v", c, err)
		}
		if _, err := json.Marshal(c); err != nil {
			t.Error(err)
		}
	})
}
