package testenv_test

import (
	"bytes"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/testenv"
)

// What opens something is not in the database: of codes, tokens, handles, cookies,
// secrets, passwords and invitations it holds hashes, and of those made here every
// one has at least 128 bits.
//
// spec: RT-29, AT-10, AUTHZ-22, CAUTH-09, LOGIN-06
// attack: E-06, E-07
func TestTheDatabaseOpensNothing(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-confidential")
	own := env.Register(`{"redirect_uris":["https://own.example.org/cb"],"scope":"launch/patient patient/*.rs"}`)
	b := env.Browser()
	r := c.Request(readAll)
	p := b.Open(r.URL())
	handle := p.URL.Query().Get("request")
	code := b.Code(c, c.Request(readAll), "maria", "")
	r = c.Request(readAll)
	redeemed := b.Code(c, r, "maria", "")
	a := c.Exchange(r, redeemed)
	a = c.Refresh(a.String("refresh_token"))
	who := env.File.Enrolment[0]
	e := env.Browser()
	q := e.Open(env.Client("sandbox-native").Request(readAll).URL())
	q = e.Open("/enrol?request=" + url.QueryEscape(q.URL.Query().Get("request")))
	q = e.Submit(q, "action", "continue", url.Values{"given": {who.Given}, "family": {who.Family}, "birth_date": {who.BirthDate}, "code": {who.Code}})
	e.Submit(q, "action", "continue", url.Values{"username": {"nora"}, "password": {password}})

	recovery := env.Admin("POST", "/users/maria/recover", `{}`).String("code")

	secrets := map[string]string{
		"a recovery code": recovery, "a recovery code in one piece": strings.ReplaceAll(recovery, "-", ""),
		"a code": code, "a redeemed code": redeemed, "the access token": a.String("access_token"), "its signature": a.String("access_token")[strings.LastIndexByte(a.String("access_token"), '.')+1:],
		"the refresh token": a.String("refresh_token"), "the ID token": a.String("id_token"), "a handle": handle, "the secret of a client": own.Secret,
		"a password": password, "a known password": env.Password("maria"), "an invitation": who.Code, "an invitation without its lines": strings.ReplaceAll(who.Code, "-", ""),
		"the verifier": r.Verifier,
	}
	for name, value := range b.Cookies() {
		secrets["the cookie "+name] = value
	}
	var files []byte
	for _, name := range []string{"emberlatch.db", "emberlatch.db-wal"} {
		raw, err := os.ReadFile(filepath.Join(env.DataDir, name))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, raw...)
	}
	if !bytes.Contains(files, []byte("sandbox-confidential")) || !bytes.Contains(files, []byte("Nora")) {
		t.Fatal("these are not the files: the test proves nothing")
	}
	for name, secret := range secrets {
		if len(secret) < 8 {
			t.Errorf("%s is %q: the test proves nothing", name, secret)
		}
		if bytes.Contains(files, []byte(secret)) {
			t.Errorf("%s is in the database", name)
		}
	}
	if bits := 5 * (len(secrets["a recovery code in one piece"]) - len("RC")); bits < 128 {
		t.Errorf("a recovery code has %d bits at most", bits)
	}
	for _, made := range []string{"a code", "the refresh token", "a handle", "the secret of a client"} {
		if bits := 6 * (len(secrets[made]) - 3); bits < 128 {
			t.Errorf("%s has %d bits at most", made, bits)
		}
	}
}
