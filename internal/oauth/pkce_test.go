package oauth_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/oauth"
)

// spec: PKCE-03, PKCE-04
func TestPKCEForms(t *testing.T) {
	const challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" // RFC 7636 appendix B
	if got := oauth.S256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"); got != challenge {
		t.Errorf("S256 is %s, want %s", got, challenge)
	}
	for _, test := range []struct {
		row, value string
		want       bool
	}{
		{"PKCE-03", challenge, true},
		{"PKCE-03 42", challenge[:42], false},
		{"PKCE-03 44", challenge + "A", false},
		{"PKCE-03 padded", challenge + "=", false},
		{"PKCE-03 padding inside", challenge[:42] + "=", false},
		{"PKCE-03 plus", "+" + challenge[1:], false},
		{"PKCE-03 slash", "/" + challenge[1:], false},
		{"PKCE-03 stray bits", challenge[:42] + "N", false},
		{"PKCE-03 line feed", challenge[:42] + "\n", false},
		{"PKCE-03 empty", "", false},
	} {
		if got := oauth.ValidChallenge(test.value); got != test.want {
			t.Errorf("%s: %q is %v", test.row, test.value, got)
		}
	}
	for _, test := range []struct {
		row, value string
		want       bool
	}{
		{"PKCE-04 42", strings.Repeat("a", 42), false},
		{"PKCE-04 43", strings.Repeat("a", 43), true},
		{"PKCE-04 128", strings.Repeat("~", 128), true},
		{"PKCE-04 129", strings.Repeat("a", 129), false},
		{"PKCE-04 all signs", "-._~" + strings.Repeat("Z9", 30), true},
		{"PKCE-04 space", strings.Repeat("a", 43) + " ", false},
		{"PKCE-04 plus", strings.Repeat("a", 43) + "+", false},
		{"PKCE-04 not ASCII", strings.Repeat("é", 30), false},
	} {
		if got := oauth.ValidVerifier(test.value); got != test.want {
			t.Errorf("%s: %q is %v", test.row, test.value, got)
		}
	}
}

func TestRandomTokensAreNeverTheSame(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		token := oauth.RandomToken("x_")
		if len(token) != 45 || !strings.HasPrefix(token, "x_") || seen[token] {
			t.Fatalf("token %q", token)
		}
		seen[token] = true
	}
	if string(oauth.Hash("a_secret")) == string(oauth.Hash("b_secret")) {
		t.Error("the prefix is not part of the hash")
	}
}

func TestBearerIsReadFromTheHeaderOnly(t *testing.T) {
	for _, test := range []struct {
		name, target string
		headers      []string
		token        string
		present      bool
		status       int
	}{
		{"none", "/", nil, "", false, 0},
		{"good", "/", []string{"Bearer abc.def-_~+/="}, "abc.def-_~+/=", true, 0},
		{"lower case", "/", []string{"bearer abc"}, "abc", true, 0},
		{"other scheme", "/", []string{"DPoP abc"}, "", false, 0},
		{"two headers", "/", []string{"Bearer a", "Bearer a"}, "", false, 400},
		{"in the URL", "/?access_token=abc", []string{"Bearer abc"}, "", false, 400},
		{"escaped name", "/?x=1&access_token=", nil, "", false, 400},
		{"empty", "/", []string{"Bearer "}, "", true, 401},
		{"no token", "/", []string{"Bearer"}, "", true, 401},
		{"space inside", "/", []string{"Bearer a b"}, "", true, 401},
		{"comma", "/", []string{"Bearer a,b"}, "", true, 401},
		{"padding only", "/", []string{"Bearer ==="}, "", true, 401},
		{"too long", "/", []string{"Bearer " + strings.Repeat("a", 9000)}, "", true, 401},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", test.target, nil)
			for _, h := range test.headers {
				r.Header.Add("Authorization", h)
			}
			token, present, err := oauth.Bearer(r)
			status := 0
			if err != nil {
				status = err.HTTPStatus()
			}
			if token != test.token || present != test.present || status != test.status {
				t.Errorf("got %q, %v, %d", token, present, status)
			}
		})
	}
}

// The scheme is compared without case (RFC 9110 §11.1); DPoP has the same grammar.
//
// spec: AT-14
func TestPresented(t *testing.T) {
	for header, want := range map[string]struct {
		scheme oauth.Scheme
		token  string
		status int
	}{
		"Bearer a": {oauth.SchemeBearer, "a", 0}, "bearer a": {oauth.SchemeBearer, "a", 0}, "DPoP a": {oauth.SchemeDPoP, "a", 0}, "dpop a": {oauth.SchemeDPoP, "a", 0},
		"DPOP a": {oauth.SchemeDPoP, "a", 0}, "DPoP": {oauth.SchemeDPoP, "", 401}, "DPoP a b": {oauth.SchemeDPoP, "", 401}, "DPoP a,b": {oauth.SchemeDPoP, "", 401},
		"Basic a": {}, "": {}, "Bearera": {}, "DPoPa": {},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", header)
		scheme, token, err := oauth.Presented(r)
		status := 0
		if err != nil {
			status = err.HTTPStatus()
		}
		if scheme != want.scheme || token != want.token || status != want.status || oauth.SchemeOf(r) != want.scheme {
			t.Errorf("%q: %q, %q, %d", header, scheme, token, status)
		}
	}
}

// A challenge names an error when there is one, and algorithms for DPoP.
//
// spec: AT-14
func TestChallenges(t *testing.T) {
	for want, got := range map[string]string{
		`Bearer realm="emberlatch"`: oauth.Challenge(oauth.SchemeBearer, "", ""),
		`Bearer realm="emberlatch", error="invalid_token", error_description="Over"`:               oauth.Challenge(oauth.SchemeBearer, oauth.InvalidToken, "Over"),
		`DPoP realm="emberlatch", algs="ES256 PS256"`:                                              oauth.Challenge(oauth.SchemeDPoP, "", "", "ES256", "PS256"),
		`DPoP realm="emberlatch", error="use_dpop_nonce", error_description="Again", algs="ES256"`: oauth.Challenge(oauth.SchemeDPoP, oauth.UseDPoPNonce, "Again", "ES256"),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
