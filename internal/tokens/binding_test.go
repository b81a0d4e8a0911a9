package tokens_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/dpop"
	"github.com/emberlatch/emberlatch/internal/dpop/dpoptest"
	"github.com/emberlatch/emberlatch/internal/keys"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/tokens"
)

// A token that is bound says so, in itself and to who verifies it, the second time
// too; a binding that is not understood makes it no token at all.
//
// spec: AT-12
// attack: P-19
func TestBoundTokens(t *testing.T) {
	w, ctx, app := newWorld(t), context.Background(), dpoptest.New(t)
	app.Now = func() time.Time { return w.now }
	v, err := dpop.New(dpop.Deps{Origin: issuer, NonceKey: make([]byte, 32), Now: app.Now})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, issuer+"/token", nil)
	app.Sign(r, "")
	shown, refused := v.Prove(http.Header{}, r)
	if refused != nil {
		t.Fatal(refused)
	}
	user, err := w.MintAccess(grant(), grant().Scopes, shown)
	if err != nil {
		t.Fatal(err)
	}
	service, err := w.MintSystem(standingGrant(), []string{"system/*.rs"}, shown)
	if err != nil {
		t.Fatal(err)
	}
	for name, a := range map[string]tokens.AccessToken{"of a user": user, "of a service": service} {
		cnf, _ := claims(t, a.Text, 1)["cnf"].(map[string]any)
		if a.Type != oauth.SchemeDPoP || len(cnf) != 1 || cnf["jkt"] != app.Thumbprint() {
			t.Errorf("%s: type %s, cnf %v", name, a.Type, cnf)
		}
		for range 2 { // from the cache as well
			got, err := w.Verify(ctx, a.Text)
			if err != nil || got.Type() != oauth.SchemeDPoP || got.Confirmation() == nil || got.Confirmation().Thumbprint != app.Thumbprint() {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	bearer := w.mint(t, grant())
	got, err := w.Verify(ctx, bearer.Text)
	if err != nil || bearer.Type != oauth.SchemeBearer || got.Type() != oauth.SchemeBearer || got.Confirmation() != nil || claims(t, bearer.Text, 1)["cnf"] != nil {
		t.Errorf("unbound: %v, %s", err, bearer.Type)
	}
	for cnf, want := range map[string]error{`{"jkt":"k"}`: nil, `{}`: tokens.ErrInvalid, `{"x5t#S256":"abc"}`: tokens.ErrInvalid, `{"jkt":""}`: tokens.ErrInvalid, `"x"`: tokens.ErrInvalid} {
		payload := `{"iss":"` + issuer + `","sub":"u1","aud":"` + fhirBase + `","exp":4000000000,"iat":1,"jti":"j","client_id":"app","scope":"openid","gid":"g","cnf":` + cnf + `}`
		text, err := w.ring.Sign(keys.UseAccess, keys.ES256, "at+jwt", []byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Verify(ctx, text); !errors.Is(err, want) {
			t.Errorf("cnf %s: %v", cnf, err)
		}
	}
}
